"""Outlines between the parts of a drawn figure: they go with the part that lies above.

A border that follows the colours of two parts runs somewhere inside the line drawn between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from .fill import fill_holes
from .raster import Labels, Mask


@dataclass(frozen=True)
class OutlineThresholds:
    """Thresholds of finding outlines."""

    widest: float = 0.018  # width of the widest outline in body heights
    crease: float = 0.034  # width of the widest line between two parts in body heights
    unlike: float = 0.15  # distance of a colour from those of a part that it does not belong to
    least_share: float = 0.3  # share of a part's outer edge that has a line if it is outlined
    soft: float = 2.0  # pixels of an edge that mix the colours on both sides


THRESHOLDS = OutlineThresholds()


@dataclass(frozen=True)
class Outlines:
    """Parts with whole outlines.

    Attributes:
        labels: part `[h w]` of every pixel.
        unlike: by group, pixels `[h w]` of other colours than it usually has thereabouts.
        lines: those pixels of every group that are unlike it.
        beside: by group that has an outline, the lines `[h w]` along it, whoever has them.
    """

    labels: Labels
    unlike: dict[int, Mask]
    lines: Mask
    beside: dict[int, Mask]


@dataclass(frozen=True)
class _Group:
    """A limb, the trunk or the head.

    Attributes:
        own: its pixels `[h w]`.
        alike: those of its usual colour thereabouts.
        away: distances `[h w]` from these.
        wide: width of its outline in pixels.
        place: rank of the nearest of these, from the bottom layer to the top one.
        ink: colour `[3]` of its outline, or None where it has none.
    """

    own: Mask
    alike: Mask
    away: NDArray[np.float64]
    wide: float
    place: Labels
    ink: Tensor | None


def share_outlines(
    labels: Labels,
    group_of: NDArray[np.int64],
    colours: Tensor,
    solid: Mask,
    thick: Mask,
    order: tuple[int, ...],
) -> Outlines:
    """Gives outlines between groups of parts to the upper one.

    Args:
        labels: part `[h w]` of every pixel.
        group_of: group of each part.
        colours: `[3 h w]`, not premultiplied.
        solid: the figure's pixels.
        thick: pixels of regions of one colour that are wider than outlines.
        order: parts from the bottom layer to the top one.
    """
    members = group_of[labels]
    groups, unlike_group = _groups(labels, members, colours, solid, np.argsort(order))
    highest = _highest_claim(labels, colours, thick, groups, members, unlike_group, order)
    changed = np.where((highest >= 0) & solid, np.array(order)[highest], labels)
    lines = _unlike_their_group(group_of[changed], unlike_group) & ~thick
    beside = {
        number: lines & (group.away <= group.wide + THRESHOLDS.soft)
        for number, group in groups.items()
        if group.ink is not None
    }
    return Outlines(changed, unlike_group, lines, beside)


def _groups(
    labels: Labels, members: Labels, colours: Tensor, solid: Mask, rank: Labels
) -> tuple[dict[int, _Group], dict[int, Mask]]:
    """The groups that have pixels of a usual colour, and by group, pixels `[h w]` of other colours.

    Args:
        labels: part `[h w]` of every pixel.
        members: its group.
        colours: `[3 h w]`, not premultiplied.
        solid: the figure's pixels `[h w]`.
        rank: place `[p]` of each part, from the bottom layer to the top one.
    """
    height = labels.shape[0]
    # Pixels at the figure's own edge, where outlines can be measured.
    edge = solid & ~ndimage.binary_erosion(solid, np.ones((3, 3)))
    in_air = ndimage.distance_transform_edt(solid)
    unlike_group: dict[int, Mask] = {}
    groups: dict[int, _Group] = {}
    for number in (int(n) for n in np.unique(members[solid])):
        own = (members == number) & solid
        usual = _usual_colours(own, colours, THRESHOLDS.widest * height + THRESHOLDS.soft)
        unlike_group[number] = _unlike(colours, usual)
        alike = own & ~unlike_group[number]
        if not alike.any():
            continue
        away, nearest = ndimage.distance_transform_edt(~alike, return_indices=True)
        rim = edge & own
        wide = float(np.median(away[rim])) if rim.any() else 0.0
        wide = min(wide, THRESHOLDS.widest * height)
        band = own & ~alike & (away <= wide + THRESHOLDS.soft) & (in_air <= wide + 1)
        drawn = (
            wide > THRESHOLDS.soft
            and (rim & ~alike).sum() > THRESHOLDS.least_share * rim.sum()
            and band.any()
        )
        ink = colours[:, torch.from_numpy(band)].median(dim=1).values if drawn else None
        place = rank[labels[tuple(nearest)]]
        groups[number] = _Group(own, alike, away, wide, place, ink)
    return groups, unlike_group


def _highest_claim(
    labels: Labels,
    colours: Tensor,
    thick: Mask,
    groups: dict[int, _Group],
    members: Labels,
    unlike_group: dict[int, Mask],
    order: tuple[int, ...],
) -> Labels:
    """The rank `[h w]` of the highest part that claims a pixel near its border, -1 where none does.

    A part claims its outline, and all of a line that is hardly wider.
    """
    rank = np.argsort(order)
    unlike = _unlike_their_group(members, unlike_group)
    own_away = np.zeros(labels.shape)
    for group in groups.values():
        own_away = np.where(group.own, group.away, own_away)
    highest = np.full(labels.shape, -1)
    for group in groups.values():
        line = unlike
        if group.ink is not None:
            line = line | ~_unlike(colours, group.ink[:, None, None])
        near = group.away <= group.wide + 1
        across = max(group.wide + 2 * THRESHOLDS.soft, THRESHOLDS.crease * labels.shape[0])
        near |= (own_away > 0) & (group.away + own_away <= across)
        claim = near & line & ~group.alike & ~thick & (group.place > rank[labels])
        claim |= (group.away <= group.wide + THRESHOLDS.soft) & unlike & group.own & ~thick
        highest = np.where(claim & (group.place > highest), group.place, highest)
    return highest


def _unlike_their_group(members: Labels, unlike: dict[int, Mask]) -> Mask:
    mask = np.zeros(members.shape, np.bool_)
    for number, others in unlike.items():
        mask |= (members == number) & others
    return mask


def _usual_colours(own: Mask, colours: Tensor, width: float) -> Tensor:
    """Colours `[3 h w]` of a group inside its outline, continued over everything."""
    inner = own & (ndimage.distance_transform_edt(own) > width)
    return fill_holes(colours, torch.from_numpy(inner if inner.any() else own).float())


def _unlike(colours: Tensor, usual: Tensor) -> Mask:
    result: Mask = (((colours - usual) ** 2).sum(dim=0) > THRESHOLDS.unlike**2).numpy()
    return result
