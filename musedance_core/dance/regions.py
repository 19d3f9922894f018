"""Regions of one colour in drawn figures, whose borders are those of parts.

Flat colours say more about a part's border than weights of a low resolution do: a sleeve ends where
its colour ends. Photographs have few such regions and hardly change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .raster import Array, Labels, Mask


@dataclass(frozen=True)
class RegionSettings:
    """Lengths are in heights of the figure."""

    step: float = 0.05
    """Difference of neighbouring pixels, in one colour channel, from which they are apart."""
    line: float = 0.016
    """Half width of the widest line; a region is wider."""
    flat: float = 0.5
    """Share of the figure that regions cover, below which it is not drawn in flat colours."""
    most: float = 0.75
    """Share of a region from which a label may take all of it ..."""
    little: float = 0.05
    """... from labels of which the region holds at most this share of their pixels."""
    outline: float = 0.03
    """Distance from a region at which a line is still its outline."""
    clearly: float = 0.8
    """Unlikeness of colours over that of the next region, from which a speck goes with a region."""


SETTINGS = RegionSettings()


def follow_regions(labels: Labels, colours: Array, solid: Mask) -> Labels:
    """Moves the borders between labels to those of regions of one colour.

    A region that is mostly of one label loses small pieces of others, and lines take the label of
    the regions beside them where these agree.

    Args:
        labels: `[h w]`.
        colours: premultiplied colours `[c h w]` in 0..1.
        solid: the figure's pixels `[h w]`.

    Returns:
        Labels `[h w]`.
    """
    height = labels.shape[0]
    joined = _joined(colours, solid)
    thick = _thick(joined, solid, SETTINGS.line * height)
    if thick.sum() < SETTINGS.flat * solid.sum():
        return labels
    regions = _pieces(joined, thick)

    # Regions that are mostly of one label lose the small pieces of others.
    number, count = int(labels.max()) + 1, int(regions.max()) + 1
    inside = regions > 0
    table = np.zeros((count, number))
    np.add.at(table, (regions[inside], labels[inside]), 1)
    total = np.bincount(labels[solid], minlength=number)
    main = table.argmax(axis=1)
    mostly = table.max(axis=1) >= SETTINGS.most * table.sum(axis=1)
    small = table <= SETTINGS.little * np.maximum(total, 1)
    taken = mostly[regions] & small[regions, labels] & inside
    result = np.where(taken, main[regions], labels)

    # Lines and specks go with the regions beside them, or with that of their colour.
    reach = max(1.0, SETTINGS.outline * height)
    best, second = np.full((2, *labels.shape), np.inf)
    of = result.copy()
    for label in np.unique(result[inside]):
        away, nearest = ndimage.distance_transform_edt(
            ~(inside & (result == label)), return_indices=True
        )
        unlike = np.linalg.norm(colours - colours[(slice(None), *nearest)], axis=0)
        unlike = np.where(away <= reach, unlike, np.inf)
        of = np.where(unlike < best, label, of)
        best, second = np.minimum(unlike, best), np.minimum(second, np.maximum(unlike, best))
    # The second distance is infinite where only one label is near.
    clear = np.isfinite(best) & solid & ~inside
    clear &= (best < SETTINGS.clearly * second) & (best + SETTINGS.step < second)
    return np.where(clear, of, result).astype(labels.dtype)


def thick_regions(colours: Array, solid: Mask) -> Mask:
    """Pixels `[h w]` of regions of one colour that are wider than lines; arguments as above."""
    return _thick(_joined(colours, solid), solid, SETTINGS.line * colours.shape[1])


def _joined(colours: Array, solid: Mask) -> list[Mask]:
    """Whether neighbours are of one region: those one above the other `[h-1 w]`, and those side by
    side `[h w-1]`."""
    return [
        both & (np.abs(np.diff(colours, axis=axis + 1)).max(axis=0) < SETTINGS.step)
        for axis, both in ((0, solid[1:] & solid[:-1]), (1, solid[:, 1:] & solid[:, :-1]))
    ]


def _thick(joined: list[Mask], solid: Mask, radius: float) -> Mask:
    """Pixels `[h w]` of regions wider than twice `radius`, without lines that hang on them."""
    edge = ~solid
    for axis, both in enumerate(joined):
        apart = ~both
        first = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        edge[first] |= apart
    padded = np.pad(edge, 1, constant_values=True)
    core: Mask = ndimage.distance_transform_edt(~padded)[1:-1, 1:-1] > radius
    if not core.any():
        return core
    away = ndimage.distance_transform_edt(~core)
    result: Mask = (away <= radius) & solid & (~edge | core)
    return result


def _pieces(joined: list[Mask], members: Mask) -> Labels:
    """Numbers `[h w]` of connected pieces of `members`, 0 elsewhere."""
    h, w = members.shape
    index = np.arange(h * w).reshape(h, w)
    pairs = []
    for axis, both in enumerate(joined):
        first, second = (index[:-1], index[1:]) if axis == 0 else (index[:, :-1], index[:, 1:])
        ok = both & members.ravel()[first] & members.ravel()[second]
        pairs.append(np.stack([first[ok], second[ok]]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(rows), np.bool_), (rows, columns)), shape=(h * w, h * w))
    _, found = connected_components(graph, directed=False)
    found = np.where(members.ravel(), found, -1)
    _, numbers = np.unique(found, return_inverse=True)
    result: Labels = numbers.reshape(h, w).astype(np.int64)
    return result if (found < 0).any() else result + 1
