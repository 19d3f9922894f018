from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from musedance_core.metrics.frechet import compare_features, frechet_distance, frechet_floor

RNG = np.random.default_rng(0)


def closed_form(a: np.ndarray, b: np.ndarray) -> float:
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    means = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(means + np.trace(one) + np.trace(two) - 2 * np.trace(np.real(sqrtm(one @ two))))


@pytest.mark.parametrize(("n", "m", "d"), [(200, 200, 5), (40, 90, 8), (300, 50, 3)])
def test_it_is_the_closed_form_where_that_exists(n: int, m: int, d: int) -> None:
    a = RNG.standard_normal((n, d)) @ RNG.standard_normal((d, d))
    b = RNG.standard_normal((m, d)) @ RNG.standard_normal((d, d)) + RNG.standard_normal(d)
    assert frechet_distance(a, b) == pytest.approx(closed_form(a, b), rel=1e-6)


@pytest.mark.parametrize(("n", "d"), [(3, 400), (10, 64), (64, 10)])
def test_the_distance_is_the_squared_shift_between_equal_sets(n: int, d: int) -> None:
    a = RNG.standard_normal((n, d))
    shift = RNG.standard_normal(d)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9 * d)
    assert frechet_distance(a, a + shift) == pytest.approx(shift @ shift, rel=1e-9)


def test_it_is_symmetric_and_grows_with_the_spread() -> None:
    a, b = RNG.standard_normal((12, 30)), RNG.standard_normal((20, 30))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    # Scaling all of a set by 3 moves it by (3 - 1)^2 of its variance: exact for one Gaussian.
    centred = a - a.mean(axis=0)
    variance = np.square(centred).sum() / (len(a) - 1)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * variance)


def test_a_pair_of_sets_is_reported_with_its_floor_and_interval() -> None:
    truth = RNG.standard_normal((24, 16))
    near, far = truth + 0.1 * RNG.standard_normal(truth.shape), truth + 2
    close, wide = compare_features(near, truth), compare_features(far, truth)
    for found in (close, wide):
        assert found.n == 24 and found.interval[0] <= found.value <= found.interval[1]
    assert close.floor == wide.floor and close.floor is not None
    assert close.value < close.floor < wide.value
    assert compare_features(near, truth) == close
    same = compare_features(truth, truth)
    assert same.value < 1e-9 and same.interval[1] < 1e-9


def test_few_clips() -> None:
    truth = RNG.standard_normal((3, 8))
    assert frechet_floor(truth) is None and compare_features(truth + 1, truth).floor is None
    with pytest.raises(ValueError, match="do not compare"):
        frechet_distance(truth[:1], truth)
    with pytest.raises(ValueError, match="not in pairs"):
        compare_features(truth[:2], truth)
