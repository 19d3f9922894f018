"""The dancers' true motion is on the beat: beat alignment with sigma 50 ms, in both directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from musedance_core.world.choreography import MOVES, SIDES, SIZES, Dance, body_points

from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.waveform import Waveform
from musedance_core.world.clip_music import clip_music, random_beat_edit
from musedance_core.world.songs import Song, make_song

SIGMA = 0.05
RATE = 100  # samples of the motion per second


def steady_song(index: int) -> Song:
    """A song without a break, so that the dancer always moves; without its sound."""
    song = replace(make_song(3, index), breaks=())
    return replace(song, wave=Waveform(np.zeros((1, 1), np.float32), 32_000))


def motion_beats(dance: Dance, song: Song, grid: BeatGrid, rate: float = RATE) -> np.ndarray:
    """Times in seconds of the minima of speed between the grid's first beat and its last."""
    times = np.arange(grid.times[0], grid.times[-1], 1 / rate)
    points = body_points(clip_music(song, grid, times).perform(dance)).numpy()
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(axis=1)
    lowest = 1 + np.flatnonzero((speed[1:-1] < speed[:-2]) & (speed[1:-1] <= speed[2:]))
    return times[lowest] + 0.5 / rate


def alignment(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over `found` of exp(-d^2 / 2 sigma^2), d the seconds to the nearest of `wanted`."""
    distance = np.abs(found[:, None] - wanted[None]).min(axis=1)
    return float(np.exp(-(distance**2) / (2 * SIGMA**2)).mean())


def chance(grid: BeatGrid) -> float:
    """Alignment of random moments with the grid."""
    return alignment(np.linspace(grid.times[0], grid.times[-1], 5000), grid.times)


def dances() -> list[Dance]:
    rng = np.random.default_rng(0)
    return [
        Dance(move, str(rng.choice(SIDES)), str(rng.choice(SIZES)))
        for move in MOVES
        for _ in range(2)
    ]


SONGS = [steady_song(i) for i in range(2 * len(MOVES))]


@pytest.mark.parametrize("i", range(len(SONGS)))
def test_true_motion_is_at_the_ceiling_in_both_directions(i: int) -> None:
    dance, song = dances()[i], SONGS[i]
    found, beats = motion_beats(dance, song, song.grid), song.grid.times[1:-1]
    assert alignment(found, beats) > 0.98
    assert alignment(beats, found) > 0.98


def test_an_edited_grid_is_followed_and_the_music_is_not() -> None:
    rng = np.random.default_rng(1)
    to_grid = []
    for dance, song in zip(dances(), SONGS, strict=True):
        grid = random_beat_edit(song.grid, rng)
        found = motion_beats(dance, song, grid)
        to_grid += [alignment(found, grid.times[1:-1]), alignment(grid.times[1:-1], found)]
    assert min(to_grid) > 0.95


def test_shuffled_music_is_at_chance() -> None:
    shuffled, expected = [], []
    for i, dance in enumerate(dances()):
        found = motion_beats(dance, SONGS[i], SONGS[i].grid)
        for song in (SONGS[j] for j in range(len(SONGS)) if j != i):
            shuffled.append(alignment(found, song.grid.times))
            expected.append(chance(song.grid))
    assert np.mean(shuffled) == pytest.approx(np.mean(expected), abs=0.03)
    assert np.mean(shuffled) < 0.4


def test_at_twelve_frames_a_second_the_truth_stays_far_above_chance() -> None:
    scores = []
    for dance, song in zip(dances(), SONGS, strict=True):
        found = motion_beats(dance, song, song.grid, rate=12)
        scores += [alignment(found, song.grid.times), alignment(song.grid.times[1:-1], found)]
    assert np.mean(scores) > 0.75


def test_dancers_freeze_in_a_break_and_come_back_without_a_jump() -> None:
    songs = [make_song(4, i) for i in range(30)]
    with_break = [song for song in songs if song.breaks]
    assert len(with_break) > 5
    for song in with_break:
        begin, end = song.breaks[0]
        period = 60 / song.grid.tempo
        times = np.arange(begin - 2 * period, end + 3 * period, 0.001)
        points = body_points(
            clip_music(song, song.grid, times).perform(Dance("slide", "left", "big"))
        ).numpy()
        step = np.abs(np.diff(points, axis=0)).max(axis=(1, 2))
        inside = (times[:-1] > begin + 0.002) & (times[1:] < end - 0.002)
        assert step[inside].max() == 0
        assert step[~inside].max() < 0.7 * 0.0025 * np.pi / period + 1e-4
