"""The crop of a clip: one box around the subject for all its frames."""

from __future__ import annotations

from dataclasses import dataclass

from .subject import Box

MARGIN = 0.15
"""Free space on either side of the subject, as a share of its box."""
MIN_CROP = 0.4
"""Side of the smallest crop, as a share of the frame's shorter side. Where only a hand moves, the
crop still shows the body it belongs to."""


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
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom as shares of the frame."""
        width, height = self.size
        return self.left / width, self.top / height, self.right / width, self.bottom / height


def crop_around(subject: Box, size: tuple[int, int], aspect: float) -> PixelBox:
    """The crop of a frame of `size` (width, height) around the subject, with a margin.

    The crop has `aspect` (width over height) where the frame has room for it. A subject too tall
    or too wide for that is cropped at the frame's edge instead: the dancer's feet matter more than
    the shape.
    """
    frame_width, frame_height = size
    subject_width = (subject.right - subject.left) * frame_width
    subject_height = (subject.bottom - subject.top) * frame_height
    # Heights of the tightest crop that holds the subject and of the largest that the frame holds.
    tightest = max(subject_height, subject_width / aspect)
    largest = min(frame_height, frame_width / aspect)
    height = max(tightest * (1 + 2 * MARGIN), MIN_CROP * min(frame_width, frame_height))
    height = min(height, max(tightest, largest))
    width = min(round(height * aspect), frame_width)
    height = min(round(height), frame_height)
    left = _start_within((subject.left + subject.right) / 2 * frame_width, width, frame_width)
    top = _start_within((subject.top + subject.bottom) / 2 * frame_height, height, frame_height)
    return PixelBox(left, top, left + width, top + height, size)


def clip_size(crop: PixelBox, side: int) -> tuple[int, int]:
    """Width and height of the clip: the longer is `side`, and both are even as H.264 requires."""
    scale = side / max(crop.width, crop.height)
    return max(2, round(crop.width * scale / 2) * 2), max(2, round(crop.height * scale / 2) * 2)


def _start_within(centre: float, length: int, limit: int) -> int:
    """Start of an interval of `length` around `centre`, shifted to lie within 0..`limit`."""
    return min(max(round(centre - length / 2), 0), limit - length)
