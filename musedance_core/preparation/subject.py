"""Subject detection: the region of a clip that moves, from frame differences or part maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from einops import rearrange, reduce


@dataclass(frozen=True)
class SubjectThresholds:
    """Thresholds of subject detection, tuned on thumbnails 96 pixels wide."""

    noise: float = 0.008  # mean change of a pixel, 0..1, below which it is only codec noise
    share_of_peak: float = 0.12  # a moving pixel changes by this share of the strongest ones
    bridge: float = 0.04  # widest gap inside one subject, as a share of the longer side
    speck: float = 0.004  # share of the frame below which a region is not a subject
    comparable_area: float = 0.35  # a second subject has this share of the largest one's area
    slim: float = 0.3  # shorter over longer side below which a region is the edge of another
    border: float = 0.06  # width of the frame's border, as a share of the longer side
    moving_border: float = 0.6  # share of border pixels that change when the camera moves


THRESHOLDS = SubjectThresholds()


@dataclass(frozen=True)
class Box:
    """Left, top, right, bottom as shares of the frame."""

    left: float
    top: float
    right: float
    bottom: float


def pixel_changes(thumbs: np.ndarray) -> np.ndarray:
    """Change of each pixel from frame to frame, float32 `[f - 1 h w]` in 0..1.

    The median change of all pixels is subtracted, so a lamp that brightens the room is not motion.

    Args:
        thumbs: frames, uint8 `[f h w 3]`.
    """
    light = thumbs.astype(np.float32) / 255
    change = np.diff(light, axis=0)
    common = np.median(rearrange(change, "f h w c -> f (h w) c"), axis=1)
    change -= rearrange(common, "f c -> f 1 1 c")
    steps: np.ndarray = reduce(np.abs(change), "f h w c -> f h w", "mean")
    return steps


def moving_border(steps: np.ndarray) -> np.ndarray:
    """Bool `[f - 1]`: the steps in which most of the frame's border changes, because the camera
    moves or a light flashes.

    Args:
        steps: `pixel_changes`.
    """
    border = np.ones(steps.shape[1:], dtype=bool)
    width = max(1, round(THRESHOLDS.border * max(border.shape)))
    border[width:-width, width:-width] = False
    changed = (steps[:, border] > THRESHOLDS.noise).mean(axis=1)
    most: np.ndarray = changed > THRESHOLDS.moving_border
    return most


def motion_mask(mean_changes: np.ndarray) -> np.ndarray:
    """Bool `[h w]`: the moving pixels, with small gaps closed and holes filled.

    Args:
        mean_changes: each pixel's change, averaged over the clip, `[h w]`.
    """
    from scipy import ndimage

    # The 99.5th percentile rather than the maximum: one glitching pixel sets no scale.
    peak = float(np.percentile(mean_changes, 99.5))
    mask = mean_changes > max(THRESHOLDS.noise, THRESHOLDS.share_of_peak * peak)
    # An evenly coloured body changes only along its outline: close the gaps, then fill.
    radius = max(1, round(THRESHOLDS.bridge * max(mask.shape) / 2))
    disc = np.hypot(*np.ogrid[-radius : radius + 1, -radius : radius + 1]) <= radius + 0.5
    closed = ndimage.binary_closing(np.pad(mask, radius), disc)[radius:-radius, radius:-radius]
    filled: np.ndarray = ndimage.binary_fill_holes(closed | mask)
    return filled


def subject_boxes(mask: np.ndarray) -> list[Box]:
    """Boxes of the connected regions of a mask that may each be a subject, the largest first.

    Regions much smaller than the largest are left out, and so are slim ones beside it, which are
    mostly edges of something larger.

    Args:
        mask: bool `[h w]`.
    """
    boxes: list[Box] = []
    regions = _connected_regions(mask)
    for area, rows, columns in regions:
        height, width = rows.stop - rows.start, columns.stop - columns.start
        slim = min(height, width) < THRESHOLDS.slim * max(height, width)
        comparable = area >= THRESHOLDS.comparable_area * regions[0][0]
        if comparable and not (slim and boxes):
            boxes.append(_box(rows, columns, mask.shape))
    return boxes


def bounding_box(mask: np.ndarray) -> Box | None:
    """The box around a mask `[h w]` without its specks; None if it is empty."""
    regions = _connected_regions(mask)
    if not regions:
        return None
    rows = slice(min(r.start for _, r, _ in regions), max(r.stop for _, r, _ in regions))
    columns = slice(min(c.start for _, _, c in regions), max(c.stop for _, _, c in regions))
    return _box(rows, columns, mask.shape)


def _connected_regions(mask: np.ndarray) -> list[tuple[int, slice, slice]]:
    """Area, rows and columns of each connected region except specks, the largest first."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    places = ndimage.find_objects(labels)
    order = np.argsort(-areas, kind="stable")
    return [(int(areas[i]), *places[i]) for i in order if areas[i] >= THRESHOLDS.speck * mask.size]


def _box(rows: slice, columns: slice, shape: tuple[int, ...]) -> Box:
    height, width = shape
    return Box(columns.start / width, rows.start / height, columns.stop / width, rows.stop / height)
