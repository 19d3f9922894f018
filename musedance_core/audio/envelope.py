"""Envelope and onsets of a song, for drawing it and for snapping beats to its sounds."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from .mel import HOP, RATE, WINDOW, song_log_mel
from .waveform import Waveform

BANDS = 40
SILENT_BAND = math.log(1e-4)
"""Log-mel power below which a band counts as silent: hiss and breathing are no onsets."""
MIN_DISTANCE = 0.05
"""Seconds between two onsets at least."""
PROMINENCE = 2.0
"""Prominence of an onset in the loudness flux, as a multiple of the mean flux."""


def peaks(wave: Waveform, count: int) -> np.ndarray:
    """Peak amplitude of each of `count` equal parts of a song, scaled to a maximum of 1."""
    amplitude = np.abs(wave.samples).max(axis=0)
    edges = np.linspace(0, len(amplitude), count + 1).astype(int)
    maxima = np.array([amplitude[a : max(b, a + 1)].max() for a, b in pairwise(edges)])
    return np.asarray(maxima / max(float(maxima.max()), 1e-9))


def onsets(wave: Waveform) -> np.ndarray:
    """Onset times in seconds, rising: the peaks of the loudness flux over all bands."""
    from scipy.signal import find_peaks

    mel = song_log_mel(wave, BANDS).numpy()
    flux = np.maximum(np.diff(np.maximum(mel, SILENT_BAND), axis=0), 0).mean(axis=1)
    frames, _ = find_peaks(
        flux, prominence=PROMINENCE * flux.mean(), distance=round(MIN_DISTANCE * RATE / HOP)
    )
    # The flux from window t to t + 1 is of a sound that begins near the end of window t + 1.
    times: np.ndarray = ((frames + 1) * HOP + WINDOW * 0.75) / RATE
    return times
