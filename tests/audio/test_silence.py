"""Silence in songs, and the rests that it gives a dancer."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import torch

from musedance_core.audio.beat_files import usual_tempo
from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.librosa_tracker import track_beats_with_librosa
from musedance_core.audio.mel import song_log_mel
from musedance_core.audio.silence import LIMITS, find_rests, find_silences, in_sound
from musedance_core.audio.waveform import Waveform

RATE = 16_000


def song(*parts: tuple[float, float], noise: float = 0.0, bpm: float = 120.0) -> Waveform:
    """Clicks and a chord, in parts of so many seconds and such a level in dB, over noise."""
    rng = np.random.default_rng(0)
    pieces = []
    for seconds, level in parts:
        t = np.arange(round(seconds * RATE)) / RATE
        click = np.exp(-(t % (60 / bpm)) * 60) * rng.standard_normal(len(t))
        chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (220, 277, 330))
        pieces.append(10 ** (level / 20) * (0.2 * click + 0.03 * chord))
    samples = np.concatenate(pieces)
    samples += 10 ** (noise / 20) * 0.1 * rng.standard_normal(len(samples)) if noise else 0.0
    return Waveform(samples[None].astype(np.float32), RATE)


def silences(wave: Waveform) -> list[tuple[float, float]]:
    return find_silences(song_log_mel(wave, 64))


QUIET = -300.0


def test_silence_is_found_in_front_in_breaks_and_at_the_end() -> None:
    wave = song((12, QUIET), (6, 0), (3, QUIET), (6, 0), (2.5, QUIET))
    (begin, first), (pause, again), (last, end) = silences(wave)
    assert begin == -inf and end == inf
    assert (first, pause, again, last) == pytest.approx((12, 18, 21, 27), abs=0.03)


def test_short_pauses_and_soft_music_are_no_silence() -> None:
    assert silences(song((5, 0), (LIMITS.shortest - 0.1, QUIET), (5, 0))) == []
    assert silences(song((8, -35), (8, 0), (8, -40))) == []


@pytest.mark.parametrize("gain", [0.001, 1.0])
def test_hiss_far_below_the_music_is_silence_at_any_level(gain: float) -> None:
    wave = song((4, QUIET), (8, 0), noise=-75)
    louder = Waveform(wave.samples * np.float32(gain), RATE)
    assert [round(end) for _, end in silences(louder)] == [4]
    assert silences(song((4, QUIET), (8, 0), noise=-20)) == []


def test_a_short_piece_of_music_in_a_long_silence_is_no_silence() -> None:
    (_, begin), (end, _) = silences(song((60, QUIET), (3, 0), (60, QUIET)))
    assert (begin, end) == pytest.approx((60, 63), abs=0.03)


def rests(wave: Waveform, times: np.ndarray) -> list[tuple[float, float]]:
    grid = BeatGrid(times, times[::4], usual_tempo(times))
    return find_rests(song_log_mel(wave, 64), grid)


def test_a_dancer_rests_where_there_is_neither_sound_nor_beat() -> None:
    wave = song((12, QUIET), (8, 0))
    (begin, end), *others = rests(wave, np.arange(12.0, 20, 0.5))
    assert begin == -inf and end == pytest.approx(12, abs=0.03) and not others


def test_beats_that_a_person_has_set_in_silence_are_danced() -> None:
    wave = song((12, QUIET), (8, 0))
    assert rests(wave, np.arange(0.1, 20, 0.5)) == []
    assert rests(wave, np.arange(0.1, 20, 3.0)) == [], "slow beats are beats"
    times = np.concatenate([np.arange(4.0, 8.1, 0.5), np.arange(12.0, 20, 0.5)])
    first, second, *others = rests(wave, times)
    assert first == (-inf, 4.0) and not others
    assert second == pytest.approx((8.0, 12.0), abs=0.03)


def test_librosa_s_beats_are_in_sound() -> None:
    wave = song((8, QUIET), (8, 0), (5, QUIET), (8, 0))
    times = track_beats_with_librosa(wave).times
    off = (times + 0.25) % 0.5 - 0.25
    assert len(times) >= 28 and np.abs(off).max() < 0.05
    assert all(7.9 < t < 16.1 or 20.9 < t < 29.1 for t in times)
    assert np.abs(times - 8).min() < 0.05 and np.abs(times - 21).min() < 0.05


def test_a_beat_at_the_edge_of_silence_belongs_to_the_sound() -> None:
    mel = song_log_mel(song((4, QUIET), (8, 0), (4, QUIET)), 64)
    found = in_sound(np.array([0.0, 3.8, 3.97, 4.0, 8.0, 12.0, 12.03, 12.2, 16.5]), mel)
    assert found.tolist() == [False, False, True, True, True, True, True, False, False]


def test_even_noise_is_no_silence() -> None:
    assert find_silences(torch.randn(500, 64, generator=torch.Generator().manual_seed(0))) == []
