"""The decoder: beats and bars from activations."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.audio.beat_decoder import DecoderConfig, decode_beats, decode_meter

RATE = 50.0


def activation(times: np.ndarray, seconds: float, height: float = 0.8) -> np.ndarray:
    """Probabilities with peaks at `times` over a little noise."""
    rng = np.random.default_rng(0)
    p = 0.02 + 0.03 * rng.random(round(seconds * RATE))
    frames = np.round(times * RATE).astype(int)
    for offset, value in ((-1, 0.4), (1, 0.4), (0, 1.0)):
        p[frames + offset] = np.maximum(p[frames + offset], value * height)
    return p


def found(times: np.ndarray, beats: np.ndarray) -> float:
    """Share of `times` with a decoded beat within 30 ms."""
    return float((np.abs(times[:, None] - beats / RATE).min(axis=1) < 0.03).mean())


@pytest.mark.parametrize("bpm", [60.0, 97.3, 120.0, 171.4, 188.0])
def test_steady_beats_are_found_at_any_tempo(bpm: float) -> None:
    times = np.arange(0.6, 39.5, 60 / bpm)
    beats = decode_beats(activation(times, 40), RATE)
    assert len(beats) == len(times) and found(times, beats) == 1


def test_weaker_off_beats_do_not_double_the_tempo() -> None:
    times = np.arange(0.6, 39, 0.6)
    p = np.maximum(activation(times, 40), activation(times + 0.3, 40, 0.35))
    assert len(decode_beats(p, RATE)) == len(times)


def test_missing_beats_are_bridged() -> None:
    times = np.arange(0.6, 39, 0.5)
    beats = decode_beats(activation(np.delete(times, [20, 21, 40]), 40), RATE)
    assert len(beats) == len(times) and found(times, beats) == 1


def test_a_change_of_tempo_is_followed() -> None:
    times = np.r_[np.arange(0.6, 20, 0.6), np.arange(20.1, 39, 60 / 140)]
    beats = decode_beats(activation(times, 40), RATE)
    # It may take a few beats to follow.
    assert found(times[times < 20], beats) == 1 and found(times[times > 22.5], beats) == 1
    assert abs(len(beats) - len(times)) <= 3


def test_a_drifting_tempo_is_followed() -> None:
    times = 0.6 + np.cumsum(np.linspace(0.62, 0.45, 60))
    beats = decode_beats(activation(times, 34), RATE)
    assert len(beats) == len(times) and found(times, beats) == 1


def test_silence_in_the_middle_has_no_beats() -> None:
    times = np.r_[np.arange(0.6, 12, 0.5), np.arange(22.2, 34, 0.5)]
    beats = decode_beats(activation(times, 35), RATE) / RATE
    assert not ((beats > 12.5) & (beats < 21.7)).any()
    assert found(times, beats * RATE) == 1


@pytest.mark.parametrize("level", [0.0, 0.03])
def test_no_pulse_has_no_beats(level: float) -> None:
    assert len(decode_beats(np.full(2000, level), RATE)) == 0
    assert len(decode_beats(np.zeros(0), RATE)) == 0


def test_a_given_tempo_decides() -> None:
    times = np.arange(0.6, 39, 0.5)
    beats = decode_beats(activation(times, 40), RATE, tempi=(56, 64))
    assert abs(np.median(np.diff(beats)) / RATE - 1.0) < 0.03


@pytest.mark.parametrize("tempi", [None, (376, 424)])
def test_beats_never_meet_even_where_pauses_are_free(tempi: tuple[float, float] | None) -> None:
    p = np.random.default_rng(0).random(600)
    beats = decode_beats(p, RATE, tempi, DecoderConfig(pause=0.0))
    assert len(beats) > 20 and np.diff(beats).min() >= 2 * DecoderConfig.guard + 1


@pytest.mark.parametrize("frames", [1, 2, 5, 30])
def test_a_moment_of_sound_is_decoded(frames: int) -> None:
    for level in (0.0, 0.5, 1.0):
        beats = decode_beats(np.full(frames, level), RATE)
        assert ((beats >= 0) & (beats < frames)).all()


@pytest.mark.parametrize("meter", [2, 3, 4])
def test_bars_of_each_meter(meter: int) -> None:
    p = np.where(np.arange(48) % meter == 1, 0.8, 0.1)
    places = decode_meter(p)
    assert (np.flatnonzero(places == 0) % meter == 1).all()
    assert (places == 0).sum() == (p > 0.5).sum()


def test_the_meter_may_change() -> None:
    p = np.array([0.8, 0.1, 0.1] * 8 + [0.8, 0.1, 0.1, 0.1] * 8)
    assert (np.flatnonzero(decode_meter(p) == 0) == np.flatnonzero(p > 0.5)).all()


def test_a_given_meter_decides() -> None:
    p = np.array([0.8, 0.1, 0.1, 0.1] * 10)
    assert (np.diff(np.flatnonzero(decode_meter(p, 5) == 0)) == 5).mean() > 0.5
    assert len(decode_meter(np.zeros(0))) == 0
