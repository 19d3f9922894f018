"""A dance as a video that is generated while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from .audio.beats import BeatGrid, whole_beats
from .audio.waveform import Waveform
from .diffusion.runner import Segment
from .errors import InputError
from .media.output import write_output

Run = Callable[[int], Iterator[Segment]]


@dataclass(frozen=True)
class DanceVideo:
    """A dance video that is generated lazily, segment by segment, so that memory is bounded by one.

    Every iteration over `chunks` generates it anew; `frames` generates it once and caches it.

    Attributes:
        fps: frames per second.
        song: the whole song.
        beats: the beats danced to, in seconds of the song.
        begin: time in the song at which the first segment starts, in seconds.
        frame_range: the frames of the video, counted from `begin`; not all of them after `loop`.
        run: `run(n)` yields the segments of the first n frames, counted from `begin`.
        looped: `looped(b, e)` is such a `run` of the same dance that leads from frame e back to
            frame b.
    """

    fps: float
    song: Waveform
    beats: BeatGrid
    begin: float
    frame_range: range
    run: Run
    looped: Callable[[int, int], Run]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame_range)

    @property
    def start(self) -> float:
        """Time in the song at which the video starts, in seconds."""
        return self.begin + self.frame_range.start / self.fps

    @property
    def seconds(self) -> float:
        """Length of the video in seconds."""
        return len(self) / self.fps

    @property
    def audio(self) -> Waveform:
        """The part of the song that plays during the video."""
        return self.song.cut(self.start, self.seconds)

    def chunks(self) -> Iterator[Tensor]:
        """Yields the video as frames `[f c h w]` float32 in 0..1, segment by segment.

        c is 3, or 4 with straight alpha for a video without a background.
        """
        if "frames" in self.__dict__:
            yield self.frames
            return
        for segment in self.run(self.frame_range.stop):
            frames = segment.frames[max(0, self.frame_range.start - segment.first) :]
            if len(frames):
                yield frames

    @cached_property
    def frames(self) -> Tensor:
        """All frames `[f c h w]`, float32 in 0..1."""
        return torch.cat(list(self.chunks()))

    def loop(self) -> DanceVideo:
        """The longest part with whole phrases of 8 beats, or of 4 or 2 in a shorter video, which
        repeats without a break.

        Raises:
            InputError: the video is shorter than two beats.
        """
        part = self.beats, self.begin, self.frame_range.stop, self.fps
        frames = None
        for beats in (8, 4):
            with suppress(InputError):
                frames = whole_beats(*part, multiple=beats)
                break
        frames = frames or whole_beats(*part)
        return replace(self, frame_range=frames, run=self.looped(frames.start, frames.stop))

    def save(self, path: str | Path, on_frames: Callable[[Tensor], None] | None = None) -> None:
        """Writes the video, atomically: .mp4, .mov, .m4v, .mkv or .webm with its sound; .gif,
        .webp or .png, animated, without; numbered PNG pictures into a folder.

        Args:
            path: the file to write, or a folder: one that is there and empty, or a text that ends
                in a slash.
            on_frames: called with every chunk of frames `[f c h w]` before it is written.

        Raises:
            InputError: another ending, transparent frames for a format without transparency, or a
                file that cannot be written.
        """

        def chunks() -> Iterator[Tensor]:
            for frames in self.chunks():
                if on_frames is not None:
                    on_frames(frames)
                yield frames

        write_output(path, chunks(), self.fps, self.song, self.start)
