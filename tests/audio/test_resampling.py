"""Resampling equals SciPy's polyphase filter at every ratio and length."""

from __future__ import annotations

from math import gcd

import numpy as np
import pytest

from musedance_core.audio.resampling import resample

RATES = [(44_100, 16_000), (48_000, 16_000), (44_100, 22_050), (8_000, 44_100)]
RARE = [(47_999, 16_000), (16_000, 47_999), (768_000, 16_000), (22_050, 22_051)]


@pytest.mark.parametrize(("rate", "new_rate"), RATES + RARE)
@pytest.mark.parametrize("length", [1, 63, 4_000, 50_001])
def test_it_equals_scipy(rate: int, new_rate: int, length: int) -> None:
    from scipy.signal import resample_poly

    sound = np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)
    divisor = gcd(rate, new_rate)
    truth = resample_poly(sound, new_rate // divisor, rate // divisor, axis=1)
    ours = resample(sound, rate, new_rate)
    assert ours.dtype == np.float32 and ours.shape == truth.shape
    assert np.abs(ours - truth).max() < 2e-6


def test_no_sound_stays_no_sound() -> None:
    assert resample(np.zeros((2, 0), np.float32), 44_100, 16_000).shape == (2, 0)


def test_a_tone_keeps_its_phase_and_one_above_the_new_range_disappears() -> None:
    before, after = np.arange(44_100) / 44_100, np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * f * before, dtype=np.float32)[None] for f in (440, 12_000))
    inner = slice(1_000, -1_000)
    kept = resample(low, 44_100, 16_000)[0, inner]
    assert np.abs(kept - np.sin(2 * np.pi * 440 * after)[inner]).max() < 5e-3
    assert np.abs(resample(high, 44_100, 16_000)[0, inner]).max() < 5e-3
