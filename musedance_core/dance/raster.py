"""Lines, discs and shapes on the pixel grid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
Labels = NDArray[np.int64]
HALF_WIDTH = 0.8
"""Quantile of the depths of a limb's pixels that is its usual half width."""


def depths(mask: Mask) -> NDArray[np.float64]:
    """Distances `[h w]` of a mask's pixels from the nearest one outside, or beyond the picture."""
    away: NDArray[np.float64] = ndimage.distance_transform_edt(np.pad(mask, 1))
    return away[1:-1, 1:-1]


def half_width(mask: Mask) -> float:
    """Usual half width of a limb `[h w]` that has pixels."""
    return float(np.quantile(depths(mask)[mask], HALF_WIDTH))


def line(start: Array, end: Array) -> Array:
    """Points `[n 2]` from `start` to `end`, half a pixel apart."""
    count = max(2, min(4096, math.ceil(2 * float(np.hypot(*(end - start))))))
    return start + np.linspace(0, 1, count, dtype=np.float32)[:, None] * (end - start)


def pixels(points: Array, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels under `points [n 2]`, as far as they are in the picture."""
    column, row = np.floor(points).astype(np.int64).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    return row[inside], column[inside]


def away_from(points: Array, start: Array, end: Array) -> Array:
    """Distances `[n]` of `points [n 2]` from the bone."""
    bone = end - start
    share = ((points - start) @ bone / max(1e-6, float(bone @ bone))).clip(0, 1)
    result: Array = np.linalg.norm(points - start - share[:, None] * bone, axis=1)
    return result


def discs(centres: Array, shape: tuple[int, int]) -> Mask:
    """Pixels covered by any of the discs `[n 3]`: x, y, radius."""
    mask = np.zeros(shape, np.bool_)
    for radius in np.unique(np.ceil(centres[:, 2])) if len(centres) else ():
        # Discs of like size are grown from their centres at once.
        alike = np.ceil(centres[:, 2]) == radius
        far = np.ones(shape, np.bool_)
        rows, columns = pixels(centres[alike, :2], shape)
        far[rows, columns] = False
        if radius > 0 and not far.all():
            mask |= ndimage.distance_transform_edt(far) <= centres[alike, 2].min()
    return mask


def in_polygon(corners: Array, shape: tuple[int, int]) -> Mask:
    """Pixels in the convex hull of `corners [n 2]`, and those on the lines between them."""
    mask = np.zeros(shape, np.bool_)
    for i, a in enumerate(corners):
        for b in corners[:i]:
            mask[pixels(line(a, b), shape)] = True
    middle = corners.mean(axis=0)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.ones(shape, np.bool_)
    angles = np.arctan2(*(corners - middle).T[::-1])
    ring = corners[np.argsort(angles)]
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return mask | inside


def hull(mask: Mask) -> Mask:
    """Pixels in the convex hull of `mask [h w]`."""
    points = np.argwhere(mask)
    if len(points) < 3:
        return mask
    try:
        hull = ConvexHull(points)
    except QhullError:
        return mask  # all on one line
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    inside = np.ones(mask.shape, np.bool_)
    for a, b, c in hull.equations:
        inside &= a * y + b * x + c <= 1e-6
    return inside


def closed(mask: Mask, radius: float) -> Mask:
    """`mask [h w]` with gaps and bays narrower than twice `radius` filled."""
    if not mask.any():
        return mask
    # Only around the mask: on the whole picture this is slow.
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    margin = int(radius) + 2
    outside = ndimage.distance_transform_edt(np.pad(~mask[box], margin, constant_values=True))
    closed = ndimage.distance_transform_edt(outside <= radius) > radius
    result = mask.copy()
    result[box] |= closed[margin:-margin, margin:-margin]
    return result
