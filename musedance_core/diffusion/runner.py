"""Cutting a video into segments on the song's clock: pure functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SegmentPlan:
    """Frames `first` .. `first + frames - 1` of the video; the model always makes a whole clip."""

    index: int
    first: int
    frames: int


def plan_segments(frames: int, clip_frames: int) -> list[SegmentPlan]:
    """Consecutive segments of `clip_frames`, the last one trimmed so that they sum to `frames`.

    Raises:
        ValueError: `frames` or `clip_frames` is not positive.
    """
    if frames < 1 or clip_frames < 1:
        raise ValueError(f"frames and clip_frames must be positive: {frames}, {clip_frames}")
    firsts = range(0, frames, clip_frames)
    return [
        SegmentPlan(i, first, min(clip_frames, frames - first)) for i, first in enumerate(firsts)
    ]
