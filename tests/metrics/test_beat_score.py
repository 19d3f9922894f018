"""A dance's score: high on its own beats, at chance on others, and drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.errors import InputError
from musedance_core.metrics.beat_score import beat_score, draw_score

Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]
FPS = 12.0


def dance(draw: Draw, swing: Swing, start: float) -> Tensor:
    """48 frames to 100 BPM with a beat at 0.2 s of the song, from `start` on."""
    return draw(swing(start + np.arange(48) / FPS, 0.6, 0.2))


@pytest.mark.parametrize("start", [0.0, 3.3])
def test_the_song_s_own_beats_score_far_above_chance(
    draw: Draw, swing: Swing, start: float
) -> None:
    frames = dance(draw, swing, start)
    right = beat_score(frames, FPS, regular_grid(100, 0.2, 20), start)
    wrong = beat_score(frames, FPS, regular_grid(100, 0.5, 20), start)
    assert right.score > 0.85 and right.chance < 0.5 and wrong.score < 0.1
    assert len(right.beats) in (6, 7)


def test_bad_input_of_the_score_is_one_sentence(draw: Draw, swing: Swing) -> None:
    frames = dance(draw, swing, 0.0)
    with pytest.raises(InputError, match="got 3"):
        beat_score(frames[:3], FPS, regular_grid(100, 0.2, 20), 0.0)
    with pytest.raises(InputError, match=r"The song has no beat in the 4\.00 s from 30\.00 s"):
        beat_score(frames, FPS, regular_grid(100, 0.2, 20), 30.0)


def test_the_plot_shows_beats_and_motion(draw: Draw, swing: Swing) -> None:
    plot = draw_score(beat_score(dance(draw, swing, 0.0), FPS, regular_grid(100, 0.2, 20), 0.0))
    colours = {colour for _, colour in plot.convert("RGB").getcolors(100_000) or []}
    assert {(37, 99, 235), (194, 65, 12), (255, 255, 255)} <= colours
