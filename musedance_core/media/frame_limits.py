"""Bounds of a video's frames, apart from other code: the command line loads without torch."""

from __future__ import annotations

from ..errors import InputError

SMALLEST_SIDE, LARGEST_SIDE = 64, 2048
"""Bounds of the frame's long side in pixels."""
LOWEST_RATE, HIGHEST_RATE = 1, 60
"""Bounds of the frames a second."""


def require_frame(size: int | None, fps: float | None) -> None:
    """Raises InputError where the frame's long side or the frames a second are out of range."""
    if size is not None and not SMALLEST_SIDE <= size <= LARGEST_SIDE:
        raise InputError(
            f"The size must be within {SMALLEST_SIDE}..{LARGEST_SIDE} pixels, not {size}."
        )
    if fps is not None and not LOWEST_RATE <= fps <= HIGHEST_RATE:
        raise InputError(
            f"The rate must be within {LOWEST_RATE}..{HIGHEST_RATE} frames a second, not {fps:g}."
        )
