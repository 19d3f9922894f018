"""The F-measure of beat tracking."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.metrics.beat_tracking import TOLERANCE, beat_f_measure

TRUTH = np.arange(0.5, 10, 0.5)


@pytest.mark.parametrize(
    ("tracked", "score"),
    [
        (TRUTH, 1.0),
        (TRUTH + 0.9 * TOLERANCE, 1.0),
        (TRUTH + 1.1 * TOLERANCE, 0.0),
        (TRUTH[::2], 2 * 10 / 29),
        (np.sort(np.r_[TRUTH, TRUTH + 0.01]), 2 * 19 / 57),
        (np.zeros(0), 0.0),
    ],
)
def test_each_beat_counts_once_within_the_tolerance(tracked: np.ndarray, score: float) -> None:
    assert beat_f_measure(TRUTH, tracked) == pytest.approx(score)


def test_nothing_where_nothing_is_is_right() -> None:
    assert beat_f_measure(np.zeros(0), np.zeros(0)) == 1.0
