"""Bootstrap intervals of means over few clips."""

from __future__ import annotations

import numpy as np

ROUNDS = 1000
LEVELS = (2.5, 97.5)
"""Percentiles that bound a 95 % interval."""

Interval = tuple[float, float]


def mean_interval(values: np.ndarray, seed: int = 0, rounds: int = ROUNDS) -> Interval | None:
    """95 % bootstrap interval of the mean of `values` [n]; None for fewer than two.

    For differences of pairs it is the paired interval of the mean difference.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return None
    chosen = np.random.default_rng(seed).integers(len(values), size=(rounds, len(values)))
    low, high = np.percentile(values[chosen].mean(axis=1), LEVELS)
    return float(low), float(high)


def circular_mean(phases: np.ndarray) -> np.ndarray:
    """Mean direction in -0.5..0.5 of `phases` [... n], in turns."""
    return np.asarray(np.angle(np.exp(2j * np.pi * phases).mean(axis=-1)) / (2 * np.pi))


def circular_interval(phases: np.ndarray, seed: int = 0, rounds: int = ROUNDS) -> Interval | None:
    """95 % bootstrap interval of the circular mean of `phases` [n]; None for fewer than two.

    It is centred on the mean, so its ends may be beyond half a turn.
    """
    phases = np.asarray(phases, dtype=np.float64)
    if len(phases) < 2:
        return None
    chosen = np.random.default_rng(seed).integers(len(phases), size=(rounds, len(phases)))
    mean = float(circular_mean(phases))
    away = (circular_mean(phases[chosen]) - mean + 0.5) % 1 - 0.5
    low, high = np.percentile(away, LEVELS)
    return mean + float(low), mean + float(high)
