"""Bounds of a video's frames, apart from other code: the command line loads without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, brief
from ..ranges import require_whole, require_within

if TYPE_CHECKING:
    from ..config import MuseDanceConfig

SMALLEST_SIDE, LARGEST_SIDE = 64, 2048
"""Bounds of the frame's long side in pixels."""
LOWEST_RATE, HIGHEST_RATE = 1, 60
"""Bounds of the frames a second."""
FASTEST_GIF = 50
"""Frames a second; browsers slow down a GIF of a higher rate to a tenth."""


def require_frame(size: int | None, fps: float | None) -> None:
    """Raises InputError where the frame's long side or the frames a second are out of range."""
    if size is not None:
        require_whole("size in pixels", size, (SMALLEST_SIDE, LARGEST_SIDE))
    if fps is not None:
        require_within("rate in frames a second", fps, (LOWEST_RATE, HIGHEST_RATE))


def require_rate_of_format(fps: float, name: str | Path) -> None:
    """Raises InputError where the format of the file `name` cannot show `fps` frames a second."""
    if Path(name).suffix.lower() == ".gif" and fps > FASTEST_GIF:
        raise InputError(f"{name} can show at most {FASTEST_GIF} frames a second, not {fps:g}.")


def require_width_and_height(size: tuple[int, int]) -> None:
    """Raises InputError where `size` is no width and height in pixels."""
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise InputError(f"The size must be width and height in pixels, not {brief(size)}.")
    for name, side in zip(("width", "height"), size, strict=True):
        require_whole(f"{name} in pixels", side, (SMALLEST_SIDE, LARGEST_SIDE))


def require_frame_of(
    config: MuseDanceConfig, size: int | None, fps: float | None, **options: object
) -> None:
    """Refuses options of the frame that are out of range or not for a model.

    Args:
        config: the model's.
        size, fps: as for `require_frame`.
        options: further ones for models that plan the dance; None where nobody asks for them.

    Raises:
        InputError: one sentence with the option.
    """
    clip = config.clip
    if not config.plans_dance:
        for name, value in {"size": size, **options}.items():
            if value is not None:
                raise InputError(
                    f"This model plans no dance, and makes square frames of {clip.size} pixels: it "
                    f"takes no {name}."
                )
        if fps not in (None, clip.fps):
            raise InputError(f"This model makes {clip.fps} frames a second, not {brief(fps)}.")
    require_frame(size, fps)
