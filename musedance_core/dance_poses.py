"""A dance as OpenPose drawings and keypoints, for any pose-driven model of images or videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .audio.beats import BeatGrid
from .audio.waveform import Waveform
from .dance.openpose_json import to_openpose_json, with_faces_and_hands, write_openpose
from .dance.pose_image import draw_pose
from .dance.pose_mask import draw_silhouette
from .dance.pose_video import pose_keypoints
from .dance.rig import Rig
from .diffusion.choreography import DanceScore, DanceSettings, choreograph
from .diffusion.segment import OnShare
from .media.output import write_output
from .models import MuseDance

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

    @cached_property
    def masks(self) -> Tensor:
        """The silhouettes of the dancer `[f h w]`, float32 in 0..1."""
        return draw_silhouette(self.keypoints, self.size)

    def to_json(self) -> list[dict[str, Any]]:
        """The keypoints as a POSE_KEYPOINT holds them, a list of frames; faces and hands have
        none."""
        return with_faces_and_hands(to_openpose_json(self.keypoints, self.size))

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


def dance_poses(
    model: MuseDance,
    score: DanceScore,
    song: Waveform,
    *,
    frames: int,
    size: tuple[int, int],
    fps: float,
    rig: Rig | None = None,
    settings: DanceSettings | None = None,
    on_share: OnShare = lambda share: None,
) -> DancePoses:
    """Choreographs a dance and places it in a frame; nothing is denoised but the poses.

    Args:
        model: has a choreographer.
        score: song, sentences and seed.
        song: the sound of the whole song.
        frames: how many.
        size: width and height of the frame in pixels.
        fps: frames a second.
        rig: proportions of the dancer; a standing person's by default.
        settings: of the choreographer; the checkpoint's own by default.
        on_share: called after every denoising step, with the share of them that is done.

    Raises:
        InputError: the model has no choreographer, its output is not finite, or the rig has no
            proportions.
    """
    motion = choreograph(model, score, frames / fps, settings, on_share)
    keypoints = pose_keypoints(motion.at(np.arange(frames) / fps), size, rig)
    return DancePoses(keypoints, size, fps, song, score.song.grid, score.start)
