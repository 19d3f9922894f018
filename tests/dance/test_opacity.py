"""The usual opacity of a figure."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.dance.opacity import SEEN, relative_alpha, usual_opacity


@pytest.mark.parametrize("opacity", [0.1, 0.498, 1.0])
def test_a_figure_has_the_opacity_of_most_of_it(opacity: float) -> None:
    alpha = np.zeros((40, 40), np.float32)
    alpha[10:30, 10:30] = opacity
    alpha[9, 10:30] = opacity / 2  # a soft edge
    alpha[12:15, 12:15] = 1.0  # an eye
    assert usual_opacity(alpha) == pytest.approx(opacity)
    relative = relative_alpha(alpha)
    assert (relative[10:30, 10:30] == 1).all() and relative.max() == 1
    assert relative[9, 20] == pytest.approx(0.5)


def test_a_wide_glow_does_not_count() -> None:
    alpha = np.full((40, 40), 0.2, np.float32)
    alpha[10:30, 10:30] = 1.0
    assert np.median(alpha) < 0.5 and usual_opacity(alpha) == 1.0
    assert np.array_equal(relative_alpha(alpha), alpha)


def test_nothing_to_see_is_no_error() -> None:
    assert usual_opacity(np.zeros((4, 4), np.float32)) == SEEN
