"""What of a song is drawn and grasped: its envelope, and where sounds begin."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks

from .mel import HOP, RATE, WINDOW, song_log_mel
from .waveform import Waveform

BANDS = 40
QUIET = math.log(1e-4)
"""Log-mel power below which a band counts as silent: breathing and hiss begin no sound."""
APART = 0.05
"""Seconds between two onsets at least."""


def peaks(wave: Waveform, count: int) -> np.ndarray:
    """The largest amplitude in each of `count` equal parts, the largest of all being 1."""
    loud = np.abs(wave.samples).max(axis=0)
    edges = np.linspace(0, len(loud), count + 1).astype(int)
    found = np.array([loud[a : max(b, a + 1)].max() for a, b in pairwise(edges)])
    return np.asarray(found / max(float(found.max()), 1e-9))


def onsets(wave: Waveform) -> np.ndarray:
    """Seconds at which sounds begin: where the bands' loudness rises most, rising."""
    mel = song_log_mel(wave, BANDS).numpy()
    rise = np.maximum(np.diff(np.maximum(mel, QUIET), axis=0), 0).mean(axis=1)
    found, _ = find_peaks(rise, prominence=2 * rise.mean(), distance=round(APART * RATE / HOP))
    # The rise from window t to t + 1 is of a sound that begins near the end of window t + 1.
    times: np.ndarray = ((found + 1) * HOP + WINDOW * 0.75) / RATE
    return times
