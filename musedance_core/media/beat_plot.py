"""Beat plots: the waveform of a song with its beats as a picture."""

from __future__ import annotations

from math import ceil
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
PIXELS_PER_SECOND, ROW_SECONDS = 60, 60
"""Scale of a plot without a given width, and the longest part of a song in a row of it."""
NARROWEST = 320
"""Width of the plot of a very short song."""
LABEL_PIXELS = 60
"""Room for a time label."""


def draw_beat_plot(
    wave: Waveform, grid: BeatGrid, width: int = 0, height: int = 128
) -> Image.Image:
    """The whole song as a picture: its waveform, beats as lines and downbeats as bolder ones;
    doubtful beats are paler.

    Args:
        wave: the song.
        grid: its beats.
        width: width in pixels, in one row; 0 means `PIXELS_PER_SECOND` per second, in rows of
            `ROW_SECONDS`.
        height: height of a row in pixels.
    """
    rows = 1 if width else max(1, ceil(wave.seconds / ROW_SECONDS - 1e-6))
    seconds = wave.seconds if rows == 1 else float(ROW_SECONDS)
    width = width or max(NARROWEST, round(seconds * PIXELS_PER_SECOND))
    levels = peaks(wave, round(width * wave.seconds / seconds))
    plot = Image.new("RGB", (width, rows * height), PAPER)
    for row in range(rows):
        part = levels[row * width : (row + 1) * width]
        _draw_row(plot, row * height, height, part, grid, row * seconds, width / seconds)
    return plot


def _draw_row(
    plot: Image.Image,
    top: int,
    height: int,
    levels: np.ndarray,
    grid: BeatGrid,
    begin: float,
    scale: float,
) -> None:
    """Draw a part of a song from the row `top` of the picture on.

    Args:
        plot: the picture.
        top, height: place of the part, in pixels.
        levels: peak level 0..1 per column of pixels.
        grid: beats of the song.
        begin: seconds of the song at the left.
        scale: pixels a second.
    """
    draw = ImageDraw.Draw(plot)
    bottom = top + height - LINE
    middle, reach = (top + bottom) / 2, (height - LINE) / 2 - 2
    for x, level in enumerate(levels):
        draw.line((x, middle - reach * level, x, middle + reach * level), fill=WAVE)

    # Beats, and times below them.
    end = begin + len(levels) / scale
    colours = ((BEAT, DOWN), (DOUBTFUL_BEAT, DOUBTFUL_DOWN))
    beats = zip(grid.times.tolist(), grid.is_downbeat(), grid.is_doubtful(), strict=True)
    for time, down, doubtful in beats:
        if begin <= time <= end:
            x = (time - begin) * scale
            fill = colours[int(doubtful)][int(down)]
            draw.line((x, top, x, bottom), fill=fill, width=2 if down else 1)
    for second in range(round(begin), int(end) + 1, max(1, round(LABEL_PIXELS / scale))):
        label = f"{second // 60}:{second % 60:02d}"
        draw.text(((second - begin) * scale + 2, bottom), label, TEXT)


def write_beat_plot(path: str | Path, wave: Waveform, grid: BeatGrid) -> None:
    """Write the beat plot as a PNG file, atomically."""
    with atomic_path(path) as temporary:
        draw_beat_plot(wave, grid).save(temporary, format="PNG")
