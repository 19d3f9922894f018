"""Beat plots: beats and waveform at their times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from musedance_core.audio.beats import BeatGrid, regular_grid
from musedance_core.audio.waveform import Waveform
from musedance_core.media.beat_plot import (
    BEAT,
    DOUBTFUL_BEAT,
    DOUBTFUL_DOWN,
    DOWN,
    LINE,
    PAPER,
    WAVE,
    draw_beat_plot,
    write_beat_plot,
)

SONG = Waveform(np.sin(np.linspace(0, 3000, 80_000)).astype(np.float32)[None] * 0.3, 8000)


def columns(plot: Image.Image, colour: str, row: int = 0) -> np.ndarray:
    pixels = np.asarray(plot.convert("RGB"))
    return np.flatnonzero((pixels[row] == ImageColor.getrgb(colour)).all(axis=-1))


def test_every_beat_is_a_line_at_its_second() -> None:
    plot = draw_beat_plot(SONG, regular_grid(60, 0.5, 10.0), width=1000)
    assert columns(plot, BEAT).tolist() == [150, 250, 350, 550, 650, 750, 950]
    bold = columns(plot, DOWN)
    assert {round(float(x), -1) // 10 * 10 for x in bold} == {50, 450, 850}


def test_doubtful_beats_are_paler() -> None:
    times = np.arange(0.5, 4.5)
    grid = BeatGrid(times, times[:3:2], 60.0, confidence=np.array([0.9, 0.9, 0.1, 0.1]))
    plot = draw_beat_plot(SONG, grid, width=1000)
    for colour, second in ((DOWN, 0.5), (BEAT, 1.5), (DOUBTFUL_DOWN, 2.5), (DOUBTFUL_BEAT, 3.5)):
        found = columns(plot, colour)
        assert len(found) and (np.abs(found - 100 * second) <= 1).all()
    paper, *colours = (sum(ImageColor.getrgb(c)) for c in (PAPER, BEAT, DOUBTFUL_BEAT))
    assert colours[0] < colours[1] < paper


def test_the_height_of_the_waveform_is_its_loudness() -> None:
    quiet = Waveform(np.concatenate([SONG.samples * 0.1, SONG.samples], axis=1), 8000)
    plot = np.asarray(draw_beat_plot(quiet, regular_grid(60, 0.5, 20.0), width=1000))
    height = (plot == np.array(ImageColor.getrgb(WAVE))).all(axis=-1).sum(axis=0)
    assert np.median(height[:490]) < 0.2 * np.median(height[510:])


def test_a_long_song_has_a_row_a_minute(tmp_path: Path) -> None:
    song = Waveform(np.zeros((1, 1000 * 600), np.float32), 1000)
    write_beat_plot(tmp_path / "plot.png", song, regular_grid(60 / 2.95, 1.0, 600.0))
    with Image.open(tmp_path / "plot.png") as plot:
        assert plot.size == (3600, 10 * 128) and plot.height / 10 > LINE
        # Beats every 2.95 s are in the row of their minute, at their second of it.
        times = 1.0 + 2.95 * np.arange(204)
        for row in range(10):
            lines = np.r_[columns(plot, BEAT, row * 128), columns(plot, DOWN, row * 128)]
            inside = times[(times >= 60 * row) & (times <= 60 * row + 60)]
            expected = (inside - 60 * row) * 60
            assert len(lines) >= len(expected) >= 19
            assert (np.abs(lines[:, None] - expected[None]).min(axis=1) <= 2).all()


def test_the_last_row_of_a_song_ends_with_it() -> None:
    song = Waveform(np.full((1, 1000 * 90), 0.9, np.float32), 1000)
    plot = draw_beat_plot(song, regular_grid(60, 0.5, 90.0))
    assert plot.size == (3600, 256)
    assert len(columns(plot, WAVE, 56)) > 3500
    second = columns(plot, WAVE, 128 + 56)
    assert len(second) > 1700 and second.max() <= 1800
