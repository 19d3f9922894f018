"""The frames of a video that each segment of its dance makes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class SegmentPlan:
    """Frames `first` to `first + frames - 1` of the video; the model always makes a whole clip."""

    index: int
    first: int
    frames: int


def plan_segments(
    frames: int, fps: float, seconds: float, waiting: float = 0.0
) -> list[SegmentPlan]:
    """Consecutive segments of `seconds` with `frames` frames at `fps` in all, the last one shorter.

    Frames of the last `waiting` seconds of a segment, at most all, go to the one after it, if any.

    Raises:
        ValueError: `frames`, `fps` or `seconds` is not positive.
    """
    if frames < 1 or fps <= 0 or seconds <= 0:
        raise ValueError(f"frames, fps and seconds must be positive: {frames}, {fps}, {seconds}")
    # Frame k belongs to the segment that contains the time k / fps, or waits for the next one.
    times = np.arange(frames) / fps
    last = int(times[-1] / seconds + 1e-9)
    index = np.floor((times + min(waiting, seconds)) / seconds + 1e-9).astype(int).clip(max=last)
    firsts = np.searchsorted(index, np.arange(last + 2))
    return [
        SegmentPlan(i, int(first), int(last - first))
        for i, (first, last) in enumerate(pairwise(firsts))
    ]
