"""Labels of pixels made whole: pieces, tails and specks go to the part that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from .part_distances import GROUPS, LIMB_OF_PART, bones_of, spine_of
from .raster import Array, Labels, Mask, depths, hull, line, pixels
from .skeleton import PARTS


@dataclass(frozen=True)
class CleaningSettings:
    """Lengths are in heights of the figure."""

    large: float = 0.25
    """Size of a piece, in that of the largest one of its part, from which it is none by chance."""
    on_bone: float = 0.02
    """The same for pieces on the part's bones."""
    tail: float = 0.75
    """Half width, in radii of a part, of what is too thin to be its own ..."""
    tail_of_trunk: float = 0.02
    """... and at most so much for trunk and head."""
    smooth: float = 0.009
    """Radius over which borders between groups are made smooth."""
    smooth_parts: float = 0.008
    """The same of borders between parts that follow outlines."""
    touching: float = 0.6
    """Least contact of a changed piece with the part that it goes to, in that with the part that it
    leaves."""
    speck: float = 0.01
    """Side of a square as large as the largest piece that is a speck."""
    at_end: float = 0.5
    """Share of a piece without bones around the end of a limb from which it is hand or foot."""
    of_limb: float = 0.9
    """Share of a piece's contacts with other parts that are those of one limb, from which the piece
    hangs on it."""
    behind: float = 0.5
    """Share of a piece inside the convex hull of the rest of its part, from which it is the same
    thing, seen beyond something in front of it."""


SETTINGS = CleaningSettings()


def without_islands(labels: Labels, solid: Mask, joints: Array) -> Labels:
    """Labels of groups `[h w]` without pieces that are small and not on the group's bones."""
    shape = (labels.shape[0], labels.shape[1])
    unsure = np.zeros(shape, np.bool_)
    for number, group in enumerate(GROUPS):
        own = (labels == number) & solid
        pieces, count = ndimage.label(own)
        if count < 2:
            continue
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        keep = sizes >= SETTINGS.large * sizes.max()
        if group != "torso":
            touched = np.unique(pieces[pixels(_points(bones_of(group, joints)), shape)])
            keep[touched] |= sizes[touched] >= SETTINGS.on_bone * sizes.max()
        keep[0] = False
        unsure |= own & ~keep[pieces]
    return spread(labels, solid & ~unsure, solid)


def without_detached(labels: Labels, solid: Mask, joints: Array, ends: Sequence[Mask]) -> Labels:
    """Labels of groups `[h w]` where pieces of the figure on which no bone lies, such as shadows on
    the ground, are the trunk's, unless they are the head's or a hand or foot, around the `ends` of
    their group's bones."""
    shape = (labels.shape[0], labels.shape[1])
    pieces, count = ndimage.label(solid, np.ones((3, 3)))
    if count < 2:
        return labels
    stay = np.zeros(count + 1, np.bool_)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    for number, (group, end) in enumerate(zip(GROUPS, ends, strict=True)):
        bones = bones_of(group, joints) if number else spine_of(joints)
        stay[np.unique(pieces[pixels(_points(bones), shape)])] = True
        at_end = np.bincount(pieces[end & (labels == number)], minlength=count + 1)
        stay |= at_end > SETTINGS.at_end * sizes
    lost = solid & ~stay[pieces] & (labels != GROUPS.index("head"))
    return np.where(lost, 0, labels)


def spread(labels: Labels, stay: Mask, solid: Mask) -> Labels:
    """`labels [h w]` of the pixels that `stay`, continued along what is `solid`, then through the
    air, to all others."""
    if not stay.any():
        return labels
    known = torch.from_numpy(np.where(stay, labels + 1, 0)).float()
    room = torch.from_numpy(solid).float()
    while True:
        # Neighbours first: a thin outline goes to what it surrounds, not across a gap of air.
        grown = torch.where(known > 0, known, F.max_pool2d(known[None], 3, 1, 1)[0]) * room
        if bool((grown == known * room).all()):
            break
        known = torch.maximum(known, grown)
    found = known.long().numpy() - 1
    if (found >= 0).all():
        return found
    nearest = ndimage.distance_transform_edt(found < 0, return_distances=False, return_indices=True)
    result: Labels = found[tuple(nearest)]
    return result


def without_tails(labels: Labels, solid: Mask, joints: Array) -> Labels:
    """Labels of groups `[h w]` where outlines of one part that were taken for another one, and all
    else that is much thinner than its part and lies along others, have the label of the nearest
    thick part."""
    shape = (labels.shape[0], labels.shape[1])
    stay = np.zeros(shape, np.bool_)
    for number, group in enumerate(GROUPS):
        own = (labels == number) & solid
        if not own.any():
            continue
        depth = depths(own)
        bones = bones_of(group, joints) if number else spine_of(joints)
        along = depth[pixels(_points(bones), shape)]
        usual = float(np.median(along[along > 0])) if (along > 0).any() else float(depth.max())
        radius = SETTINGS.tail * usual
        if group in ("torso", "head"):
            radius = min(radius, SETTINGS.tail_of_trunk * shape[0])
        core = depth > radius
        stay |= own & (ndimage.distance_transform_edt(~core) <= radius + 0.5)
    # Fingers and toes are thin too, but touch little else than their own limb.
    pieces = label_pieces(labels, solid & ~stay)
    touching = _contacts(pieces, labels, solid, len(GROUPS))
    own_label = np.zeros(len(touching), np.int64)
    own_label[pieces] = labels
    own = touching[np.arange(len(touching)), own_label]
    ends = 2 * own >= touching.sum(axis=1)
    stay |= (pieces > 0) & ends[pieces] & (own > 0)[pieces]
    return spread(labels, stay, solid)


def smoothed(labels: Labels, radius: float) -> Labels:
    """Labels `[h w]` whose borders are smooth over `radius` pixels."""
    size = round(radius)
    if size < 1:
        return labels
    best = np.full(labels.shape, -1.0, np.float32)
    result = np.zeros(labels.shape, np.int64)
    for number in np.unique(labels):
        share = (labels == number).astype(np.float32)
        for _ in range(2):
            share = ndimage.uniform_filter(share, 2 * size + 1, mode="nearest")
        result[share > best] = int(number)
        best = np.maximum(best, share)
    return result


def touching_changes(
    before: Labels, after: Labels, solid: Mask, certain: Mask | None = None
) -> Labels:
    """Labels `[h w]` after a change, as before it where a changed piece touches its new part much
    less than its old one; changes of `certain` pixels stay."""
    count = int(max(before.max(), after.max())) + 1
    changed = solid & (before != after)
    if certain is not None:
        changed &= ~certain
    # Pieces of one change: from one label to one label.
    pieces = label_pieces(before * count + after, changed)
    table = _contacts(pieces, after, solid, count)
    old, new = np.zeros((2, len(table)), np.int64)
    old[pieces], new[pieces] = before, after
    index = np.arange(len(table))
    fits = table[index, new] >= SETTINGS.touching * table[index, old]
    return np.where(changed & ~fits[pieces], before, after)


def in_one_piece(labels: Labels, solid: Mask) -> Labels:
    """Labels of parts `[h w]` where each piece of a part that hangs on another limb, or is a speck,
    belongs to what it hangs on; those outside the figure are those of the nearest pixel of it."""
    for _ in range(3):
        pieces = label_pieces(labels, solid)
        touching = _contacts(pieces, labels, solid, len(PARTS))
        target = _owners(labels, pieces, touching)
        if (target[pieces] == labels)[solid].all():
            break
        labels = np.where(pieces > 0, target[pieces], labels)
    # Soft edges of the figure move with what is inside of them.
    return spread(labels, solid, solid)


def _owners(labels: Labels, pieces: Labels, touching: NDArray[np.int64]) -> NDArray[np.int64]:
    """The part `[pieces]` that each piece belongs to, of labels `[h w]`, whose contacts are
    `touching [pieces parts]`."""
    sizes = np.bincount(pieces.ravel(), minlength=len(touching))
    target = np.zeros(len(touching), np.int64)
    target[pieces] = labels
    limb_of = np.array(LIMB_OF_PART)
    speck = max(4.0, (SETTINGS.speck * labels.shape[0]) ** 2)
    for part in np.unique(target[1:]):
        in_limb = PARTS[part] not in ("torso", "head")
        own = 1 + np.flatnonzero(target[1:] == part)
        main = own[np.argmax(sizes[own])]
        for piece in own[(own != main) & (touching[own].sum(axis=1) > 0)]:
            nearest = int(np.argmax(touching[piece]))
            along = touching[piece][limb_of == limb_of[nearest]].sum()
            small = max(speck, SETTINGS.large * sizes[main] if in_limb else 0.0)
            if sizes[piece] > small and along < SETTINGS.of_limb * touching[piece].sum():
                continue
            # Trunk and head are seen on both sides of what is in front of them.
            beyond = sizes[piece] > speck and not in_limb
            if beyond and hull(pieces == main)[pieces == piece].mean() > SETTINGS.behind:
                continue
            target[piece] = nearest
    return target


def label_pieces(labels: Labels, members: Mask) -> Labels:
    """Numbers `[h w]` of connected pieces of `members` with one label, 0 elsewhere."""
    numbers = np.zeros(labels.shape, np.int64)
    count = 0
    for label in np.unique(labels[members]):
        own, found = ndimage.label((labels == label) & members, np.ones((3, 3)))
        numbers = np.where(own > 0, own + count, numbers)
        count += found
    return numbers


def _contacts(pieces: Labels, labels: Labels, solid: Mask, count: int) -> NDArray[np.int64]:
    """Numbers of neighbouring pixels `[pieces count]` of each label outside of each piece."""
    table = np.zeros((int(pieces.max()) + 1, count), np.int64)
    whole = slice(None)
    for first, second in (
        ((slice(None, -1), whole), (slice(1, None), whole)),
        ((whole, slice(None, -1)), (whole, slice(1, None))),
    ):
        for a, b in ((first, second), (second, first)):
            beside = (pieces[a] > 0) & (pieces[a] != pieces[b]) & solid[b]
            np.add.at(table, (pieces[a][beside], labels[b][beside]), 1)
    return table


def _points(bones: list[tuple[Array, Array]]) -> Array:
    """Points `[n 2]` along bones."""
    if not bones:
        return np.zeros((0, 2), np.float32)
    return np.concatenate([line(*bone) for bone in bones])
