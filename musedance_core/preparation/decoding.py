"""Decoding of source videos at the frame rate of clips, by the container's clock."""

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
    """The frame of a source at `index` / fps seconds; `number` is its frame number there."""

    index: int
    number: int
    frame: DecodedFrame


@dataclass(frozen=True)
class Thumbnails:
    """All frames of a source at the frame rate of clips, scaled down.

    Attributes:
        filter_frames: frames for the filters, uint8 `[f h w 3]`. Frame f is the one at
            (`first` + f) / fps seconds.
        model_frames: the same frames for a part model, in another size.
        numbers: their frame numbers in the source, int64 `[f]`.
        first: index of the first one; pictures may start later than the sound.
        size: width and height of the source's frames, upright.
    """

    filter_frames: np.ndarray
    model_frames: np.ndarray
    numbers: np.ndarray
    first: int
    size: tuple[int, int]


def probe_seconds(path: Path) -> float:
    """The length of a video with sound by its header; 0 if the header has none.

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


def sample_frames(path: Path, fps: int) -> Iterator[SampledFrame]:
    """The frame nearest to k / fps seconds, for every k that the video covers.

    Seconds count from the container's beginning, as in `load_waveform`. A damaged file gives the
    frames that can be decoded.

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


def read_thumbnails(path: Path, fps: int, filter_side: int, model_side: int) -> Thumbnails:
    """Decode a source once and scale its frames down.

    Args:
        fps: frame rate of clips.
        filter_side, model_side: longer sides in pixels.

    Raises:
        UnusableVideo: as `sample_frames`, or no frame can be decoded, or the frames have several
            sizes.
    """
    small: list[np.ndarray] = []
    larger: list[np.ndarray] = []
    numbers: list[int] = []
    first, size = 0, (0, 0)
    for sample in sample_frames(path, fps):
        frame = sample.frame
        if not numbers:
            first, size = sample.index, frame.size
        if frame.size != size:
            raise UnusableVideo(f"size changes: from {size} to {frame.size} pixels")
        if numbers and sample.number == numbers[-1]:  # a slow source: the same frame again
            small.append(small[-1])
            larger.append(larger[-1])
        else:
            small.append(frame.pixels(_scaled_size(size, filter_side)))
            same = model_side == filter_side
            larger.append(small[-1] if same else frame.pixels(_scaled_size(size, model_side)))
        numbers.append(sample.number)
    if not numbers:
        raise UnusableVideo("unreadable: not one frame can be decoded")
    filter_frames = np.stack(small)
    model_frames = filter_frames if model_side == filter_side else np.stack(larger)
    return Thumbnails(filter_frames, model_frames, np.array(numbers), first, size)


def _at_even_times(frames: Iterator[DecodedFrame], fps: int) -> Iterator[SampledFrame]:
    """Every frame once for each k / fps that it is nearest to; the last one lasts half a step."""
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


def _scaled_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height `size`, scaled so that the longer is `side`."""
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
