"""Decoded video frames as a player shows them: upright, in square pixels, in time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..streams import StreamClock, decode_stream, media_start

FALLBACK_RATE = 25.0
"""Frames per second of a stream that states none; only frames without time stamps need it."""


@dataclass(frozen=True)
class DecodedFrame:
    """One frame of a video.

    Attributes:
        seconds: its presentation time, from the beginning of playing.
        picture: the frame of PyAV, as it is stored.
        aspect: width of a stored pixel over its height.
    """

    seconds: float
    picture: Any
    aspect: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright and in square pixels."""
        width, height = max(1, round(self.picture.width * self.aspect)), self.picture.height
        return (height, width) if self._quarter_turns % 2 else (width, height)

    def pixels(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """uint8 `[h w 3]`, upright, scaled to `size` (width, height) or at the frame's own size."""
        width, height = self.size if size is None else size
        if self._quarter_turns % 2:
            width, height = height, width
        scaled = self.picture.reformat(
            width=width, height=height, format="rgb24", interpolation="AREA"
        )
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), self._quarter_turns))

    @property
    def _quarter_turns(self) -> int:
        """Quarter turns counterclockwise that bring the stored picture upright."""
        return round(float(self.picture.rotation) / 90) % 4


def video_frames(container: Any, strict: bool = False) -> Iterator[DecodedFrame]:
    """The frames of the first video stream of an open container, at strictly rising times.

    Frames that the decoder marks as corrupt are left out.

    Args:
        container: what `open_media` returns.
        strict: raise at a damaged packet instead of skipping it.

    Raises:
        av.FFmpegError: the stream is damaged, where `strict`.
    """
    stream = container.streams.video[0]
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    rate = float(stream.average_rate or stream.guessed_rate or FALLBACK_RATE)
    clock, last, end = StreamClock(media_start(container)), -math.inf, 0.0
    for picture in decode_stream(container, stream, strict):
        seconds = clock.seconds(picture.time, end)
        if seconds > last and not picture.is_corrupt:
            yield DecodedFrame(seconds, picture, aspect)
            last, end = seconds, seconds + 1 / rate
