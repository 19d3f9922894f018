"""Beats by the network Beat This!, for those who have its package and one of its checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from .beats import BeatGrid, regular_grid
from .waveform import Waveform

UNREADABLE = (
    torch.serialization.pickle.UnpicklingError,  # type: ignore[attr-defined]
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    OSError,
)
"""What its package raises at a file that is no checkpoint of its own, or more than weights."""


def track_beats_with_beat_this(wave: Waveform, checkpoint: str | Path) -> BeatGrid:
    """Beats and downbeats of a whole song by a checkpoint file of Beat This! (arXiv 2407.21658).

    Only a local file is taken, and its package reads it as plain weights: nothing is downloaded and
    nothing in it is run. A song without any pulse gets an even grid at 120 BPM.

    Raises:
        InputError: the package is not installed, or there is no such file, or it does not fit.
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
        return regular_grid(120.0, 0.0, wave.seconds)
    tempo = 60 / float(np.median(np.diff(times)))
    return BeatGrid(times, np.asarray(downbeats, dtype=np.float64), tempo)
