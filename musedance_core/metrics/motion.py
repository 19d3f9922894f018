"""When a video moves: motion energy, and the moments at which the motion rests."""

from __future__ import annotations

import numpy as np
from scipy.signal import find_peaks
from torch import Tensor

PROMINENCE = 0.1
"""A dip in the energy counts from this share of the energy's spread on."""
STILL = 0.25 / 255
"""Mean difference of two frames below which nothing moves: a fraction of one grey level."""


def motion_energy(frames: Tensor) -> np.ndarray:
    """Mean absolute difference of neighbouring frames of `[f 3 h w]`, `[f-1]` in 0..1.

    Entry i belongs to the moment (i + 1/2) / fps, halfway between its two frames.
    """
    pairs = zip(frames[1:], frames[:-1], strict=True)
    return np.array([float((after - before).abs().mean()) for after, before in pairs])


def energy_times(energy: np.ndarray, fps: float) -> np.ndarray:
    """Seconds from the first frame to which the entries of `motion_energy` belong."""
    return (np.arange(len(energy)) + 0.5) / fps


def motion_beats(energy: np.ndarray, fps: float) -> np.ndarray:
    """Seconds from the first frame at which the motion rests: the local minima of its energy.

    A minimum lies where the parabola through the lowest entry and its neighbours does; a flat one
    in its middle. Dips of less than `PROMINENCE` of the energy's spread are noise.
    """
    low, high = np.percentile(energy, (5, 95))
    if high < STILL:
        return np.zeros(0)
    lowest, _ = find_peaks(-energy, prominence=max(PROMINENCE * (high - low), 1e-9))
    before, at, after = energy[lowest - 1], energy[lowest], energy[lowest + 1]
    bend = before - 2 * at + after
    shift = np.where(bend > 0, (before - after) / (2 * np.where(bend > 0, bend, 1)), 0)
    return np.asarray((lowest + 0.5 + shift.clip(-0.5, 0.5)) / fps)


def visible_window(frames: int, fps: float) -> tuple[float, float]:
    """First and last second at which `motion_beats` can find a minimum in `frames` frames."""
    return 1 / fps, (frames - 2) / fps
