"""Motion energy of a video, and its motion beats: the moments at which the motion rests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

PROMINENCE = 0.1
"""Minimum prominence of a motion beat, as a share of the energy's range."""
STILL = 0.25 / 255
"""Mean frame difference below which a video is static: a fraction of one grey level."""


def motion_energy(frames: Tensor) -> np.ndarray:
    """Returns the mean absolute difference of neighbouring frames of `[f c h w]`, `[f-1]` in 0..1.

    Frames are grey, RGB, or straight RGBA, in which colours count as far as they are seen. Entry i
    belongs to the time (i + 1/2) / fps, halfway between its two frames.
    """
    pairs = pairwise(_premultiplied(frame) for frame in frames)
    return np.array([float((after - before).abs().mean()) for before, after in pairs])


def _premultiplied(frame: Tensor) -> Tensor:
    """A frame `[c h w]` with its colours weighted by its alpha, if it has any."""
    if len(frame) != 4:
        return frame
    return torch.cat([frame[:3] * frame[3:], frame[3:]])


def energy_times(energy: np.ndarray, fps: float) -> np.ndarray:
    """Returns the times of the entries of `motion_energy`, in seconds from the first frame."""
    return (np.arange(len(energy)) + 0.5) / fps


def motion_beats(energy: np.ndarray, fps: float) -> np.ndarray:
    """Returns the local minima of the motion energy, in seconds from the first frame.

    Minima are refined by a parabola through the lowest entry and its neighbours. Those shallower
    than `PROMINENCE` of the energy's range are noise.
    """
    from scipy.signal import find_peaks

    low, high = np.percentile(energy, (5, 95))
    if high < STILL:
        return np.zeros(0)
    lowest, _ = find_peaks(-energy, prominence=max(PROMINENCE * (high - low), 1e-9))
    before, at, after = energy[lowest - 1], energy[lowest], energy[lowest + 1]
    bend = before - 2 * at + after
    shift = np.where(bend > 0, (before - after) / (2 * np.where(bend > 0, bend, 1)), 0)
    return np.asarray((lowest + 0.5 + shift.clip(-0.5, 0.5)) / fps)


def visible_window(frames: int, fps: float) -> tuple[float, float]:
    """Returns the first and last time at which `motion_beats` can find a minimum."""
    return 1 / fps, (frames - 2) / fps
