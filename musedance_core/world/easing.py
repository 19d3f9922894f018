"""The course of a motion between two beats."""

from __future__ import annotations

from math import pi

import numpy as np


def ease(progress: np.ndarray, smoothness: np.ndarray | float) -> np.ndarray:
    """Progress 0..1 from one beat's pose to the next, at `progress` 0..1 of the beat.

    The speed is a half sine for smooth music (smoothness 1) and its cube for sharp music
    (smoothness 0): zero on both beats, highest halfway, no other extremum in between.
    """
    cosine = np.cos(pi * progress)
    smooth = 0.5 - 0.5 * cosine
    sharp = 0.5 - 0.75 * cosine + 0.25 * cosine**3
    return np.asarray(smoothness * smooth + (1 - smoothness) * sharp)


def ease_between_beats(
    before: np.ndarray, after: np.ndarray, count: np.ndarray, smoothness: np.ndarray | float
) -> np.ndarray:
    """Interpolates per-beat values at frames `[f]` with the same easing as the motion."""
    way = ease(count - np.floor(count), smoothness)
    return np.asarray(before + (after - before) * way)
