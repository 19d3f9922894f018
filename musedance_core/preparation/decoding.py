"""Frames of a source by time: upright, at even times, as they stand on the container's clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..media.frames import DecodedFrame, video_frames
from ..streams import open_media
from .rejections import UnusableVideo


@dataclass(frozen=True)
class SampledFrame:
    """The frame that a source shows at `index` / fps seconds; `number` counts its own frames."""

    index: int
    number: int
    frame: DecodedFrame


def frames_by_time(path: Path, fps: int) -> Iterator[SampledFrame]:
    """For every k that the video covers, the frame nearest to k / fps seconds.

    Seconds count from the container's beginning, as `load_waveform` counts them. Of a damaged file
    come the frames that can be decoded.

    Raises:
        UnusableVideo: the file is not media.
    """
    import av

    try:
        with open_media(path) as container:
            container.streams.video[0].thread_type = "AUTO"
            yield from _at_even_times(video_frames(container), fps)
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


def _at_even_times(frames: Iterator[DecodedFrame], fps: int) -> Iterator[SampledFrame]:
    """Every frame as often as it is the nearest to a k / fps; the last one lasts half a step."""
    before: DecodedFrame | None = None
    index, number = 0, -1
    for frame in frames:
        if before is None:
            index = max(0, math.ceil(frame.seconds * fps - 0.5))
        else:
            middle = (before.seconds + frame.seconds) / 2
            while index / fps <= middle:
                yield SampledFrame(index, number, before)
                index += 1
        before = frame
        number += 1
    while before is not None and index / fps <= before.seconds + 0.5 / fps:
        yield SampledFrame(index, number, before)
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
    for sample in frames_by_time(path, fps):
        frame = sample.frame
        if not numbers:
            first, size = sample.index, frame.size
        if frame.size != size:
            raise UnusableVideo(f"size changes: from {size} to {frame.size} pixels")
        if numbers and sample.number == numbers[-1]:
            thumbs.append(thumbs[-1])
            views.append(views[-1])
        else:
            thumbs.append(frame.pixels(_shrunk(size, thumb)))
            views.append(thumbs[-1] if view == thumb else frame.pixels(_shrunk(size, view)))
        numbers.append(sample.number)
    if not numbers:
        raise UnusableVideo("unreadable: not one frame can be decoded")
    small = np.stack(thumbs)
    return Film(small, small if view == thumb else np.stack(views), np.array(numbers), first, size)


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The shape of `size` with a longer side of `side`."""
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
