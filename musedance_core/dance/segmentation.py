"""Assignment of the pixels of a figure to its parts.

The network's part weights, where a rig has them, and distances from the bones along the figure
are combined at a low resolution, then snapped to the picture's own edges by a guided filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from .guided_filter import apply_guide, guided_coefficients
from .part_distances import GROUPS, LIMBS, bones_of, group_distances, spine_of
from .raster import Array, Labels, Mask, away_from, line, pixels
from .regions import follow_regions
from .rig import Rig
from .skeleton import BONES, INDEX, PART_INDEX


@dataclass(frozen=True)
class SegmentationSettings:
    """Lengths are in heights of the figure."""

    work_side: int = 160
    """Longest side in pixels at which membership is computed."""
    shortest_bone: float = 0.015
    """Bones shorter than that do not turn."""
    beyond: float = 0.15
    """Joints farther outside the figure's box are taken for errors."""
    softness: float = 0.02
    """Difference in distance over which the weights of two parts change by a factor e."""
    doubt: float = 0.05
    """Added to the network's weights, so that geometry decides between parts it does not see."""
    geometry: float = 1.0
    """Weight of geometry where the network's weights are given."""
    guide_radius: int = 3
    """Radius of the guided filter in pixels at the low resolution."""
    guide_noise: float = 1e-3
    """Variance of colour below which the filter smooths."""
    least_seen: float = 0.3
    """Share of a limb's bones, and of its outer one alone, that must lie on its own pixels; else
    it stays with the trunk."""
    most_of_spine: float = 0.3
    """Share of the spine that may lie on a limb's pixels; else the limb stays with the trunk, which
    it would tear."""
    floating: float = 0.04
    """Way from an elbow or knee to the segment that hangs on it, from which the limb stays with the
    trunk."""
    tail: float = 0.75
    """Half width, in radii of a part, of what is too thin to be its own ..."""
    tail_of_trunk: float = 0.02
    """... and at most so much for trunk and head."""
    smooth: float = 0.006
    """Radius over which borders between parts are made smooth."""


SETTINGS = SegmentationSettings()


@dataclass(frozen=True)
class Segmentation:
    """Parts of a picture.

    Attributes:
        labels: int64 `[h w]`, index in `PARTS` of every pixel, that of the nearest part outside the
            figure.
        joints: `[16 2]` in pixels; NaN where the joint is absent or its limb cannot be told from
            the trunk.
    """

    labels: Tensor
    joints: Tensor


def segment(picture: Tensor, rig: Rig, box: tuple[int, int, int, int]) -> Segmentation:
    """Parts of the figure of `picture [4 h w]`, straight RGBA in 0..1, that fills `box`: left, top,
    right, bottom."""
    joints = usable_joints(rig.joints.float(), box)
    left, top, right, bottom = box
    crop = picture[:, top:bottom, left:right].float()
    h, w = crop.shape[1:]
    factor = min(1.0, SETTINGS.work_side / max(h, w))
    size = (max(1, round(h * factor)), max(1, round(w * factor)))
    guide = torch.cat([crop[:3] * crop[3:], crop[3:]])
    small = F.interpolate(guide[None], size, mode="bilinear", antialias=True)[0]
    scale = torch.tensor([size[1] / w, size[0] / h])
    local = (joints - torch.tensor([left, top])) * scale

    # Membership at the low resolution; groups without bones take no part.
    distances, groups = group_distances(small.numpy(), local.numpy())
    logits = torch.from_numpy(-distances / (SETTINGS.softness * size[0]))
    if rig.parts is not None:
        seen = _network_groups(rig.parts, picture.shape[1:], box, size, groups)
        logits = (seen + SETTINGS.doubt).log() + SETTINGS.geometry * logits
    weights = logits.softmax(dim=0)

    # Full resolution, then without islands.
    labels = _snapped(weights, small, guide)
    labels = torch.tensor([GROUPS.index(g) for g in groups])[labels]
    near = (joints - torch.tensor([left, top])).numpy()
    solid = (crop[3] > 0.25).numpy()
    cleaned, lost = _without_islands(labels.numpy(), solid, near)
    cleaned = _smoothed(_without_tails(cleaned, solid, near))
    cleaned = follow_regions(cleaned, guide.numpy(), solid)
    cleaned = _with_pelvis(cleaned, solid, near)
    parts = _in_segments(cleaned, near)
    for group in _floating(parts, solid, near):
        lost.append(group)
        parts[np.isin(parts, [PART_INDEX[name] for name in LIMBS[group]])] = PART_INDEX["torso"]

    whole = np.full(picture.shape[1:], 0, np.int64)
    whole[top:bottom, left:right] = parts
    joints = joints.clone()
    for group in lost:
        joints[_joints_of(group)] = math.nan
    return Segmentation(torch.from_numpy(whole), joints)


def usable_joints(joints: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """`joints [16 2]` without those far from the figure, those that follow an absent one, and those
    of bones too short to turn."""
    left, top, right, bottom = box
    height = max(1, bottom - top)
    margin = SETTINGS.beyond * height
    low, high = torch.tensor([left, top]) - margin, torch.tensor([right, bottom]) + margin
    near = ((joints >= low) & (joints <= high)).all(dim=-1)
    joints = torch.where(near[:, None], joints, torch.full_like(joints, math.nan))
    for inner, outer in LIMBS.values():
        for start, end in (BONES[inner], BONES[outer]):
            length = (joints[end] - joints[start]).norm()
            if not bool(length > SETTINGS.shortest_bone * height):
                joints[end] = math.nan
        if bool(joints[BONES[inner][1]].isnan().any()):
            joints[BONES[inner][0]] = math.nan
    neck, head = INDEX["neck"], INDEX["head_top"]
    if not bool((joints[head] - joints[neck]).norm() > SETTINGS.shortest_bone * height):
        joints[head] = math.nan
    return joints


def _joints_of(group: str) -> list[int]:
    if group == "head":
        return [INDEX["head_top"]]
    inner, outer = LIMBS[group]
    return [*BONES[inner], BONES[outer][1]]


def _network_groups(
    parts: Tensor,
    whole: torch.Size,
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    groups: list[str],
) -> Tensor:
    """The network's weights of `groups` in `box`, `[g *size]`; absent groups count as trunk."""
    left, top, right, bottom = box
    h, w = whole
    y = (top + (torch.arange(size[0]) + 0.5) * (bottom - top) / size[0]) * 2 / h - 1
    x = (left + (torch.arange(size[1]) + 0.5) * (right - left) / size[1]) * 2 / w - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)
    weights = F.grid_sample(
        parts[None].float(), grid[None], padding_mode="border", align_corners=False
    )[0].clamp_min(0)
    weights = torch.nan_to_num(weights)
    members = {"torso": ["torso"], "head": ["head"], **{k: list(v) for k, v in LIMBS.items()}}
    sums = {g: weights[[PART_INDEX[name] for name in members[g]]].sum(dim=0) for g in GROUPS}
    for group in GROUPS[1:]:
        if group not in groups:
            sums["torso"] = sums["torso"] + sums[group]
    stacked = torch.stack([sums[g] for g in groups])
    return stacked / stacked.sum(dim=0).clamp_min(SETTINGS.doubt)


def _snapped(weights: Tensor, small: Tensor, guide: Tensor) -> Tensor:
    """The strongest group `[h w]` at the resolution of `guide [4 h w]`, of `weights [g h' w']` over
    `small [4 h' w']`: locally, weights are linear in the guide's channels."""
    coefficients = guided_coefficients(small, weights, SETTINGS.guide_radius, SETTINGS.guide_noise)
    # Group by group: all coefficients of a large picture would need much memory.
    best = torch.full(guide.shape[1:], -math.inf)
    labels = torch.zeros(guide.shape[1:], dtype=torch.int64)
    for i in range(len(weights)):
        score = apply_guide(coefficients[i], guide)
        labels[score > best] = i
        best = torch.maximum(best, score)
    return labels


def _without_islands(labels: Labels, solid: Mask, joints: Array) -> tuple[Labels, list[str]]:
    """Labels of groups `[h w]` without specks, and the limbs that are too little to see."""
    shape = (labels.shape[0], labels.shape[1])
    lost: list[str] = []
    for group in GROUPS[2:]:
        number = GROUPS.index(group)
        bones = bones_of(group, joints)
        if not bones:
            continue
        places = [pixels(line(*bone), shape) for bone in bones]
        seen = [(labels[at] == number) & solid[at] for at in places]
        least = min(
            share.mean() if len(share) else 0.0 for share in (np.concatenate(seen), seen[-1])
        )
        spine = spine_of(joints)
        # The spine of a rig made by hand may be outside of the picture.
        middle = pixels(np.concatenate([line(*bone) for bone in spine]), shape) if spine else None
        on_spine = labels[middle] == number if middle is not None else np.zeros(0, np.bool_)
        tears = on_spine.size > 0 and on_spine.mean() > SETTINGS.most_of_spine
        if least < SETTINGS.least_seen or tears:
            lost.append(group)
            labels = np.where(labels == number, 0, labels)
    # Who stands on one leg alone cannot lift it.
    legs = [g for g in ("right_leg", "left_leg") if bones_of(g, joints)]
    if any(leg in lost for leg in legs):
        lost += [leg for leg in legs if leg not in lost]
        labels = np.where(np.isin(labels, [GROUPS.index(leg) for leg in legs]), 0, labels)
    unsure = np.zeros(shape, np.bool_)
    for number, group in enumerate(GROUPS):
        own = (labels == number) & solid
        pieces, count = ndimage.label(own)
        if count < 2:
            continue
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        keep = sizes >= 0.25 * sizes.max()
        if group != "torso":
            bones = bones_of(group, joints)
            lines = (
                np.concatenate([line(*bone) for bone in bones])
                if bones
                else np.zeros((0, 2), np.float32)
            )
            touched = np.unique(pieces[pixels(lines, shape)])
            keep[touched] |= sizes[touched] >= 0.02 * sizes.max()
        keep[0] = False
        unsure |= own & ~keep[pieces]
    return spread(labels, solid & ~unsure, solid), lost


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


def _without_tails(labels: Labels, solid: Mask, joints: Array) -> Labels:
    """Labels of groups `[h w]` where outlines of one part that were taken for another one, and all
    else that is much thinner than its part, have the label of the nearest thick part."""
    shape = (labels.shape[0], labels.shape[1])
    stay = np.zeros(shape, np.bool_)
    for number, group in enumerate(GROUPS):
        own = (labels == number) & solid
        if not own.any():
            continue
        depth = ndimage.distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
        bones = bones_of(group, joints) if number else spine_of(joints)
        lines = (
            np.concatenate([line(*bone) for bone in bones])
            if bones
            else np.zeros((0, 2), np.float32)
        )
        along = depth[pixels(lines, shape)]
        usual = float(np.median(along[along > 0])) if (along > 0).any() else float(depth.max())
        radius = SETTINGS.tail * usual
        if group in ("torso", "head"):
            radius = min(radius, SETTINGS.tail_of_trunk * shape[0])
        core = depth > radius
        stay |= own & (ndimage.distance_transform_edt(~core) <= radius + 0.5)
    return spread(labels, stay, solid)


def _smoothed(labels: Labels) -> Labels:
    """Labels of groups `[h w]` with smooth borders."""
    radius = round(SETTINGS.smooth * labels.shape[0])
    if radius < 1:
        return labels
    best = torch.full(labels.shape, -1.0)
    result = torch.zeros(labels.shape, dtype=torch.int64)
    for number in np.unique(labels):
        share = torch.from_numpy(labels == number).float()[None]
        for _ in range(2):
            share = F.avg_pool2d(share, 2 * radius + 1, 1, radius, count_include_pad=False)
        result[share[0] > best] = int(number)
        best = torch.maximum(best, share[0])
    return result.numpy()


def _with_pelvis(labels: Labels, solid: Mask, joints: Array) -> Labels:
    """Labels of groups `[h w]` where legs that touch hang on a pelvis that is the trunk's."""
    hips = np.stack([joints[INDEX[f"{side}_hip"]] for side in ("right", "left")])
    knees = np.stack([joints[INDEX[f"{side}_knee"]] for side in ("right", "left")])
    if not (np.isfinite(hips).all() and np.isfinite(knees).all()):
        return labels
    radius = float(np.linalg.norm(hips[1] - hips[0])) / 2
    middle, down = hips.mean(axis=0), (knees - hips).mean(axis=0)
    between = middle + 0.7 * radius * down / max(1e-6, float(np.linalg.norm(down)))
    at = pixels(between[None], (labels.shape[0], labels.shape[1]))
    legs = np.isin(labels, [GROUPS.index("right_leg"), GROUPS.index("left_leg")]) & solid
    if not legs[at].any():
        return labels
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32) + 0.5
    points = np.stack([x[legs], y[legs]], axis=1)
    result = labels.copy()
    result[legs] = np.where(away_from(points, hips[0], hips[1]) < radius, 0, labels[legs])
    return result


def _in_segments(labels: Labels, joints: Array) -> Labels:
    """Labels of parts `[h w]` of labels of groups: each pixel of a limb is of the nearer bone."""
    parts = np.where(labels == GROUPS.index("head"), PART_INDEX["head"], PART_INDEX["torso"])
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32) + 0.5
    for group, (inner, outer) in LIMBS.items():
        own = labels == GROUPS.index(group)
        bones = bones_of(group, joints)
        if not own.any() or not bones:
            continue
        parts[own] = PART_INDEX[inner]
        if len(bones) == 2:
            points = np.stack([x[own], y[own]], axis=1)
            nearer = away_from(points, *bones[1]) < away_from(points, *bones[0])
            parts[own] = np.where(nearer, PART_INDEX[outer], PART_INDEX[inner])
    return parts.astype(np.int64)


def _floating(parts: Labels, solid: Mask, joints: Array) -> list[str]:
    """Limbs whose outer segment is seen, but most of it not at the joint on which it hangs."""
    found = []
    for group, (inner, outer) in LIMBS.items():
        joint = joints[BONES[inner][1]]
        pieces, count = ndimage.label((parts == PART_INDEX[outer]) & solid)
        largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if count else 0
        rows, columns = np.nonzero(pieces == largest)
        if count and np.isfinite(joint).all():
            away = np.hypot(columns + 0.5 - joint[0], rows + 0.5 - joint[1]).min()
            if away > SETTINGS.floating * parts.shape[0]:
                found.append(group)
    return found
