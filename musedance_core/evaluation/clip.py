"""One video to judge, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..world.choreography import Dance

SEGMENT = 48
"""Frames of a segment where nobody knows how a video was made."""


@dataclass(frozen=True)
class Clip:
    """A video and what it is compared with.

    frames `[f 3 h w]` in 0..1, at `fps`; `truth`, of the same shape, is the video it should have
    been, or None. reference `[3 h w]` is the picture that was made to dance. beats are seconds from
    the first frame, or None where nobody knows them; `beats_from` says who told. `video` and
    `truth_video` are files, relative to the report. `caption` and `asked` say what to dance.
    `segment` is how many frames are made at once. `music` names the song, where it is known: clips
    to one song have the same.
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
    asked: Dance | None = None
    segment: int = SEGMENT
    music: str | None = None


def quantised(pixels: Tensor) -> Tensor:
    """Pixels in 0..1 as an eight-bit file keeps them, still float32 in 0..1."""
    return (pixels.detach().float().cpu().clamp(0, 1) * 255).round() / 255
