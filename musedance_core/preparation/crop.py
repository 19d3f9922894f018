"""The part of a source's frames that becomes a clip: one box for all its frames."""

from __future__ import annotations

from dataclasses import dataclass

from .subject import Box

MARGIN = 0.15
"""Room on either side of the subject, as a share of its box."""
SMALLEST = 0.4
"""Side of the smallest crop, as a share of the frame's shorter side: a still body may hang on what
moves."""


@dataclass(frozen=True)
class PixelBox:
    """Left, top, right, bottom in pixels of a frame of `size` (width, height)."""

    left: int
    top: int
    right: int
    bottom: int
    size: tuple[int, int]

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom as shares of the frame."""
        width, height = self.size
        return self.left / width, self.top / height, self.right / width, self.bottom / height


def crop_around(subject: Box, size: tuple[int, int], aspect: float) -> PixelBox:
    """The crop of a frame of `size` (width, height) around the subject, with a margin.

    It has `aspect` (width over height) where the frame has room for that. Where the subject is too
    large for it, the crop ends at the frame's edge: a dancer's feet matter more than the shape.
    """
    frame_width, frame_height = size
    across = (subject.right - subject.left) * frame_width
    down = (subject.bottom - subject.top) * frame_height
    tight = max(down, across / aspect)
    roomiest = min(frame_height, frame_width / aspect)
    height = max(tight * (1 + 2 * MARGIN), SMALLEST * min(frame_width, frame_height))
    height = min(height, max(tight, roomiest))
    width = min(round(height * aspect), frame_width)
    height = min(round(height), frame_height)
    left = _within((subject.left + subject.right) / 2 * frame_width, width, frame_width)
    top = _within((subject.top + subject.bottom) / 2 * frame_height, height, frame_height)
    return PixelBox(left, top, left + width, top + height, size)


def clip_size(box: PixelBox, side: int) -> tuple[int, int]:
    """Width and height of the clip: the longer is `side`, both are even as video demands."""
    scale = side / max(box.width, box.height)
    return max(2, round(box.width * scale / 2) * 2), max(2, round(box.height * scale / 2) * 2)


def _within(centre: float, length: int, whole: int) -> int:
    """Where a stretch of `length` around `centre` starts so that it stays within 0..`whole`."""
    return min(max(round(centre - length / 2), 0), whole - length)
