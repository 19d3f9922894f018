"""What the user of the builder can choose, checked."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError

FEWEST_FRAMES = 8
ASPECTS = {"square": 1.0, "vertical": 9 / 16}


@dataclass(frozen=True)
class ClipOptions:
    """How sources are cut; a source is done again when one of these changes.

    Attributes:
        seconds, fps: of a clip.
        size: pixels of a clip's longer side.
        aspect: the shape of the crop, "square" or "vertical" (9:16).
        min_motion, max_motion: bounds of the mean absolute difference, 0..1, of neighbouring frames
            of a clip.
        densepose: the TorchScript file of a part model, or "".
        maps: the folder of part maps as PNG files, or "".
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
        if self.frames < FEWEST_FRAMES:
            raise InputError(
                f"A clip needs {FEWEST_FRAMES} frames at least; --seconds {self.seconds} at "
                f"--fps {self.fps} are {self.frames}."
            )
        if self.size % 8 or not 32 <= self.size <= 2048:
            raise InputError(f"--size must be a multiple of 8 from 32 to 2048, got {self.size}.")
        if self.aspect not in ASPECTS:
            raise InputError(f"--aspect must be {' or '.join(ASPECTS)}, got {self.aspect}.")
        if not 0 <= self.min_motion < self.max_motion <= 1:
            raise InputError(
                f"--min-motion must be below --max-motion, both within 0..1: "
                f"{self.min_motion}, {self.max_motion}."
            )
        if self.densepose and self.maps:
            raise InputError("Part maps come from --densepose or from --maps, not from both.")

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return round(self.seconds * self.fps)
