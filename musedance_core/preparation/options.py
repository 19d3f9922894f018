"""Options of clip extraction, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError

MIN_FRAMES = 8
"""Frames of the shortest clip."""
ASPECTS = {"square": 1.0, "vertical": 9 / 16}
"""Width over height of a crop, by the name of its shape."""


@dataclass(frozen=True)
class ClipOptions:
    """Options that decide which clips a source video gives; a change of one cuts it again.

    Attributes:
        seconds, fps: length and frame rate of a clip.
        size: longer side of a clip in pixels.
        aspect: shape of the crop, "square" or "vertical" (9:16).
        min_motion, max_motion: bounds in 0..1 of a clip's motion, the mean absolute difference of
            neighbouring frames.
        densepose: path of the TorchScript part model, or "".
        maps: folder of part maps as PNG files, or "".

    Raises:
        InputError: a value is outside its range, or two options exclude each other.
    """

    seconds: float = 4.0
    fps: int = 12
    size: int = 640
    aspect: str = "square"
    min_motion: float = 0.002
    max_motion: float = 0.2
    densepose: str = ""
    maps: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 60:
            raise InputError(f"--fps must be 1 to 60, got {self.fps}.")
        if not 0.5 <= self.seconds <= 60:
            raise InputError(f"--seconds must be 0.5 to 60, got {self.seconds}.")
        if self.frames < MIN_FRAMES:
            raise InputError(
                f"A clip needs at least {MIN_FRAMES} frames; --seconds {self.seconds} at "
                f"--fps {self.fps} gives {self.frames}."
            )
        if self.size % 8 or not 32 <= self.size <= 2048:
            raise InputError(f"--size must be a multiple of 8 from 32 to 2048, got {self.size}.")
        if self.aspect not in ASPECTS:
            raise InputError(f"--aspect must be {' or '.join(ASPECTS)}, got {self.aspect}.")
        if not 0 <= self.min_motion < self.max_motion <= 1:
            raise InputError(
                f"--min-motion must be below --max-motion, both within 0..1, got "
                f"{self.min_motion} and {self.max_motion}."
            )
        if self.densepose and self.maps:
            raise InputError("Part maps come from --densepose or from --maps, not from both.")

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return round(self.seconds * self.fps)
