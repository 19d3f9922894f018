"""Beat plots: the waveform of a song with its beats as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..audio.beats import BeatGrid
from ..audio.envelope import peaks
from ..audio.waveform import Waveform
from ..files import atomic_path

PAPER, WAVE, BEAT, DOWN, TEXT = "#ffffff", "#94a3b8", "#2563eb", "#c2410c", "#475569"
DOUBTFUL_BEAT, DOUBTFUL_DOWN = "#a8c1f7", "#e7b39e"
"""Colours of beats of which the tracker is not sure: 40 % of the others on paper."""
LINE = 16
"""Height of the line of time labels, in pixels."""
PIXELS_PER_SECOND, MAX_WIDTH = 60, 6000


def draw_beat_plot(
    wave: Waveform, grid: BeatGrid, width: int = 0, height: int = 128
) -> Image.Image:
    """The whole song as a picture: its waveform, beats as lines and downbeats as bolder ones;
    doubtful beats are paler.

    Args:
        wave: the song.
        grid: its beats.
        width: width in pixels; 0 means `PIXELS_PER_SECOND` per second, up to `MAX_WIDTH`.
        height: height in pixels.
    """
    width = width or int(np.clip(wave.seconds * PIXELS_PER_SECOND, 320, MAX_WIDTH))
    plot = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(plot)
    middle, reach = (height - LINE) / 2, (height - LINE) / 2 - 2
    for x, peak in enumerate(peaks(wave, width)):
        draw.line((x, middle - reach * peak, x, middle + reach * peak), fill=WAVE)
    scale = width / wave.seconds
    colours = ((BEAT, DOWN), (DOUBTFUL_BEAT, DOUBTFUL_DOWN))
    beats = zip(grid.times.tolist(), grid.is_downbeat(), grid.is_doubtful(), strict=True)
    for time, down, doubtful in beats:
        x = time * scale
        fill = colours[int(doubtful)][int(down)]
        draw.line((x, 0, x, height - LINE), fill=fill, width=2 if down else 1)
    for second in range(0, int(wave.seconds) + 1, max(1, round(wave.seconds / width * 60))):
        draw.text((second * scale + 2, height - LINE), f"{second // 60}:{second % 60:02d}", TEXT)
    return plot


def write_beat_plot(path: str | Path, wave: Waveform, grid: BeatGrid) -> None:
    """Write the beat plot as a PNG file, atomically."""
    with atomic_path(path) as temporary:
        draw_beat_plot(wave, grid).save(temporary, format="PNG")
