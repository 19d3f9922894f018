"""Beat tracking with the neural network Beat This! (its own package and checkpoint)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from .beats import BeatGrid, assumed_grid
from .waveform import Waveform

UNREADABLE = (
    torch.serialization.pickle.UnpicklingError,  # type: ignore[attr-defined]
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    OSError,
)
"""Errors of its package for a file that is no checkpoint of its own, or holds more than weights."""


def track_beats_with_beat_this(wave: Waveform, checkpoint: str | Path) -> BeatGrid:
    """Beats and downbeats of a whole song by a checkpoint file of Beat This! (arXiv 2407.21658).

    Only a local file is accepted, and the package loads it as plain weights: nothing is downloaded
    and no code in the file runs. A song without a pulse gets an even grid at 120 BPM, which is
    marked as `assumed`.

    Raises:
        InputError: the package is not installed, or the file is missing or no such checkpoint.
    """
    path = Path(checkpoint)
    if not path.is_file():
        raise InputError(f"There is no checkpoint of Beat This! at {path}.")
    try:
        from beat_this.inference import Audio2Beats
    except ImportError as error:
        raise InputError("Beat This! is not installed: pip install beat_this.") from error
    try:
        track = Audio2Beats(checkpoint_path=str(path), device="cpu")
    except UNREADABLE as error:
        raise InputError(f"{path} is no checkpoint of Beat This!.") from error
    beats, downbeats = track(wave.mono().samples[0], wave.sample_rate)
    times = np.asarray(beats, dtype=np.float64)
    if len(times) < 2:
        return assumed_grid(wave.seconds)
    tempo = 60 / float(np.median(np.diff(times)))
    return BeatGrid(times, np.asarray(downbeats, dtype=np.float64), tempo)
