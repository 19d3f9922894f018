"""A dance as OpenPose drawings and keypoints, for any pose-driven model of images or videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from .audio.beats import BeatGrid
from .audio.waveform import Waveform
from .dance.openpose_json import write_openpose
from .dance.pose_image import draw_pose
from .media.output import write_output

CHUNK = 48
"""Frames that are drawn at once."""


@dataclass(frozen=True)
class DancePoses:
    """The poses of a dancer to a song.

    Attributes:
        keypoints: `[f 18 2]` in pixels of the frame, in OpenPose's order; NaN where one is missing.
        size: width and height of the frame.
        fps: frames per second.
        song: the whole song.
        beats: the beats danced to, in seconds of the song.
        start: time in the song at which the dance starts, in seconds.
    """

    keypoints: Tensor
    size: tuple[int, int]
    fps: float
    song: Waveform
    beats: BeatGrid
    start: float

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.keypoints)

    @property
    def seconds(self) -> float:
        """Length of the dance in seconds."""
        return len(self) / self.fps

    def chunks(self) -> Iterator[Tensor]:
        """Yields the drawings as frames `[f 3 h w]` float32 in 0..1, some at a time."""
        for first in range(0, len(self), CHUNK):
            yield draw_pose(self.keypoints[first : first + CHUNK], self.size)

    @cached_property
    def frames(self) -> Tensor:
        """All drawings `[f 3 h w]`, float32 in 0..1."""
        return torch.cat(list(self.chunks()))

    def save(self, path: str | Path) -> None:
        """Writes the drawings as a video, atomically; formats are those of `DanceVideo.save`.

        Raises:
            InputError: another ending, or a file that cannot be written.
        """
        write_output(path, self.chunks(), self.fps, self.song, self.start)

    def save_json(self, path: str | Path) -> None:
        """Writes the keypoints as OpenPose JSON, a list of frames, atomically.

        Raises:
            InputError: a file that cannot be written.
        """
        write_openpose(path, self.keypoints, self.size)
