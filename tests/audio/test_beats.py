"""Beat grids: edits, bars, beats per frame and loops."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.audio.beats import (
    ASSUMED_BPM,
    DECAYS,
    BeatGrid,
    assumed_grid,
    beat_frames,
    beat_pulse,
    decayed,
    regular_grid,
    steady_tempo,
    whole_beats,
)
from musedance_core.errors import InputError

UNEVEN = BeatGrid(np.array([0.5, 1.0, 1.75, 2.25]), np.array([0.5]), 100.0)


def test_beat_count_is_whole_on_beats_and_linear_between_and_beyond() -> None:
    assert np.allclose(UNEVEN.count(UNEVEN.times), [0, 1, 2, 3])
    assert np.allclose(UNEVEN.count(np.array([0.75, 1.375])), [0.5, 1.5])
    assert np.allclose(UNEVEN.count(np.array([0.0, 2.75])), [-1, 4])


def test_edits_keep_the_mark_of_an_assumed_grid() -> None:
    grid = assumed_grid(8.0)
    assert grid.tempo == ASSUMED_BPM and grid.assumed and not UNEVEN.assumed
    for edited in (
        grid.shifted(0.1),
        grid.halved(),
        grid.doubled(),
        grid.jittered(np.random.default_rng(0), 0.01),
    ):
        assert edited.assumed
    assert grid.to_json()["assumed"] is True


@pytest.mark.parametrize("phase", [0, 1, 2, 3])
def test_halving_preserves_the_downbeats(phase: int) -> None:
    times = 0.25 + 0.5 * np.arange(12)
    grid = BeatGrid(times, times[phase::4], 120.0)
    assert set(grid.downbeats) <= set(grid.halved().times) and len(grid.halved().times) == 6


def test_shifting_halving_doubling_and_jitter() -> None:
    assert np.allclose(UNEVEN.shifted(-0.2).times, UNEVEN.times - 0.2)
    assert np.allclose(UNEVEN.halved().times, [0.5, 1.75]) and UNEVEN.halved().tempo == 50
    assert np.allclose(UNEVEN.doubled().times, [0.5, 0.75, 1, 1.375, 1.75, 2, 2.25])
    shifts = UNEVEN.jittered(np.random.default_rng(0), 0.04).times - UNEVEN.times
    assert 0 < np.abs(shifts).max() <= 0.04


def test_jitter_never_swaps_beats() -> None:
    close = BeatGrid(np.arange(20) * 0.05, np.array([]), 1200.0)
    times = close.jittered(np.random.default_rng(0), 1.0).times
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("times", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan]])
def test_impossible_grids_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="beat"):
        BeatGrid(np.array(times), np.array([]), 100.0)


def test_a_beat_falls_on_the_nearest_frame() -> None:
    frames = beat_frames(UNEVEN, start=0.5, frames=24, fps=12)
    assert np.flatnonzero(frames.ids).tolist() == [0, 6, 15, 21]
    assert np.allclose(frames.count[[0, 6, 15]], [0, 1, 2])


@pytest.mark.parametrize("cut", [1, 6, 7, 20])
def test_two_segments_have_the_beats_of_one(cut: int) -> None:
    whole = beat_frames(UNEVEN, 0.31, 30, 12)
    parts = [beat_frames(UNEVEN, 0.31, cut, 12), beat_frames(UNEVEN, 0.31, 30 - cut, 12, first=cut)]
    assert np.array_equal(whole.ids, np.concatenate([p.ids for p in parts]))
    assert np.allclose(whole.count, np.concatenate([p.count for p in parts]))


def test_a_loop_runs_from_the_first_beat_over_pairs_of_beats() -> None:
    grid = regular_grid(120, 0.25, 20)
    assert whole_beats(grid, 0.0, 48, 12) == range(3, 39)
    assert whole_beats(grid, 0.25, 48, 12) == range(0, 48)
    assert whole_beats(grid, 5.0, 40, 12) == range(3, 39)
    assert whole_beats(grid, 0.25, 48, 12, multiple=8) == range(0, 48)


def test_a_loop_repeats_on_the_beat_at_odd_tempi() -> None:
    grid = regular_grid(97, 0.11, 40)
    loop = whole_beats(grid, 3.0, 200, 12)
    ends = grid.count(3.0 + np.array([loop.start, loop.stop]) / 12)
    assert np.abs(ends - ends.round()).max() < 0.5 / 12 * 97 / 60 + 1e-9
    assert round(ends[1] - ends[0]) % 2 == 0 and len(loop) > 200 - 3 * 12 * 60 / 97


def test_a_video_of_one_beat_is_no_loop() -> None:
    with pytest.raises(InputError, match="whole beats"):
        whole_beats(regular_grid(60, 0.5, 20), 0.0, 24, 12)


def test_a_regular_grid_covers_the_song_from_its_first_beat() -> None:
    grid = regular_grid(120, 1.3, 4)
    assert np.allclose(grid.times, np.arange(0.3, 4, 0.5)) and grid.tempo == 120


@pytest.mark.parametrize(("bpm", "offset"), [(0, 0), (1000, 0), (np.nan, 0), (120, np.inf)])
def test_impossible_tempi_are_refused(bpm: float, offset: float) -> None:
    with pytest.raises(InputError, match=str(offset if bpm == 120 else bpm)):
        regular_grid(bpm, offset, 4)


def test_confidences_follow_their_beats() -> None:
    times = np.array([0.5, 1.0, 1.5, 2.0, 2.5])
    confidence = np.array([0.9, 0.1, 0.8, 0.3, 0.7])
    grid = BeatGrid(times, times[::4], 120.0, confidence=confidence)
    halved, doubled = grid.halved(), grid.doubled()
    assert halved.confidence is not None and doubled.confidence is not None
    assert halved.confidence.tolist() == [0.9, 0.8, 0.7]
    assert doubled.confidence[::2].tolist() == confidence.tolist()
    assert doubled.confidence[1] == pytest.approx(0.5)
    assert grid.song_confidence == pytest.approx(confidence.mean())
    assert BeatGrid(times, times[::4], 120.0).song_confidence == 1.0
    assert assumed_grid(3.0).song_confidence == 0.0
    with pytest.raises(ValueError, match="5 beats"):
        BeatGrid(times, times[::4], 120.0, confidence=confidence[:3])


@pytest.mark.parametrize(
    ("downbeats", "numbers"),
    [
        ([0, 4], [1, 2, 3, 4, 1, 2, 3]),
        ([2, 5], [2, 3, 1, 2, 3, 1, 2]),
        ([1, 5], [4, 1, 2, 3, 4, 1, 2]),
        ([3, 5, 6], [2, 3, 4, 1, 2, 1, 1]),
        ([4], [2, 3, 4, 5, 1, 2, 3]),
        ([], [2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_beats_have_numbers_in_their_bars(downbeats: list[int], numbers: list[int]) -> None:
    times = 0.1 + 0.5 * np.arange(7)
    assert BeatGrid(times, times[downbeats], 120.0).bar_numbers().tolist() == numbers


def test_a_downbeat_is_a_beat_within_the_rounding_of_files() -> None:
    grid = BeatGrid(np.array([0.5, 1.0, 1.5]), np.array([1.5004, 0.4996, 1.01]), 120.0)
    assert grid.is_downbeat().tolist() == [True, False, True]


@pytest.mark.parametrize("meter", [2, 3, 5, 12])
def test_another_meter_keeps_the_beats_and_as_many_downbeats_as_it_can(meter: int) -> None:
    grid = regular_grid(120, 0.3, 20, 4).in_meter(meter)
    downbeats = np.flatnonzero(grid.is_downbeat())
    assert (np.diff(downbeats) == meter).all() and downbeats[0] < meter
    assert np.array_equal(grid.times, regular_grid(120, 0.3, 20).times)
    times = 0.3 + 0.5 * np.arange(24)
    assert (
        BeatGrid(times, times[2::3], 120.0).in_meter(3).downbeats.tolist() == times[2::3].tolist()
    )


@pytest.mark.parametrize("fps", [12, 24, 29.97, 60])
def test_the_pulse_is_1_on_every_beat_and_falls_until_the_next(fps: float) -> None:
    grid = regular_grid(97, 0.31, 20)
    frames = round(18 * fps)
    curve, on = beat_pulse(grid, 1.0, frames, fps), beat_frames(grid, 1.0, frames, fps).ids == 1
    assert (curve.pulse[on] == 1).all() and (curve.phase[on] == 0).all()
    assert ((curve.pulse >= 0) & (curve.pulse <= 1)).all() and not on[curve.pulse.argmin()]
    inner = ~on[1:] & ~on[:-1]
    assert (np.diff(curve.pulse)[inner] < 0).all() and (np.diff(curve.phase)[inner] > 0).all()


def test_the_pulse_rests_without_a_beat() -> None:
    times = np.concatenate([2 + 0.5 * np.arange(8), 12 + 0.5 * np.arange(8)])
    curve = beat_pulse(BeatGrid(times, times[::4], 120.0), 0.0, 20 * 24, 24)
    quiet = np.r_[0 : 2 * 24 - 1, round(6.6 * 24) : 12 * 24 - 1, round(16.1 * 24) : 20 * 24]
    assert (curve.pulse[quiet] == 0).all() and (curve.phase[quiet] == 1).all()
    assert curve.pulse[2 * 24 : 3 * 24].max() == 1
    assert not beat_pulse(assumed_grid(10.0), 0.0, 240, 24).pulse.any()


@pytest.mark.parametrize(
    ("intervals", "tempo"),
    [
        ([0.5, 0.51, 0.49, 0.5], 120.0),
        ([0.5, 0.5, 9.0, 0.5], 120.0),  # a break
        ([0.5, 1.0], 80.0),  # no interval is near the median
    ],
)
def test_the_tempo_is_that_of_most_intervals(intervals: list[float], tempo: float) -> None:
    times = np.r_[0.3, 0.3 + np.cumsum(intervals)]
    assert steady_tempo(times) == pytest.approx(tempo)


def test_halved_waltzes_keep_only_downbeats_that_are_beats() -> None:
    waltz = regular_grid(180, 0.2, 12.0, meter=3)
    halved = waltz.halved()
    assert len(halved.downbeats) and set(halved.downbeats) <= set(halved.times)
    assert np.allclose(np.diff(halved.downbeats), 2.0)


def test_downbeats_are_jittered_with_their_beats() -> None:
    grid = regular_grid(120, 0.3, 20.0)
    jittered = grid.jittered(np.random.default_rng(0), 0.05)
    assert (jittered.is_downbeat() == grid.is_downbeat()).all()
    assert set(jittered.downbeats) <= set(jittered.times)


@pytest.mark.parametrize("decay", DECAYS)
def test_every_decay_falls_from_1_on_a_beat_to_0(decay: str) -> None:
    phase = np.linspace(0, 1, 101)
    values = decayed(phase, decay)
    assert values[0] == 1 and values[-1] == pytest.approx(0) and (np.diff(values) <= 1e-12).all()
    grid = regular_grid(120, 0.25, 10.0)
    pulse = beat_pulse(grid, 0.0, 48, 24, decay).pulse
    assert pulse[6] == 1 and pulse[18] == 1 and not pulse[:6].any()
    with pytest.raises(InputError, match="no decay 'sawtooth': it is one of quadratic, linear"):
        decayed(phase, "sawtooth")
