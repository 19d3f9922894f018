"""Intervals by resampling: how far a mean over few clips can be trusted."""

from __future__ import annotations

import numpy as np

ROUNDS = 1000
LEVELS = (2.5, 97.5)
"""Percentiles that bound a 95 % interval."""

Interval = tuple[float, float]


def mean_interval(values: np.ndarray, seed: int = 0, rounds: int = ROUNDS) -> Interval | None:
    """95 % bootstrap interval of the mean of `values` [n]; None for fewer than two.

    Given differences of pairs, it is the paired interval of the mean difference.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return None
    chosen = np.random.default_rng(seed).integers(len(values), size=(rounds, len(values)))
    low, high = np.percentile(values[chosen].mean(axis=1), LEVELS)
    return float(low), float(high)
