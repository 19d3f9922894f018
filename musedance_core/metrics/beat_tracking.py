"""The F-measure of beat tracking."""

from __future__ import annotations

import numpy as np

TOLERANCE = 0.07
"""Seconds within which a tracked beat counts as right."""


def beat_f_measure(truth: np.ndarray, tracked: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """F-measure of `tracked` against `truth`, rising times in seconds; each beat matches once.

    It is 1 if neither has any beat.
    """
    if len(truth) + len(tracked) == 0:
        return 1.0
    hits, i, j = 0, 0, 0
    while i < len(truth) and j < len(tracked):
        if abs(truth[i] - tracked[j]) <= tolerance:
            hits, i, j = hits + 1, i + 1, j + 1
        elif truth[i] < tracked[j]:
            i += 1
        else:
            j += 1
    return 2 * hits / (len(truth) + len(tracked))
