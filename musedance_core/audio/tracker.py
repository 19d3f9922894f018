"""Beat tracking with librosa."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .beats import BEATS_PER_BAR, BeatGrid, regular_grid
from .waveform import Waveform

TRACKING_RATE = 22050
"""librosa's own rate; at 16 kHz its tracker misses many more beats."""


DETECTION_LAG = 0.025
"""Seconds by which librosa's onset strength peaks late."""


def track_beats(wave: Waveform, bpm: float | None = None) -> BeatGrid:
    """Hear the beats of a whole song with librosa's tracker; `bpm` says the tempo if known.

    Downbeats are every fourth beat, in the phase whose onsets are strongest. A song without any
    audible pulse gets an even grid at 120 BPM.

    Raises:
        InputError: librosa is not installed.
    """
    try:
        import librosa
    except ImportError as error:
        raise InputError("Hearing beats needs librosa: pip install librosa.") from error

    sound = wave.mono().resampled(TRACKING_RATE).samples[0]
    onset = librosa.onset.onset_strength(y=sound, sr=TRACKING_RATE)
    _, frames = librosa.beat.beat_track(onset_envelope=onset, sr=TRACKING_RATE, bpm=bpm, trim=False)
    times = librosa.frames_to_time(frames, sr=TRACKING_RATE) - DETECTION_LAG
    if len(times) < 2:
        return regular_grid(bpm or 120.0, 0.0, wave.seconds)
    strength = onset[np.clip(frames, 0, len(onset) - 1)]
    intervals = np.diff(times)
    median = float(np.median(intervals))
    usual = intervals[np.abs(intervals / median - 1) < 0.15]
    tempo = 60 / (float(usual.mean()) if len(usual) else median)
    phase = max(range(BEATS_PER_BAR), key=lambda p: _mean(strength[p::BEATS_PER_BAR]))
    return BeatGrid(times, times[phase::BEATS_PER_BAR], tempo)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
