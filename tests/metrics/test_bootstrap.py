from __future__ import annotations

import numpy as np
import pytest

from musedance_core.metrics.bootstrap import circular_interval, circular_mean, mean_interval


def test_the_interval_holds_the_mean_and_narrows_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (8, 80, 800):
        values = rng.standard_normal(n)
        interval = mean_interval(values)
        assert interval is not None and interval[0] < values.mean() < interval[1]
        widths.append(interval[1] - interval[0])
    assert widths[0] > 1.5 * widths[1] > 2.25 * widths[2]


def test_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = [mean_interval(rng.standard_normal(40), seed, 300) for seed in range(300)]
    share = np.mean([low < 0 < high for low, high in filter(None, held)])
    assert 0.9 < share < 0.98


def test_the_same_seed_gives_the_same_interval_and_one_value_none() -> None:
    values = np.random.default_rng(2).standard_normal(9)
    assert mean_interval(values, 3) == mean_interval(values, 3) != mean_interval(values, 4)
    assert mean_interval(values[:1]) is None
    assert mean_interval(np.full(5, 2.0)) == (2.0, 2.0)


def test_phases_are_averaged_around_the_circle() -> None:
    around = np.random.default_rng(0).normal(0.5, 0.05, 40) % 1
    assert abs(float(circular_mean(around))) == pytest.approx(0.5, abs=0.03)
    interval = circular_interval(around)
    assert interval is not None and interval[1] - interval[0] < 0.05
    assert interval[0] <= float(circular_mean(around)) <= interval[1]
    small = np.array([0.1, 0.2, 0.15])
    assert float(circular_mean(small)) == pytest.approx(0.15, abs=1e-3)
    assert circular_interval(small[:1]) is None


def test_phases_from_everywhere_have_a_wide_interval() -> None:
    low, high = circular_interval(np.arange(20) / 20) or (0, 0)
    assert high - low > 0.7
