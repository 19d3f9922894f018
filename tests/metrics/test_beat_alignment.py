from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

from musedance_core.metrics.beat_alignment import (
    BeatTrack,
    beat_alignment,
    chance_level,
    shuffled_control,
)
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.metrics.motion import motion_beats, motion_energy, visible_window

FPS, FRAMES = 12, 48
Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]


def grid(period: float, first: float = 0.0) -> np.ndarray:
    return first + period * np.arange(-1, 24)


def track(motion: np.ndarray, beats: np.ndarray) -> BeatTrack:
    return BeatTrack(motion, beats, visible_window(FRAMES, FPS))


def both(one: BeatTrack) -> float:
    scored = beat_alignment(one)
    assert scored is not None
    return scored.harmonic_mean


def danced(draw: Draw, swing: Swing, period: float, first: float) -> np.ndarray:
    """Motion beats of a square that rests on the beats."""
    energy = motion_energy(draw(swing(np.arange(FRAMES) / FPS, period, first)))
    return motion_beats(energy, FPS)


def test_a_square_on_the_beat_is_near_the_top_and_a_late_one_is_not(
    draw: Draw, swing: Swing
) -> None:
    motion = danced(draw, swing, 0.5, 0.2)
    scored = beat_alignment(track(motion, grid(0.5, 0.2)))
    assert scored is not None and scored.coverage == 1
    assert min(scored.motion_to_music, scored.music_to_motion, scored.harmonic_mean) > 0.95
    scores = [both(track(motion, grid(0.5, 0.2 - late))) for late in (0, 0.05, 0.1, 0.25)]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] == pytest.approx(np.exp(-0.5), abs=0.1) and scores[3] < 0.05


def test_each_direction_sees_its_own_fault() -> None:
    beats = grid(0.5)
    halves, every_other = (
        beat_alignment(track(grid(0.25), beats)),
        beat_alignment(track(beats[::2], beats)),
    )
    assert halves is not None and every_other is not None
    assert halves.music_to_motion > 0.99 and halves.motion_to_music < 0.6
    assert every_other.motion_to_music > 0.99 and every_other.music_to_motion < 0.6
    assert halves.coverage == 1 and every_other.coverage == pytest.approx(0.5, abs=0.1)


def test_random_motion_is_at_chance() -> None:
    rng = np.random.default_rng(0)
    tracks = [
        track(np.sort(rng.uniform(0.1, 3.8, 8)), grid(rng.uniform(0.4, 0.8), rng.uniform(0, 0.4)))
        for _ in range(300)
    ]
    expected = np.mean([chance_level(one) or 0 for one in tracks])
    assert np.mean([both(one) for one in tracks]) == pytest.approx(expected, abs=0.02)
    assert 0.15 < expected < 0.4


def test_the_shuffled_control_tells_dancing_from_moving(draw: Draw, swing: Swing) -> None:
    rng = np.random.default_rng(1)
    places = [(float(rng.uniform(0.4, 0.8)), float(rng.uniform(0, 0.4))) for _ in range(12)]
    good = [track(danced(draw, swing, *place), grid(*place)) for place in places]
    turned = [
        track(one.motion, other.music) for one, other in zip(good, good[1:] + good[:1], strict=True)
    ]
    gains = {}
    for name, tracks in (("good", good), ("turned", turned)):
        others = shuffled_control(tracks)
        gains[name] = np.array([both(t) - (o or 0) for t, o in zip(tracks, others, strict=True)])
    low, high = mean_interval(gains["good"]) or (0, 0)
    assert 0.3 < low < high
    low, high = mean_interval(gains["turned"]) or (1, 1)
    assert low < 0.05 and high < 0.3


def test_the_control_needs_other_music_and_looks_where_both_play() -> None:
    alone = track(grid(0.5), grid(0.5))
    assert shuffled_control([alone]) == [None]
    assert shuffled_control([alone, alone]) == pytest.approx([1, 1])
    short = BeatTrack(grid(0.5), grid(0.5)[:4], (0.1, 1.0))
    assert shuffled_control([alone, short])[0] == pytest.approx(1)


def test_clips_to_the_same_song_are_no_control_for_each_other() -> None:
    window = visible_window(FRAMES, FPS)
    one, same = (BeatTrack(grid(0.5), grid(0.5), window, "a song") for _ in range(2))
    other = BeatTrack(grid(0.5, 0.25), grid(0.5, 0.25), window, "another")
    assert shuffled_control([one, same]) == [None, None]
    found = shuffled_control([one, same, other])
    assert None not in found and max(score or 0 for score in found) < 0.05


def test_no_motion_scores_nothing_and_no_beats_are_not_scored() -> None:
    assert both(track(np.zeros(0), grid(0.5))) == 0
    assert beat_alignment(track(grid(0.5), np.zeros(0))) is None
    assert beat_alignment(track(grid(0.5), np.array([-3.0, 9.0]))) is None
    assert chance_level(track(grid(0.5), np.zeros(0))) is None
    assert chance_level(track(np.zeros(0), grid(0.5))) == 0
