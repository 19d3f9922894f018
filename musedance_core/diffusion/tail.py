"""The state between two segments of a dance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .segment import DenoisedSegment

CONTEXT_POSES = 96
"""Poses before a segment that its plan may continue."""


@dataclass(frozen=True)
class Tail:
    """The state between two segments.

    Attributes:
        latents: of the last m frames output, `[m c h w]`; at the start the picture's, m times.
        start: where in the song the video starts, in seconds.
        frame: number of the model's frames so far.
        index: number of segments so far.
        segment: the previous segment, cut to the frames output; None at the start.
        poses: the last `CONTEXT_POSES` poses of the dance without accents and rests, `[n 27]`; None
            at the start and in models that plan no dance.
        fps: the model's frames a second.
    """

    latents: Tensor
    start: float
    fps: float = 12
    frame: int = 0
    index: int = 0
    segment: DenoisedSegment | None = None
    poses: Tensor | None = None

    def after(self, segment: DenoisedSegment, frames: int) -> Tail:
        """The tail after `segment`, which is cut to `frames` of the model's frames."""
        latents = self.latents
        if segment.latents is not None:
            joined = torch.cat([latents.to(segment.latents), segment.latents])
            latents = joined[len(joined) - len(latents) :]
        poses = [x for x in (self.poses, segment.context) if x is not None]
        return replace(
            self,
            latents=latents,
            frame=self.frame + frames,
            index=self.index + 1,
            segment=segment,
            poses=torch.cat(poses)[-CONTEXT_POSES:] if poses else None,
        )
