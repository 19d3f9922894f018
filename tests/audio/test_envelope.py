"""Envelope and onsets of a song."""

from __future__ import annotations

import numpy as np

from musedance_core.audio.envelope import onsets, peaks
from musedance_core.audio.waveform import Waveform

RATE = 44_100


def bursts(times: np.ndarray, seconds: float) -> Waveform:
    """Bursts of decaying noise at `times`."""
    random = np.random.default_rng(0)
    samples = np.zeros((1, round(seconds * RATE)), dtype=np.float32)
    fading = np.exp(-np.arange(RATE // 4) / (0.05 * RATE))
    for time in times:
        burst = 0.3 * fading * random.standard_normal(len(fading))
        piece = samples[0, round(time * RATE) :][: len(burst)]
        piece += burst[: len(piece)].astype(np.float32)
    return Waveform(samples, RATE)


def test_onsets_are_the_beginnings_of_sounds() -> None:
    times = np.arange(0.5, 9.5, 0.37)
    found = onsets(bursts(times, 10.0))
    assert len(found) == len(times)
    assert np.abs(found - times).max() < 0.01


def test_silence_has_no_onsets() -> None:
    assert len(onsets(bursts(np.array([]), 2.0))) == 0


def test_peaks_are_the_maxima_of_equal_parts() -> None:
    song = Waveform(np.array([[0.1, -0.4, 0.2, 0.0], [0.0, 0.1, -0.8, 0.1]], np.float32), RATE)
    assert np.allclose(peaks(song, 2), [0.5, 1.0])
    assert np.allclose(peaks(song, 4), [0.125, 0.5, 1.0, 0.125])
    assert (peaks(bursts(np.array([]), 1.0), 8) == 0).all()
