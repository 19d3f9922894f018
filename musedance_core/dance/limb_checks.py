"""Limbs that a picture does not show well enough to move them: they stay with the body."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from torch import Tensor

from .part_distances import GROUPS, LIMBS, Bone, bones_of, joints_of, spine_of
from .raster import Array, Labels, Mask, away_from, discs, half_width, line, pixels
from .skeleton import BONES, PART_INDEX


@dataclass(frozen=True)
class LimbThresholds:
    """Lengths are in heights of the figure."""

    least_seen: float = 0.3
    """Share of a limb's bones, and of its outer one alone, that must lie on its own pixels."""
    most_of_spine: float = 0.3
    """Share of the spine that may lie on a limb's pixels: more would tear the trunk."""
    floating: float = 0.04
    """Greatest way from an elbow or knee to the segment that hangs on it."""
    least_certain: float = 0.34
    """Least probability that elbow and wrist, or knee and ankle, are near their places."""
    attached: float = 1.2
    """Greatest length of the border between a limb of which the network is certain and the rest, in
    lengths of the limb, and less with less certainty: it may be a cape, a wing or an arm that lies
    on the trunk."""
    hidden: float = 0.04
    """Longest piece of that border that no edge of the picture shows: it would look torn ..."""
    beside: float = 0.5
    """Length of the border, in lengths of the limb, from which the limb lies along the rest, ..."""
    hidden_beside: float = 0.015
    """... where that piece is at most so long."""
    across: float = 0.01
    """Way to both sides of a border on which an edge of the picture shows it, ..."""
    edge: float = 0.1
    """... and the least change of one colour channel that is an edge."""
    beyond_end: float = 0.35
    """Length of a hand or foot beyond its bone, in that of forearm or shin."""
    tip: float = 0.01
    """Greatest way from wrist or ankle to the limb: beyond it, hand or foot would stay behind."""
    scattered: float = 0.1
    """Share of a limb in pieces away from its bones: they would fly."""
    crossing: float = 0.15
    """Share of its bones, between their ends on the limb, on something else of the figure."""
    far: float = 0.3
    """Distance from its bones, in their length, at which a limb is something else: a spear, a wing,
    hair ..."""
    far_width: float = 2.0
    """... but at least so many of its radii."""
    holding: float = 0.1
    """Greatest share of a limb that is something else."""
    root: float = 0.3
    """Distance from the shoulder, in lengths of the arm, within which it joins the trunk, ..."""
    root_of_leg: float = 0.25
    """... the same of hips and legs ..."""
    root_width: float = 2.4
    """... but at least so many of the limb's radii, ..."""
    largest_root: float = 0.6
    """... as far as that is at most so much of its length."""
    neck: float = 0.9
    """The same for the head, around the neck, in radii of a head as large as a square."""


THRESHOLDS = LimbThresholds()


def unseen_limbs(labels: Labels, solid: Mask, joints: Array) -> list[str]:
    """Limbs of which the labels of groups `[h w]` show too little, or which lie on the spine."""
    shape = (labels.shape[0], labels.shape[1])
    lost: list[str] = []
    spine = spine_of(joints)
    # The spine of a rig made by hand may be outside of the picture.
    middle = pixels(np.concatenate([line(*bone) for bone in spine]), shape) if spine else None
    for group in LIMBS:
        number = GROUPS.index(group)
        bones = bones_of(group, joints)
        if not bones:
            continue
        places = [pixels(line(*bone), shape) for bone in bones]
        seen = [(labels[at] == number) & solid[at] for at in places]
        least = min(
            share.mean() if len(share) else 0.0 for share in (np.concatenate(seen), seen[-1])
        )
        on_spine = labels[middle] == number if middle is not None else np.zeros(0, np.bool_)
        tears = on_spine.size > 0 and on_spine.mean() > THRESHOLDS.most_of_spine
        if least < THRESHOLDS.least_seen or tears:
            lost.append(group)
    return lost


def doubtful_limbs(
    labels: Labels, colours: Array, solid: Mask, joints: Array, certainty: Tensor | None
) -> list[str]:
    """Limbs, and the head, that would look torn if they moved, in labels of groups `[h w]`.

    Their joints may be elsewhere, their pixels are scattered, or away from the joint on which they
    hang they go on into the rest of the figure.

    Args:
        labels: group of every pixel.
        colours: premultiplied colours `[c h w]` in 0..1.
        solid: the figure's pixels `[h w]`.
        joints: `[16 2]` in pixels.
        certainty: `[16]` as in `Rig`; limbs with a joint that a person placed are not doubted.
    """
    if certainty is None:
        return []
    found: list[str] = []
    for group in GROUPS[1:]:
        own = (labels == GROUPS.index(group)) & solid
        bones = bones_of(group, joints)
        if not bones or not own.any() or bool(certainty[joints_of(group)].isnan().any()):
            continue
        border, hidden = _borders_away_from(_root(group, bones, own), own, colours, solid)
        most, torn = THRESHOLDS.hidden, False
        if group in LIMBS:
            sure = float(certainty[list(BONES[LIMBS[group][1]])].prod())
            along = border.sum() / _length(bones)
            most = THRESHOLDS.hidden_beside if along > THRESHOLDS.beside else most
            torn = sure < THRESHOLDS.least_certain or bool(along > THRESHOLDS.attached * sure)
            torn = torn or _off_bones(own, bones, solid)
        if torn or _longest(hidden) > most * labels.shape[0]:
            found.append(group)
    return found


def _length(bones: list[Bone]) -> float:
    return sum(float(np.hypot(*(b - a))) for a, b in bones)


def _root(group: str, bones: list[Bone], own: Mask) -> Mask:
    """Pixels `[h w]` around the joint on which a limb or the head hangs, where it joins the
    trunk."""
    if group == "head":
        radius = THRESHOLDS.neck * math.sqrt(own.sum()) / 2
    else:
        share = THRESHOLDS.root if group.endswith("arm") else THRESHOLDS.root_of_leg
        width = THRESHOLDS.root_width * half_width(own) / _length(bones)
        radius = max(share, min(width, THRESHOLDS.largest_root)) * _length(bones)
    x, y = bones[0][0]
    return discs(np.array([[x, y, radius]], np.float32), (own.shape[0], own.shape[1]))


def _off_bones(own: Mask, bones: list[Bone], solid: Mask) -> bool:
    """Whether too much of a limb is away from its bones, or of its bones away from it."""
    shape = (own.shape[0], own.shape[1])
    start, end = bones[-1]
    tip = np.array([[*end, max(1.0, THRESHOLDS.tip * shape[0])]], np.float32)
    at_tip = discs(tip, shape) & solid
    if at_tip.any() and not own[at_tip].any():
        return True
    along = pixels(np.concatenate([line(*bone) for bone in bones]), shape)
    on = np.flatnonzero(own[along])
    if not len(on):
        return True
    between = (solid & ~own)[along][on[0] : on[-1]]
    if between.size and between.mean() > THRESHOLDS.crossing:
        return True
    # A hand or a foot goes on beyond its bone.
    bones = [*bones, (end, end + THRESHOLDS.beyond_end * (end - start))]
    pieces, count = ndimage.label(own, np.ones((3, 3)))
    bare = np.ones(count + 1, np.bool_)
    bare[pieces[pixels(np.concatenate([line(*bone) for bone in bones]), shape)]] = False
    # Beyond a gap, a piece that hangs on something else is not the limb's.
    touching = own & ndimage.binary_dilation(solid & ~own, np.ones((3, 3)))
    hanging = np.unique(pieces[touching])
    bare[hanging[hanging != pieces[along][on[0]]]] = True
    if bare[pieces][own].mean() > THRESHOLDS.scattered:
        return True
    places = np.argwhere(own)[:, ::-1].astype(np.float32) + 0.5
    away = np.min([away_from(places, *bone) for bone in bones], axis=0)
    far = max(THRESHOLDS.far * _length(bones[:-1]), THRESHOLDS.far_width * half_width(own))
    return bool((away > far).mean() > THRESHOLDS.holding)


def _borders_away_from(root: Mask, own: Mask, colours: Array, solid: Mask) -> tuple[Mask, Mask]:
    """Pixels `[h w]` of a part that touch others away from its `root`, and those of them where no
    edge of the picture shows the border."""
    border = own & ndimage.binary_dilation(solid & ~own) & ~root
    hidden = np.zeros_like(border)
    hidden[border] = _change_across(own, colours, solid, border) < THRESHOLDS.edge
    return border, hidden


def _change_across(own: Mask, colours: Array, solid: Mask, border: Mask) -> Array:
    """Greatest change `[n]` of one channel along short lines across a part's border, at the pixels
    of `border [h w]`."""
    reach = max(2.0, THRESHOLDS.across * own.shape[0])
    inside, whole = (
        ndimage.gaussian_filter(mask.astype(np.float32), reach) for mask in (own & solid, solid)
    )
    slope = np.stack(np.gradient(inside / np.maximum(whole, 1e-4)))[:, border]
    slope /= np.maximum(np.linalg.norm(slope, axis=0), 1e-6)
    places = np.argwhere(border).T
    limits = np.array(own.shape)[:, None] - 1
    samples = []
    for step in np.linspace(-reach, reach, 2 * round(reach) + 1):
        rows, columns = np.rint(places + step * slope).astype(np.int64).clip(0, limits)
        samples.append(colours[:, rows, columns])
    result: Array = np.ptp(np.stack(samples), axis=0).max(axis=0)
    return result


def _longest(mask: Mask) -> int:
    """Number of pixels of the largest piece of a thin `mask`."""
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    return int(np.bincount(pieces.ravel())[1:].max()) if count else 0


def with_other_leg(lost: list[str], joints: Array) -> list[str]:
    """Lost limbs, each once, with the other leg if one leg is lost: who stands on one leg cannot
    lift it."""
    legs = ["right_leg", "left_leg"]
    if any(leg in lost or not bones_of(leg, joints) for leg in legs):
        lost = lost + legs
    return list(dict.fromkeys(lost))


def floating_limbs(parts: Labels, solid: Mask, joints: Array) -> list[str]:
    """Limbs whose outer segment is seen in labels of parts `[h w]`, but most of it not at the joint
    on which it hangs."""
    found = []
    for group, (inner, outer) in LIMBS.items():
        joint = joints[BONES[inner][1]]
        pieces, count = ndimage.label((parts == PART_INDEX[outer]) & solid)
        largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if count else 0
        rows, columns = np.nonzero(pieces == largest)
        if count and np.isfinite(joint).all():
            away = np.hypot(columns + 0.5 - joint[0], rows + 0.5 - joint[1]).min()
            if away > THRESHOLDS.floating * parts.shape[0]:
                found.append(group)
    return found
