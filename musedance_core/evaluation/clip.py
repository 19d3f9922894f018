"""A video to be evaluated, with its metadata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..dance.motion import DanceMotion
from ..world.dances import Dance

SEGMENT = 48
"""Assumed frames of a segment for videos of unknown origin."""


@dataclass(frozen=True)
class Clip:
    """A video with its reference, ground truth and beats.

    Attributes:
        name: of the clip.
        frames: `[f 3 h w]` in 0..1.
        fps: frames a second.
        reference: the input picture `[3 h w]`.
        video, truth_video: files, relative to the report.
        truth: the ground truth, of the shape of `frames`, or None.
        beats: seconds from the first frame, or None if unknown.
        beats_from: their source.
        caption, dance: the requested dance.
        segment: frames per segment.
        music: the name of the song, or None if unknown.
        motion, true_motion: the dance as poses, and the true one, or None if unknown.
        covered: the pixels that the dancer covers in some frame or in the picture, `[h w]` bool, or
            None if unknown.
    """

    name: str
    frames: Tensor
    fps: float
    reference: Tensor
    video: str
    truth: Tensor | None = None
    truth_video: str | None = None
    beats: np.ndarray | None = None
    beats_from: str = ""
    caption: str = ""
    dance: Dance | None = None
    segment: int = SEGMENT
    music: str | None = None
    motion: DanceMotion | None = None
    true_motion: DanceMotion | None = None
    covered: Tensor | None = None


def quantise(pixels: Tensor) -> Tensor:
    """Rounds pixels in 0..1 to 8 bits; returns float32 in 0..1 on the CPU."""
    return (pixels.detach().float().cpu().clamp(0, 1) * 255).round() / 255
