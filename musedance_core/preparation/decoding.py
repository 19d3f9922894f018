"""Frames of a source by time: upright, at even times, as they stand on the container's clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import media_start, open_media
from .rejections import UnusableVideo


@dataclass(frozen=True)
class DecodedFrame:
    """What a source shows at `index` / fps seconds: its frame `number`, a `picture` of PyAV."""

    index: int
    number: int
    picture: Any
    aspect: float
    """Width of a pixel of the picture over its height."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in square pixels, upright."""
        width, height = max(1, round(self.picture.width * self.aspect)), self.picture.height
        return (height, width) if self._turns % 2 else (width, height)

    def pixels(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """uint8 `[h w 3]`, upright, scaled to `size` (width, height), by default its own."""
        width, height = self.size if size is None else size
        if self._turns % 2:
            width, height = height, width
        scaled = self.picture.reformat(
            width=width, height=height, format="rgb24", interpolation="AREA"
        )
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), self._turns))

    @property
    def _turns(self) -> int:
        """Quarter turns counterclockwise that bring the picture upright."""
        return round(float(self.picture.rotation) / 90) % 4


def frames_by_time(path: Path, fps: int) -> Iterator[DecodedFrame]:
    """For every k that the video covers, the frame nearest to k / fps seconds.

    Seconds count from the container's beginning, as `load_waveform` counts them. Of a damaged file
    come the frames that can be decoded.

    Raises:
        UnusableVideo: the file is not media.
    """
    import av

    try:
        with open_media(path) as container:
            stream: Any = container.streams.video[0]
            stream.thread_type = "AUTO"
            aspect = float(stream.sample_aspect_ratio or 1) or 1.0
            yield from _at_even_times(_timed(container, stream), fps, aspect)
    except av.FFmpegError as error:
        raise UnusableVideo(f"unreadable: {error.strerror}") from error


def probe(path: Path) -> float:
    """Seconds a video with sound says it lasts; 0 where it does not say.

    Raises:
        UnusableVideo: the file is not media, or lacks pictures or sound.
    """
    import av

    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise UnusableVideo("unreadable: it has no pictures")
            if not container.streams.audio:
                raise UnusableVideo("no sound: it has none")
            return float(container.duration or 0) / 1_000_000
    except av.FFmpegError as error:
        raise UnusableVideo(f"unreadable: {error.strerror}") from error


def _timed(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Sound frames with the seconds they are shown at, strictly rising."""
    begin = media_start(container)
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    last = -math.inf
    for number, picture in enumerate(_decodable(container, stream)):
        time = number / rate if picture.time is None else picture.time - begin
        if time > last and not picture.is_corrupt:
            yield time, picture
            last = time


def _decodable(container: Any, stream: Any) -> Iterator[Any]:
    """Every frame that can be decoded; damaged packets are passed over, a damaged end is an end."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue


def _at_even_times(
    timed: Iterator[tuple[float, Any]], fps: int, aspect: float
) -> Iterator[DecodedFrame]:
    """Every frame as often as it is the nearest to a k / fps; the last one lasts half a step."""
    before: tuple[float, Any] | None = None
    index, number = 0, -1
    for time, picture in timed:
        if before is None:
            index = max(0, math.ceil(time * fps - 0.5))
        else:
            middle = (before[0] + time) / 2
            while index / fps <= middle:
                yield DecodedFrame(index, number, before[1], aspect)
                index += 1
        before = time, picture
        number += 1
    while before is not None and index / fps <= before[0] + 0.5 / fps:
        yield DecodedFrame(index, number, before[1], aspect)
        index += 1


@dataclass(frozen=True)
class Film:
    """A whole source, small.

    `thumbs` uint8 `[f h w 3]` are what it shows at (`first` + f) / fps seconds, `views` the same in
    another size, `numbers` int64 `[f]` the source's frames they are, and `size` (width, height) the
    upright size of those.
    """

    thumbs: np.ndarray
    views: np.ndarray
    numbers: np.ndarray
    first: int
    size: tuple[int, int]


def read_film(path: Path, fps: int, thumb: int, view: int) -> Film:
    """Decode a source once; the longer side of a thumb is `thumb` pixels, that of a view `view`.

    Raises:
        UnusableVideo: as `frames_by_time`, or not one frame can be decoded, or frames of one size
            are followed by frames of another.
    """
    thumbs: list[np.ndarray] = []
    views: list[np.ndarray] = []
    numbers: list[int] = []
    first, size = 0, (0, 0)
    for shown in frames_by_time(path, fps):
        if not numbers:
            first, size = shown.index, shown.size
        if shown.size != size:
            raise UnusableVideo(f"size changes: from {size} to {shown.size} pixels")
        if numbers and shown.number == numbers[-1]:
            thumbs.append(thumbs[-1])
            views.append(views[-1])
        else:
            thumbs.append(shown.pixels(_shrunk(size, thumb)))
            views.append(thumbs[-1] if view == thumb else shown.pixels(_shrunk(size, view)))
        numbers.append(shown.number)
    if not numbers:
        raise UnusableVideo("unreadable: not one frame can be decoded")
    small = np.stack(thumbs)
    return Film(small, small if view == thumb else np.stack(views), np.array(numbers), first, size)


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The shape of `size` with a longer side of `side`."""
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
