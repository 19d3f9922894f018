"""The opacity of a figure as a whole: a sticker may be half-transparent all over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SEEN = 1 / 16
"""Alpha below which a pixel counts as empty."""
SOLID = 0.95
"""Usual opacity from which a figure counts as opaque."""


def usual_opacity(alpha: NDArray[np.floating[Any]]) -> float:
    """The alpha that most of a figure reaches, of `alpha` in 0..1; at least `SEEN`.

    This is the median with every pixel counted by its own alpha: neither a wide glow nor a few
    solid details set it.
    """
    seen = np.sort(alpha[alpha >= SEEN], axis=None).astype(np.float64)
    if not seen.size:
        return SEEN
    weight = seen.cumsum()
    return float(seen[np.searchsorted(weight, weight[-1] / 2)])


def relative_alpha(alpha: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """`alpha` in 0..1 with the figure's usual opacity as 1: half of it is the figure's outline."""
    result: NDArray[np.floating[Any]] = np.minimum(alpha / np.float32(usual_opacity(alpha)), 1)
    return result
