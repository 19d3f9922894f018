"""Beat grids, what they say per frame, and the files people edit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from musedance_core.audio.beats import (
    BeatGrid,
    beat_frames,
    read_beats,
    regular_grid,
    whole_beats,
    write_beats,
)
from musedance_core.audio.tracker import track_beats
from musedance_core.audio.waveform import Waveform
from musedance_core.errors import InputError

UNEVEN = BeatGrid(np.array([0.5, 1.0, 1.75, 2.25]), np.array([0.5]), 100.0)


def clicks(bpm: float, offset: float, seconds: float, rate: int = 44_100) -> Waveform:
    """Short bursts of noise on every beat, the first of four louder."""
    rng = np.random.default_rng(0)
    samples = 1e-3 * rng.standard_normal(round(seconds * rate))
    burst = np.exp(-np.arange(rate // 20) / (rate / 100)) * rng.standard_normal(rate // 20)
    for i, at in enumerate(np.arange(offset, seconds - 0.1, 60 / bpm)):
        first = round(at * rate)
        samples[first : first + len(burst)] += burst * (0.3 if i % 4 == 0 else 0.1)
    return Waveform(samples[None].astype(np.float32), rate)


def test_count_is_whole_on_beats_linear_between_and_goes_on_outside() -> None:
    assert np.allclose(UNEVEN.count(UNEVEN.times), [0, 1, 2, 3])
    assert np.allclose(UNEVEN.count(np.array([0.75, 1.375])), [0.5, 1.5])
    assert np.allclose(UNEVEN.count(np.array([0.0, 2.75])), [-1, 4])


@pytest.mark.parametrize("phase", [0, 1, 2, 3])
def test_half_of_the_beats_are_those_with_the_downbeats(phase: int) -> None:
    times = 0.25 + 0.5 * np.arange(12)
    grid = BeatGrid(times, times[phase::4], 120.0)
    assert set(grid.downbeats) <= set(grid.halved().times) and len(grid.halved().times) == 6


def test_a_byte_order_mark_is_no_part_of_the_beats(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    path.write_text(json.dumps({"title": "さくら", "beats": [0, 1, 2]}), encoding="utf-8-sig")
    assert read_beats(path).times.tolist() == [0, 1, 2]


def test_edits() -> None:
    assert np.allclose(UNEVEN.shifted(-0.2).times, UNEVEN.times - 0.2)
    assert np.allclose(UNEVEN.halved().times, [0.5, 1.75]) and UNEVEN.halved().tempo == 50
    assert np.allclose(UNEVEN.doubled().times, [0.5, 0.75, 1, 1.375, 1.75, 2, 2.25])
    moved = UNEVEN.jittered(np.random.default_rng(0), 0.04).times - UNEVEN.times
    assert 0 < np.abs(moved).max() <= 0.04


def test_jitter_never_swaps_beats() -> None:
    close = BeatGrid(np.arange(20) * 0.05, np.array([]), 1200.0)
    times = close.jittered(np.random.default_rng(0), 1.0).times
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("times", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan]])
def test_impossible_grids_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="beat"):
        BeatGrid(np.array(times), np.array([]), 100.0)


def test_a_beat_falls_on_the_nearest_frame() -> None:
    got = beat_frames(UNEVEN, start=0.5, frames=24, fps=12)
    assert np.flatnonzero(got.ids).tolist() == [0, 6, 15, 21]
    assert np.allclose(got.count[[0, 6, 15]], [0, 1, 2])


@pytest.mark.parametrize("cut", [1, 6, 7, 20])
def test_frames_in_two_parts_are_those_in_one(cut: int) -> None:
    whole = beat_frames(UNEVEN, 0.31, 30, 12)
    parts = [beat_frames(UNEVEN, 0.31, cut, 12), beat_frames(UNEVEN, 0.31, 30 - cut, 12, first=cut)]
    assert np.array_equal(whole.ids, np.concatenate([p.ids for p in parts]))
    assert np.allclose(whole.count, np.concatenate([p.count for p in parts]))


def test_a_loop_goes_from_the_first_beat_over_whole_pairs_of_beats() -> None:
    grid = regular_grid(120, 0.25, 20)
    assert whole_beats(grid, 0.0, 48, 12) == range(3, 39)
    assert whole_beats(grid, 0.25, 48, 12) == range(0, 48)
    assert whole_beats(grid, 5.0, 40, 12) == range(3, 39)
    assert whole_beats(grid, 0.25, 48, 12, even=8) == range(0, 48)


def test_a_loop_repeats_on_the_beat_at_odd_tempi() -> None:
    grid = regular_grid(97, 0.11, 40)
    kept = whole_beats(grid, 3.0, 200, 12)
    ends = grid.count(3.0 + np.array([kept.start, kept.stop]) / 12)
    assert np.abs(ends - ends.round()).max() < 0.5 / 12 * 97 / 60 + 1e-9
    assert round(ends[1] - ends[0]) % 2 == 0 and len(kept) > 200 - 3 * 12 * 60 / 97


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


@pytest.mark.parametrize("bpm", [84.0, 120.0, 157.0])
def test_clicks_are_heard_where_they_are(bpm: float) -> None:
    grid = track_beats(clicks(bpm, 0.4, 20.0), bpm)
    inner = grid.times[(grid.times > 1) & (grid.times < 19)]
    off = (inner - 0.4 + 30 / bpm) % (60 / bpm) - 30 / bpm
    assert np.abs(off).max() < 0.03 and abs(np.median(off)) < 0.015
    assert grid.tempo == pytest.approx(bpm, rel=0.01)
    assert len(inner) == pytest.approx(18 * bpm / 60, abs=1)


def test_the_loudest_of_four_is_the_downbeat() -> None:
    grid = track_beats(clicks(120, 0.5, 16.0), 120)
    away = (grid.downbeats[1:-1] - 0.5 + 1) % 2 - 1
    assert np.abs(away).max() < 0.05


def test_sound_without_a_pulse_gets_an_even_grid() -> None:
    grid = track_beats(Waveform(np.zeros((1, 22_050 * 3), np.float32), 22_050))
    assert grid.tempo == 120 and np.allclose(np.diff(grid.times), 0.5)


def test_without_librosa_one_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(InputError, match="pip install librosa"):
        track_beats(Waveform(np.ones((1, 22_050), np.float32), 22_050))


def test_files_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    write_beats(path, UNEVEN)
    assert set(json.loads(path.read_text())) == {"tempo", "beats", "downbeats"}
    back = read_beats(path)
    assert np.array_equal(back.times, UNEVEN.times) and back.tempo == UNEVEN.tempo
    assert np.array_equal(back.downbeats, UNEVEN.downbeats)


def test_a_bare_list_of_beats_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    for text in ('{"beats": [0, 0.5, 1, 1.5, 2]}', "[0, 0.5, 1, 1.5, 2]"):
        path.write_text(text)
        grid = read_beats(path)
        assert grid.tempo == 120 and grid.downbeats.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("no json", "JSON"),
        ('"beats"', "JSON"),
        ('{"beats": "often"}', "JSON"),
        ('{"beats": [[1, 2], [3, 4]]}', "4 beats"),
        ('{"beats": [1]}', "two are needed"),
        ('{"beats": [0, 2, 1]}', "2.0 comes before 1.0"),
        ('{"beats": [0, NaN, 1]}', "not a finite"),
        ('{"beats": [0, 1], "tempo": Infinity}', "not a finite"),
        ('{"beats": [0, 1], "downbeats": [NaN]}', "not a finite"),
    ],
)
def test_bad_files_are_said_in_one_sentence(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "beats.json"
    path.write_text(text)
    with pytest.raises(InputError, match=word) as error:
        read_beats(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json"):
        read_beats(tmp_path / "nowhere.json")
