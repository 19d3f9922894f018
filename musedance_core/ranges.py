"""Ranges of numbers that people choose, apart from other code: the command line loads without
torch."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from .errors import InputError, brief

DEFAULT_FPS = 24.0
"""Frames a second of models that plan the dance, where nobody asks for another rate."""
STEPS = (1, 1000)
"""Numbers of denoising steps."""
SEEDS = (0, 2**32 - 1)
FRAMES = (1, 10**7)
"""Frames of a video: more than a day."""
METER = (2, 12)
"""Beats a bar."""
GUIDANCE = (0, 100)
"""Guidance of all conditions; its useful values are below 20."""


def require_whole(name: str, value: Any, bounds: tuple[int, int]) -> None:
    """Raises InputError where `value`, called `name`, is no whole number within `bounds`."""
    low, high = bounds
    if not (isinstance(value, Integral) and low <= int(value) <= high):
        raise InputError(
            f"The {name} must be a whole number within {low}..{high}, not {brief(value)}."
        )


def require_within(name: str, value: Any, bounds: tuple[float, float]) -> None:
    """Raises InputError where `value`, called `name`, is no number within `bounds`."""
    low, high = bounds
    number = float(value) if isinstance(value, Real) else math.nan
    if not low <= number <= high:
        raise InputError(f"The {name} must be within {low:g}..{high:g}, not {brief(value)}.")


def require_sampling(
    seed: int | None = None, steps: int | None = None, guidance: float | None = None
) -> None:
    """Raises InputError where one of these that is not None is out of its range."""
    if seed is not None:
        require_whole("seed", seed, SEEDS)
    if steps is not None:
        require_whole("number of steps", steps, STEPS)
    if guidance is not None:
        require_within("guidance", guidance, GUIDANCE)
