"""Fréchet distance between two sets of features, with a floor and an interval.

Between Gaussians with the sets' means and covariances the distance is
|mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^1/2). With A and B the centred features over
sqrt(n - 1), S_a = A^T A, so the last trace is the nuclear norm of A B^T. This is exact without a
matrix root, works with fewer samples than dimensions, and is 0 for identical sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bootstrap import LEVELS, Interval

SPLITS = 50
"""Random splits that the floor averages over."""
ROUNDS = 200
"""Bootstrap samples of the interval."""
FEWEST_TO_SPLIT = 4
"""Clips that a floor needs."""


@dataclass(frozen=True)
class Frechet:
    """A distance with its sample size, floor and interval.

    n: clips in each set. floor: the mean distance between random halves of the truth, the score of
    a perfect system with n / 2 clips; None below four. interval: 95 %, see `compare_features`.
    """

    value: float
    n: int
    floor: float | None
    interval: Interval


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance between features `a` [n d] and `b` [m d].

    Raises:
        ValueError: fewer than two samples in a set, or widths that differ.
    """
    if min(len(a), len(b)) < 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"features do not compare: {a.shape}, {b.shape}")
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    means = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    left, right = _root(a), _root(b)
    common = np.linalg.svd(left @ right.T, compute_uv=False).sum()
    spread = np.square(left).sum() + np.square(right).sum() - 2 * common
    return max(float(means + spread), 0.0)


def _root(features: np.ndarray) -> np.ndarray:
    """Returns R with R^T R the covariance of `features` [n d] and at most d rows."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return np.asarray(centred)
    return np.asarray(np.linalg.qr(centred, mode="r"))


def frechet_floor(truth: np.ndarray, seed: int = 0, splits: int = SPLITS) -> float | None:
    """Mean distance between two random halves of `truth` [n d]; None for fewer than four."""
    if len(truth) < FEWEST_TO_SPLIT:
        return None
    rng, half = np.random.default_rng(seed), len(truth) // 2
    orders = [rng.permutation(len(truth)) for _ in range(splits)]
    parts = [(truth[order[:half]], truth[order[half : 2 * half]]) for order in orders]
    return float(np.mean([frechet_distance(one, two) for one, two in parts]))


def compare_features(samples: np.ndarray, truth: np.ndarray, seed: int = 0) -> Frechet:
    """Compares `samples` [n d] with `truth` [n d]; row i of both belongs to the same clip.

    The interval is a bootstrap over clips, the same ones on both sides. Sets with repeated rows are
    further apart than sets without, so the resampled distances are shifted to the distance as
    their mean.

    Raises:
        ValueError: fewer than two clips, or shapes that differ.
    """
    if samples.shape != truth.shape:
        raise ValueError(f"features are not in pairs: {samples.shape}, {truth.shape}")
    value, n = frechet_distance(samples, truth), len(samples)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(n, size=(ROUNDS, n))
    again = np.array([frechet_distance(samples[row], truth[row]) for row in chosen])
    low, high = np.percentile(again - again.mean() + value, LEVELS)
    return Frechet(value, n, frechet_floor(truth, seed), (max(float(low), 0.0), float(high)))
