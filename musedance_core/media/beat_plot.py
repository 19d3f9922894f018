"""Strips: the song's waveform with its beats, to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..audio.beats import BeatGrid
from ..audio.envelope import peaks
from ..audio.waveform import Waveform
from ..files import atomic_path

PAPER, WAVE, BEAT, DOWN, TEXT = "#ffffff", "#94a3b8", "#2563eb", "#c2410c", "#475569"
LINE = 16
PIXELS_A_SECOND, WIDEST = 60, 6000


def draw_beat_plot(
    wave: Waveform, grid: BeatGrid, width: int = 0, height: int = 128
) -> Image.Image:
    """The whole song as a picture: its loudness, beats as lines and downbeats as bolder ones.

    `width` in pixels; 0 gives every second `PIXELS_A_SECOND`, up to `WIDEST` in all.
    """
    width = width or int(np.clip(wave.seconds * PIXELS_A_SECOND, 320, WIDEST))
    strip = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(strip)
    middle, reach = (height - LINE) / 2, (height - LINE) / 2 - 2
    for x, peak in enumerate(peaks(wave, width)):
        draw.line((x, middle - reach * peak, x, middle + reach * peak), fill=WAVE)
    scale, down = width / wave.seconds, set(grid.downbeats.tolist())
    for time in grid.times.tolist():
        bold = time in down
        x = time * scale
        draw.line((x, 0, x, height - LINE), fill=DOWN if bold else BEAT, width=2 if bold else 1)
    for second in range(0, int(wave.seconds) + 1, max(1, round(wave.seconds / width * 60))):
        draw.text((second * scale + 2, height - LINE), f"{second // 60}:{second % 60:02d}", TEXT)
    return strip


def write_beat_plot(path: str | Path, wave: Waveform, grid: BeatGrid) -> None:
    """Write the strip as PNG, atomically."""
    with atomic_path(path) as temporary:
        draw_beat_plot(wave, grid).save(temporary, format="PNG")
