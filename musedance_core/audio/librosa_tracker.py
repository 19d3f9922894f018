"""Beat tracking with librosa (section 3.3)."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .beats import BEATS_PER_BAR, BeatGrid, assumed_grid, steady_tempo
from .mel import song_log_mel
from .silence import in_sound
from .waveform import Waveform

TRACKING_RATE = 22050
"""Sample rate in Hz that librosa's tracker is tuned for; at 16 kHz it misses many more beats."""
DETECTION_LAG = 0.025
"""Seconds by which librosa's onset strength peaks after the onset."""
MEL_BINS = 64
"""Bands of the spectrogram in which silence is looked for."""


def track_beats_with_librosa(
    wave: Waveform, bpm: float | None = None, meter: int | None = None
) -> BeatGrid:
    """Track the beats of a whole song: those of `librosa.beat.beat_track`, corrected for its lag.

    Beats in silence are left out. Every `meter`-th beat is a downbeat, in the phase with the
    strongest onsets. A song without a pulse gets an even grid at `bpm`, or at 120 BPM, which is
    marked as `assumed`.

    Args:
        wave: the whole song.
        bpm: the tempo where it is known; None estimates it.
        meter: beats a bar; None means 4, because librosa finds no bars.

    Raises:
        InputError: librosa is not installed.
    """
    try:
        import librosa
    except ImportError as error:
        raise InputError("Beat tracking needs librosa: pip install librosa.") from error

    sound = wave.mono().resampled(TRACKING_RATE).samples[0]
    # The same envelope that beat_track computes from samples. The default aggregate of
    # onset_strength, the mean, lets low drums outweigh the pulse.
    onset = librosa.onset.onset_strength(y=sound, sr=TRACKING_RATE, aggregate=np.median)
    _, frames = librosa.beat.beat_track(onset_envelope=onset, sr=TRACKING_RATE, bpm=bpm, trim=False)
    times = librosa.frames_to_time(frames, sr=TRACKING_RATE) - DETECTION_LAG

    # It goes on in its tempo where nothing is heard.
    heard = in_sound(times, song_log_mel(wave, MEL_BINS))
    times, frames = times[heard], frames[heard]
    if len(times) < 2:
        return assumed_grid(wave.seconds, bpm, meter)

    bar = meter or BEATS_PER_BAR
    strength = onset[np.clip(frames, 0, len(onset) - 1)]
    phase = max(range(bar), key=lambda p: _mean(strength[p::bar]))
    return BeatGrid(times, times[phase::bar], steady_tempo(times))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
