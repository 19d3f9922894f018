"""The dancers' true motion is on the beat: beat alignment with sigma 50 ms, in both directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.waveform import Waveform
from musedance_core.metrics.dance import joint_speeds, standing_joints
from musedance_core.metrics.motion import motion_beats
from musedance_core.world.clip_music import clip_music, random_beat_edit
from musedance_core.world.dances import (
    MOVES,
    Dance,
    Take,
    dance_motion,
    random_dance,
    random_take,
)
from musedance_core.world.songs import Song, make_song

SIGMA = 0.05
RATE = 60  # poses per second


def steady_song(index: int) -> Song:
    """A song without a break, so that the dancer always moves; without its sound."""
    song = replace(make_song(3, index), breaks=())
    return replace(song, wave=Waveform(np.zeros((1, 1), np.float32), 32_000))


def found_beats(
    dance: Dance, take: Take, song: Song, grid: BeatGrid, rate: float = RATE
) -> np.ndarray:
    """Times in seconds of the minima of speed between the grid's first beat and its last."""
    times = np.arange(grid.times[0], grid.times[-1], 1 / rate)
    joints = standing_joints(dance_motion(dance, clip_music(song, grid, times), take, rate))
    return times[0] + motion_beats(joint_speeds(joints, rate).mean(axis=1), rate)


def alignment(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over `found` of exp(-d^2 / 2 sigma^2), d the seconds to the nearest of `wanted`."""
    distance = np.abs(found[:, None] - wanted[None]).min(axis=1)
    return float(np.exp(-(distance**2) / (2 * SIGMA**2)).mean())


def chance(grid: BeatGrid) -> float:
    """Alignment of random moments with the grid."""
    return alignment(np.linspace(grid.times[0], grid.times[-1], 5000), grid.times)


def dances() -> list[tuple[Dance, Take]]:
    rng = np.random.default_rng(0)
    return [(random_dance(rng, [move]), random_take(rng)) for move in MOVES]


SONGS = [steady_song(i) for i in range(len(MOVES))]


@pytest.mark.parametrize("i", range(len(SONGS)))
def test_true_motion_is_near_the_ceiling_in_both_directions(i: int) -> None:
    (dance, take), song = dances()[i], SONGS[i]
    found, beats = found_beats(dance, take, song, song.grid), song.grid.times[1:-1]
    # A figure that turns is as thin as paper halfway, and rests for a moment too.
    assert alignment(found, beats) > (0.65 if dance.move == "spin" else 0.95)
    assert alignment(beats, found) > 0.95


def test_all_true_motion_together_is_at_the_ceiling() -> None:
    scores = []
    for (dance, take), song in zip(dances(), SONGS, strict=True):
        found, beats = found_beats(dance, take, song, song.grid), song.grid.times[1:-1]
        scores.append((alignment(found, beats), alignment(beats, found)))
    assert np.mean(scores, axis=0).min() > 0.97


def test_an_edited_grid_is_followed_and_the_music_is_not() -> None:
    rng = np.random.default_rng(1)
    to_grid = []
    for (dance, take), song in zip(dances(), SONGS, strict=True):
        grid = random_beat_edit(song.grid, rng)
        found = found_beats(dance, take, song, grid)
        to_grid += [alignment(found, grid.times[1:-1]), alignment(grid.times[1:-1], found)]
    assert np.mean(to_grid) > 0.97 and min(to_grid) > 0.6


def test_shuffled_music_is_at_chance() -> None:
    shuffled, expected = [], []
    for i, (dance, take) in enumerate(dances()[::2]):
        found = found_beats(dance, take, SONGS[2 * i], SONGS[2 * i].grid)
        for song in (SONGS[j] for j in range(len(SONGS)) if j != 2 * i):
            shuffled.append(alignment(found, song.grid.times))
            expected.append(chance(song.grid))
    assert np.mean(shuffled) == pytest.approx(np.mean(expected), abs=0.03)
    assert np.mean(shuffled) < 0.4


def test_at_twelve_frames_a_second_the_truth_stays_far_above_chance() -> None:
    scores = []
    for (dance, take), song in zip(dances(), SONGS, strict=True):
        found = found_beats(dance, take, song, song.grid, rate=12)
        scores += [alignment(found, song.grid.times), alignment(song.grid.times[1:-1], found)]
    assert np.mean(scores) > 0.75


def test_dancers_freeze_in_a_break_and_come_back_without_a_jump() -> None:
    songs = [make_song(4, i) for i in range(30)]
    with_break = [song for song in songs if song.breaks]
    assert len(with_break) > 5
    for i, song in enumerate(with_break):
        begin, end = song.breaks[0]
        period = 60 / song.grid.tempo
        times = np.arange(begin - 2 * period, end + 3 * period, 0.002)
        motion = dance_motion(
            Dance(MOVES[5 * i % len(MOVES)]), clip_music(song, song.grid, times), Take(), 500.0
        )
        joints = standing_joints(motion)
        step = np.abs(np.diff(joints, axis=0)).max(axis=(1, 2))
        inside = (times[:-1] > begin + 0.004) & (times[1:] < end - 0.004)
        assert step[inside].max() < 1e-6
        assert step[~inside].max() < 0.025 / period
