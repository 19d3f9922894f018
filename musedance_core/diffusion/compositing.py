"""Compositing: frames at the picture's own size, from the planned dance and the denoised frames.

The plan moves the picture's own pixels, so it is as sharp as the picture. The denoised frames are
small, but they know what the plan cannot: what limbs uncover, how joints and shadows look. Where a
denoised frame agrees with the plan, as the autoencoder reproduces it, the plan is shown alone;
elsewhere their difference is added to the plan. The paper has no such step. The thresholds were
chosen on validation clips (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..dance.dancer import Dancer, Letterbox, unpremultiply
from ..dance.motion import DanceMotion, join

CHUNK, CHUNK_PIXELS = 16, 4 * 512 * 512
"""Frames, and their pixels in all, that are composited at once at most, to bound memory."""
LEAD = 3
"""Poses of the segment before from which those between it and the next one are interpolated."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of compositing. Colour differences are in 0..1, averaged over 3 x 3 pixels."""

    # A frame shows the plan alone up to the first difference, its own colours from the second on.
    same: float = 0.25
    different: float = 0.6


THRESHOLDS = Thresholds()


class Autoencoder(Protocol):
    """Encodes pictures `[b 3 h w]` in 0..1 to latents `[b c h w]`, scaled, and decodes them to
    float32 pictures; accepts any device and dtype."""

    def encode(self, pictures: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Correction:
    """Differences of the denoised frames from the plan, at the model's size and rate.

    Attributes:
        colours: differences `[f 3 s s]`, zero where frame and plan agree.
        fps: frames a second.
        start: seconds from the first pose of the dance to the first frame.
    """

    colours: Tensor
    fps: float
    start: float = 0.0

    def at(self, seconds: np.ndarray) -> Tensor:
        """Corrections `[n 3 s s]` at `seconds [n]` from the first pose, linear in between."""
        since = torch.from_numpy((seconds - self.start) * self.fps)
        position = since.clamp(0, len(self.colours) - 1)
        index = position.floor().long()
        after = (index + 1).clamp_max(len(self.colours) - 1)
        share = (position - index).to(self.colours)[:, None, None, None]
        return torch.lerp(self.colours[index], self.colours[after], share)


@dataclass(frozen=True)
class Passage:
    """A segment's dance with what its frames add to it, led in by the end of the segment before.

    Attributes:
        motion: the dance.
        corrections: of the denoised frames; None where the dance was only planned.
        begin: seconds from the first pose to the beginning of the segment.
    """

    motion: DanceMotion
    corrections: Correction | None = None
    begin: float = 0.0

    def after(self, previous: Passage | None) -> Passage:
        """This segment led in by `previous`, so that frames between the two are interpolated."""
        if previous is None:
            return self
        lead = previous.motion[-LEAD:]
        begin = len(lead) / self.motion.fps
        corrections = self.corrections
        if corrections is not None and previous.corrections is not None:
            colours = torch.cat([previous.corrections.colours[-1:], corrections.colours])
            start = begin - 1 / corrections.fps
            corrections = replace(corrections, colours=colours, start=start)
        return Passage(join([lead, self.motion]), corrections, begin)


def plan_frames(
    dancer: Dancer, motion: DanceMotion, size: int, frames: int, fps: float
) -> tuple[Tensor, Tensor]:
    """The plan of a segment as the denoiser takes it: `frames` frames `[f 3 s s]` in 0..1 at `fps`,
    opaque, in a square of `size` pixels, and the dancer's alpha in them `[f 1 s s]`."""
    rgba, alpha = dancer.in_square(size).frames(motion.at(np.arange(frames) / fps))
    return rgba[:, :3].clamp(0, 1), alpha


def correct(
    dancer: Dancer, drawn: Tensor, motion: DanceMotion, vae: Autoencoder, fps: float
) -> Correction:
    """Compares denoised frames with the plan.

    Args:
        dancer: the dancer in its frame.
        drawn: decoded frames `[f 3 s s]` in 0..1.
        motion: the planned dance.
        vae: the autoencoder that decoded `drawn`.
        fps: frames a second.
    """
    planned, _ = plan_frames(dancer, motion, drawn.shape[-1], len(drawn), fps)
    # An autoencoder reproduces nothing exactly: frames are compared with its version of the plan.
    reproduced = vae.decode(vae.encode(planned)).to(drawn)
    difference = drawn - reproduced
    size = F.avg_pool2d(
        difference.abs().amax(dim=1, keepdim=True), 3, stride=1, padding=1, count_include_pad=False
    )
    same, different = THRESHOLDS.same, THRESHOLDS.different
    share = ((size - same) / (different - same)).clamp(0, 1)
    return Correction(difference * share, fps)


def composite(
    dancer: Dancer,
    motion: DanceMotion,
    seconds: np.ndarray,
    corrections: Correction | None = None,
) -> Iterator[Tensor]:
    """Yields the frames of `motion` at `seconds [n]` from its first pose, a few at a time: `[f 3 h
    w]` in 0..1, or straight RGBA `[f 4 h w]` where the background is not opaque."""
    for frames, _ in composite_with_alpha(dancer, motion, seconds, corrections):
        yield frames


def composite_with_alpha(
    dancer: Dancer,
    motion: DanceMotion,
    seconds: np.ndarray,
    corrections: Correction | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields the frames as `composite` does, and the dancer's own alpha in them, `[f 1 h w]`."""
    size = dancer.canvas.width * dancer.canvas.height
    count = max(1, min(CHUNK, CHUNK_PIXELS // size))
    for first in range(0, len(seconds), count):
        times = seconds[first : first + count]
        frames, alpha = dancer.frames(motion.at(times))
        if corrections is not None:
            # The background stands still: only the dancer is corrected.
            added = _enlarged(corrections.at(times), dancer) * alpha
            frames[:, :3] = (frames[:, :3] + added).clamp_min(0)
            frames[:, :3] = torch.minimum(frames[:, :3], frames[:, 3:])
        shown = frames[:, :3].clamp(0, 1) if dancer.opaque else unpremultiply(frames)
        yield shown, alpha.clamp(0, 1)


def _enlarged(colours: Tensor, dancer: Dancer) -> Tensor:
    """Corrections `[n 3 s s]` of the model's square at the size of the frame."""
    height, width = dancer.canvas.height, dancer.canvas.width
    fit = Letterbox.of(width, height, colours.shape[-1])
    part = colours[..., fit.rows, fit.columns]
    return F.interpolate(part, (height, width), mode="bilinear", align_corners=False)
