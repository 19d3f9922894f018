"""Who moves in a clip, and where: from the differences of frames, or from part maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from einops import rearrange, reduce

NOISE = 0.008
"""Mean difference of a pixel, 0..1, below which it only shimmers."""
SHARE_OF_PEAK = 0.12
BRIDGE = 0.04
"""Gaps, as a share of the frame's longer side, that do not part one subject from another."""
SPECK = 0.004
"""Share of the frame below which a region is nobody."""
COMPARABLE = 0.35
SLIM = 0.3
RING = 0.06
MOST = 0.6


@dataclass(frozen=True)
class Box:
    """Left, top, right, bottom as shares of the frame."""

    left: float
    top: float
    right: float
    bottom: float


def changes(thumbs: np.ndarray) -> np.ndarray:
    """How much each pixel of `thumbs` uint8 `[f h w 3]` changes from frame to frame, 0..1,
    float32 `[f - 1 h w]`. What all pixels do together, as under a lamp, is taken out."""
    light = thumbs.astype(np.float32) / 255
    change = np.diff(light, axis=0)
    common = np.median(rearrange(change, "f h w c -> f (h w) c"), axis=1)
    change -= rearrange(common, "f c -> f 1 1 c")
    steps: np.ndarray = reduce(np.abs(change), "f h w c -> f h w", "mean")
    return steps


def everywhere(steps: np.ndarray) -> np.ndarray:
    """Bool `[f - 1]`: the steps in which most of the frame's border changes, because the camera
    moves or a light flashes."""
    ring = np.ones(steps.shape[1:], dtype=bool)
    edge = max(1, round(RING * max(ring.shape)))
    ring[edge:-edge, edge:-edge] = False
    most: np.ndarray = (steps[:, ring] > NOISE).mean(axis=1) > MOST
    return most


def moving(energies: np.ndarray) -> np.ndarray:
    """Bool `[h w]`: the pixels that move by their mean change `[h w]`, with small gaps closed and
    holes filled."""
    from scipy import ndimage

    mask = energies > max(NOISE, SHARE_OF_PEAK * float(np.percentile(energies, 99.5)))
    reach = max(1, round(BRIDGE * max(mask.shape) / 2))
    disc = np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1]) <= reach + 0.5
    closed = ndimage.binary_closing(np.pad(mask, reach), disc)[reach:-reach, reach:-reach]
    filled: np.ndarray = ndimage.binary_fill_holes(closed | mask)
    return filled


def subjects(mask: np.ndarray) -> list[Box]:
    """The boxes of the connected regions of `mask` `[h w]` that may be a subject each, largest
    first: those not much smaller than the largest, and no mere edges of something larger."""
    found: list[Box] = []
    regions = _regions(mask)
    for area, rows, columns in regions:
        height, width = rows.stop - rows.start, columns.stop - columns.start
        slim = min(height, width) < SLIM * max(height, width)
        if area >= COMPARABLE * regions[0][0] and not (slim and found):
            found.append(_box(rows, columns, mask.shape))
    return found


def region(mask: np.ndarray) -> Box | None:
    """The box around all of `mask` `[h w]` but specks; None where there is nothing."""
    regions = _regions(mask)
    if not regions:
        return None
    rows = slice(min(r.start for _, r, _ in regions), max(r.stop for _, r, _ in regions))
    columns = slice(min(c.start for _, _, c in regions), max(c.stop for _, _, c in regions))
    return _box(rows, columns, mask.shape)


def _regions(mask: np.ndarray) -> list[tuple[int, slice, slice]]:
    """Area, rows and columns of each connected region but specks, the largest first."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    places = ndimage.find_objects(labels)
    order = np.argsort(-areas, kind="stable")
    return [(int(areas[i]), *places[i]) for i in order if areas[i] >= SPECK * mask.size]


def _box(rows: slice, columns: slice, shape: tuple[int, ...]) -> Box:
    height, width = shape
    return Box(columns.start / width, rows.start / height, columns.stop / width, rows.stop / height)
