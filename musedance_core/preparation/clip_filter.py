"""Clip filter: the crop of a candidate clip, or the reason to reject it with its figure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .crop import PixelBox, crop_around
from .options import ASPECTS, ClipOptions
from .rejections import UnusableVideo
from .shot_detection import colour_features
from .subject import (
    Box,
    bounding_box,
    motion_mask,
    moving_border,
    pixel_changes,
    subject_boxes,
)


@dataclass(frozen=True)
class FilterThresholds:
    """Thresholds of the clip filter that the user does not set."""

    repeated_frames: float = 0.1  # share of repeated frames above which a video stutters
    min_contrast: float = 0.02  # standard deviation, 0..1, below which a frame is blank
    max_colour_change: float = 0.4  # share of the histogram that only a fade changes in one clip
    max_camera_steps: float = 0.3  # share of steps in which the camera may move
    max_enlargement: float = 2.0  # a crop is not enlarged more than this


THRESHOLDS = FilterThresholds()


def crop_or_reject(
    thumbs: np.ndarray,
    numbers: np.ndarray,
    ids: np.ndarray | None,
    size: tuple[int, int],
    options: ClipOptions,
) -> PixelBox:
    """The crop around the only subject of a candidate clip.

    Args:
        thumbs: the candidate's frames, scaled down, uint8 `[f h w 3]`.
        numbers: their frame numbers in the source video `[f]`.
        ids: their part ids `[f h w]`, None where unknown.
        size: width and height of the source's frames.
        options: bounds of the motion, shape of the crop and size of the clip.

    Raises:
        UnusableVideo: the candidate is rejected.
    """
    _check_frames(thumbs, numbers)
    steps = pixel_changes(thumbs)
    camera = moving_border(steps)
    if camera.mean() > THRESHOLDS.max_camera_steps:
        raise UnusableVideo(f"camera: the border moves in {camera.mean():.0%} of the frames")
    # Steps in which everything changes say nothing about where the subject is.
    mean_changes = steps[~camera].mean(axis=0)
    subject = _subject_by_motion(mean_changes) if ids is None else _subject_by_parts(ids)
    crop = crop_around(subject, size, ASPECTS[options.aspect])
    motion = motion_within(thumbs, crop)
    if motion < options.min_motion:
        raise UnusableVideo(f"still: motion {motion:.4f} is below {options.min_motion}")
    if motion > options.max_motion:
        raise UnusableVideo(f"restless: motion {motion:.4f} is above {options.max_motion}")
    if max(crop.width, crop.height) < options.size / THRESHOLDS.max_enlargement:
        raise UnusableVideo(
            f"small: the subject and its surroundings are {crop.width} x {crop.height} pixels"
        )
    return crop


def motion_within(thumbs: np.ndarray, crop: PixelBox) -> float:
    """`mean_motion` of frames uint8 `[f h w 3]` inside the crop."""
    height, width = thumbs.shape[1:3]
    left, top, right, bottom = crop.shares
    rows = slice(int(top * height), max(round(bottom * height), int(top * height) + 1))
    columns = slice(int(left * width), max(round(right * width), int(left * width) + 1))
    return mean_motion(thumbs[:, rows, columns])


def mean_motion(frames: np.ndarray) -> float:
    """Mean absolute difference, 0..1, of neighbouring frames uint8 `[f h w 3]`."""
    steps = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)]
    return float(np.mean(steps)) / 255


def _check_frames(thumbs: np.ndarray, numbers: np.ndarray) -> None:
    """Reject frames that repeat, are blank, or fade into others."""
    different = len(np.unique(numbers))
    if different < len(numbers) * (1 - THRESHOLDS.repeated_frames):
        raise UnusableVideo(f"stutter: only {different} of {len(numbers)} frames differ")
    contrast = [frame.std(axis=(0, 1)).mean() / 255 for frame in thumbs]
    if min(contrast) < THRESHOLDS.min_contrast:
        raise UnusableVideo(f"blank: frame {int(np.argmin(contrast))} shows nothing")
    # A fade is not a cut, but the colours of the last quarter are not those of the first.
    _, histograms = colour_features(thumbs)
    quarter = max(1, len(thumbs) // 4)
    first, last = histograms[:quarter].mean(axis=0), histograms[-quarter:].mean(axis=0)
    change = np.abs(first - last).sum() / 2
    if change > THRESHOLDS.max_colour_change:
        raise UnusableVideo(f"transition: {change:.0%} of the colours change")


def _subject_by_motion(mean_changes: np.ndarray) -> Box:
    """The box of the only moving region, from each pixel's mean change `[h w]`."""
    mask = motion_mask(mean_changes)
    subject = bounding_box(mask)
    if subject is None:
        raise UnusableVideo(f"still: no pixel moves by more than {mean_changes.max():.4f}")
    boxes = subject_boxes(mask)
    if len(boxes) > 1:
        raise UnusableVideo(f"several subjects: {len(boxes)} separate regions move")
    return subject


def _subject_by_parts(ids: np.ndarray) -> Box:
    """The box of the only subject in part ids `[f h w]`, over all frames."""
    counts = [len(subject_boxes(frame > 0)) for frame in ids if frame.any()]
    if counts and np.median(counts) > 1:
        raise UnusableVideo(f"several subjects: {int(np.median(counts))} of them have parts")
    subject = bounding_box(np.any(ids > 0, axis=0))
    if subject is None:
        raise UnusableVideo("no parts: the part maps are empty")
    return subject
