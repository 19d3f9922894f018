"""Regions of one colour in drawn figures, whose borders are those of parts.

Flat colours say more about a part's border than weights of a low resolution do: a sleeve ends where
its colour ends. Photographs have few such regions and hardly change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .label_cleaning import label_pieces, touching_changes
from .raster import Array, Labels, Mask, depths


@dataclass(frozen=True)
class RegionSettings:
    """Lengths are in heights of the figure."""

    step: float = 0.05
    """Difference of neighbouring pixels, in one colour channel, from which they are apart."""
    line: float = 0.016
    """Half width of the widest line; a region is wider."""
    flat: float = 0.4
    """Share of the figure that regions cover, below which it is not drawn in flat colours."""
    most: float = 0.65
    """Share of a region from which a label may take all of it ..."""
    little: float = 0.05
    """... from labels of which the region holds at most this share of their pixels."""
    half: float = 0.5
    """Share of a region from which a label takes pieces of labels whose bones are elsewhere."""
    carried: float = 0.15
    """Share of a label's bones on a region from which the region is its own."""
    foreign: float = 0.15
    """Size of a region away from a limb's bones, in that of those on them, from which it is not the
    limb's ..."""
    at_end: float = 0.3
    """... unless so much of it is around the end of its bones: a hand, a shoe."""
    outline: float = 0.03
    """Distance from a region at which a line is still its outline."""
    alike: float = 0.15
    """Unlikeness of colours that are those of a region."""
    thin_limb: float = 0.25
    """Share of a label in one piece that is no outline of others."""
    clearly: float = 0.8
    """Unlikeness of colours over that of the next region, from which a speck goes with a region."""


SETTINGS = RegionSettings()


@dataclass(frozen=True)
class LimbPlaces:
    """The bones of a label.

    Attributes:
        bones: pixels `[h w]` around them.
        end: those around and beyond the outer end of a limb, where hand or foot are; empty for
            others.
    """

    bones: Mask
    end: Mask


def follow_regions(
    labels: Labels, colours: Array, solid: Mask, places: Sequence[LimbPlaces] = ()
) -> Labels:
    """Moves the borders between labels to those of regions of one colour.

    A region that is mostly of one label loses small pieces of others, and lines take the label of
    the regions beside them where these agree. Where bones are known, a limb keeps regions that it
    shares with others only if its bones lie on them.

    Args:
        labels: `[h w]`.
        colours: premultiplied colours `[c h w]` in 0..1.
        solid: the figure's pixels `[h w]`.
        places: of each label, from 0 on.

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
    inside = regions > 0
    table = _table(regions, labels, inside)
    total = np.bincount(labels[solid], minlength=table.shape[1])
    main = table.argmax(axis=1)
    mostly = table.max(axis=1) >= SETTINGS.most * table.sum(axis=1)
    small = table <= SETTINGS.little * np.maximum(total, 1)
    taken = mostly[regions] & small[regions, labels] & inside
    result = np.where(taken, main[regions], labels)
    result = np.where(inside, _by_bones(regions, result, places)[regions, result], result)
    return _with_lines(result, colours, solid, inside)


def _table(regions: Labels, labels: Labels, inside: Mask) -> NDArray[np.int64]:
    """Numbers of pixels `[regions labels]`."""
    table = np.zeros((int(regions.max()) + 1, int(labels.max()) + 1), np.int64)
    np.add.at(table, (regions[inside], labels[inside]), 1)
    return table


def _by_bones(regions: Labels, labels: Labels, places: Sequence[LimbPlaces]) -> NDArray[np.int64]:
    """The label `[regions labels]` of a label's pixels in a region, from where bones lie."""
    table = _table(regions, labels, regions > 0)
    count, number = table.shape
    result = np.tile(np.arange(number), (count, 1))
    main = table.argmax(axis=1)
    size = table.sum(axis=1)
    half = table.max(axis=1) >= SETTINGS.half * size
    for label, place in enumerate(places[:number]):
        on_bone = np.bincount(regions[place.bones], minlength=count)
        at_end = np.bincount(regions[place.end], minlength=count)
        if not place.end.any() or not on_bone[1:].any():
            continue
        carried = on_bone >= SETTINGS.carried * on_bone[1:].sum()
        # A cape beside a leg is the trunk's wherever it hangs ...
        result[half & ~carried, label] = main[half & ~carried]
        # ... so is a wing behind an arm, but not a hand.
        own = table[carried, label].sum()
        foreign = (on_bone == 0) & (table[:, label] > SETTINGS.foreign * own)
        foreign &= at_end < SETTINGS.at_end * size
        result[foreign, label] = 0
    result[0] = np.arange(number)
    return result


def _with_lines(labels: Labels, colours: Array, solid: Mask, inside: Mask) -> Labels:
    """Labels `[h w]` where lines and specks, outside of regions, go with the regions beside them,
    or with that of their colour."""
    reach = max(1.0, SETTINGS.outline * labels.shape[0])
    best, second, own = np.full((3, *labels.shape), np.inf)
    of = labels.copy()
    for label in np.unique(labels[inside]):
        away, nearest = ndimage.distance_transform_edt(
            ~(inside & (labels == label)), return_indices=True
        )
        unlike = np.linalg.norm(colours - colours[(slice(None), *nearest)], axis=0)
        unlike = np.where(away <= reach, unlike, np.inf)
        own = np.where(labels == label, unlike, own)
        of = np.where(unlike < best, label, of)
        best, second = np.minimum(unlike, best), np.minimum(second, np.maximum(unlike, best))
    # A thin limb has no region, but is more than an outline of the one beside it.
    pieces = label_pieces(labels, solid)
    size = np.bincount(pieces.ravel())[pieces]
    limb = ~np.isfinite(own) & (size > SETTINGS.thin_limb * np.bincount(labels[solid])[labels])
    clear = np.isfinite(best) & (~limb | (best < SETTINGS.alike)) & solid & ~inside
    # The second distance is infinite where only one label is near.
    clear &= (best < SETTINGS.clearly * second) & (best + SETTINGS.step < second)
    changed = np.where(clear, of, labels).astype(labels.dtype)
    return touching_changes(labels, changed, solid, best < SETTINGS.alike)


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
    core: Mask = depths(~edge) > radius
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
