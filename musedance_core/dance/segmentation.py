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
from torch import Tensor

from .guided_filter import apply_guide, guided_coefficients
from .label_cleaning import SETTINGS as CLEANING
from .label_cleaning import smoothed, without_detached, without_islands, without_tails
from .limb_checks import THRESHOLDS as LIMB_CHECKS
from .limb_checks import doubtful_limbs, floating_limbs, unseen_limbs, with_other_leg
from .part_distances import (
    GROUPS,
    LIMBS,
    Bone,
    bones_of,
    group_distances,
    joints_of,
    spine_of,
)
from .raster import Array, Labels, Mask, away_from, discs, line, pixels
from .regions import LimbPlaces, follow_regions
from .rig import Rig
from .sections import split_limbs
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
    geometry: float = 0.8
    """Logarithm of the largest ratio of weights that geometry gives beside the network, about limbs
    whose joints the network found, too."""
    trunk_first: float = 0.6
    """Added to the logarithm of the trunk's weight."""
    guide_radius: int = 3
    """Radius of the guided filter in pixels at the low resolution."""
    guide_noise: float = 1e-3
    """Variance of colour below which the filter smooths."""
    bone_radius: float = 0.01
    """Distance from a bone within which a pixel lies on it."""
    hand: float = 0.06
    """Half width of a hand or foot."""


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

    weights, groups = _weights(picture, rig, box, small, local.numpy())

    # Full resolution, then limb by limb.
    labels = _snapped(weights, small, guide)
    labels = torch.tensor([GROUPS.index(g) for g in groups])[labels]
    near = (joints - torch.tensor([left, top])).numpy()
    solid = (crop[3] > 0.25).numpy()
    cleaned, lost = _cleaned(labels.numpy(), guide.numpy(), solid, near)
    lost += doubtful_limbs(cleaned, guide.numpy(), solid, near, rig.certainty)
    parts = _in_segments(cleaned, near)
    lost = with_other_leg(lost + floating_limbs(parts, solid, near), near)
    segments = [PART_INDEX[name] for group in lost for name in LIMBS.get(group, (group,))]
    parts[np.isin(parts, segments)] = PART_INDEX["torso"]

    whole = np.full(picture.shape[1:], 0, np.int64)
    whole[top:bottom, left:right] = parts
    joints = joints.clone()
    for group in lost:
        joints[joints_of(group)] = math.nan
    return Segmentation(torch.from_numpy(whole), joints)


def _weights(
    picture: Tensor, rig: Rig, box: tuple[int, int, int, int], small: Tensor, joints: Array
) -> tuple[Tensor, list[str]]:
    """Weights `[g h w]` of groups at the resolution of the figure `small [4 h w]`, in which
    `joints` are, and the names of those that are there."""
    size = (small.shape[1], small.shape[2])
    # Groups without bones take no part.
    distances, groups = group_distances(small.numpy(), joints)
    logits = torch.from_numpy(-distances / (SETTINGS.softness * size[0]))
    if rig.parts is not None:
        seen = _network_groups(rig.parts, picture.shape[1:], box, size, groups)
        if rig.certainty is not None:
            # No distance outweighs the network, but about limbs with a joint that a person moved.
            moved = torch.stack([rig.certainty[joints_of(group)].isnan().any() for group in groups])
            by_hand = moved[logits.argmax(dim=0)] | moved[seen.argmax(dim=0)]
            logits = logits - logits.amax(dim=0)
            logits = torch.where(by_hand, logits, logits.clamp_min(-SETTINGS.geometry))
        logits = logits + (seen + SETTINGS.doubt).log()
        # A piece of a limb that stays with the trunk is hardly noticed; the reverse is a tear.
        logits[0] += SETTINGS.trunk_first
    return logits.softmax(dim=0), groups


def _cleaned(labels: Labels, guide: Array, solid: Mask, joints: Array) -> tuple[Labels, list[str]]:
    """Labels of groups `[h w]` whose pieces are whole and whose borders follow the picture, and
    the limbs that are not seen."""
    height, width = labels.shape
    lost = with_other_leg(unseen_limbs(labels, solid, joints), joints)
    labels = np.where(np.isin(labels, [GROUPS.index(group) for group in lost]), 0, labels)
    labels = without_tails(without_islands(labels, solid, joints), solid, joints)
    labels = smoothed(labels, CLEANING.smooth * height)
    places = _places(joints, (height, width))
    labels = follow_regions(labels, guide, solid, places)
    labels = without_detached(labels, solid, joints, [place.end for place in places])
    return _with_pelvis(labels, solid, joints), lost


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


def _places(joints: Array, shape: tuple[int, int]) -> list[LimbPlaces]:
    """The bones of every group."""
    found = []
    for group in GROUPS:
        bones = spine_of(joints) if group == "torso" else bones_of(group, joints)
        end = np.zeros(shape, np.bool_)
        if group in LIMBS and bones:
            start, tip = bones[-1]
            end = _around(
                [(tip, tip + LIMB_CHECKS.beyond_end * (tip - start))], shape, SETTINGS.hand
            )
        found.append(LimbPlaces(_around(bones, shape, SETTINGS.bone_radius), end))
    return found


def _around(bones: list[Bone], shape: tuple[int, int], radius: float) -> Mask:
    """Pixels `[h w]` within `radius` heights of bones."""
    points = np.concatenate([np.zeros((0, 2), np.float32), *(line(*bone) for bone in bones)])
    size = np.full((len(points), 1), radius * shape[0], np.float32)
    return discs(np.concatenate([points, size], axis=1), shape)


def _in_segments(labels: Labels, joints: Array) -> Labels:
    """Labels of parts `[h w]` of labels of groups."""
    inner = [
        PART_INDEX[LIMBS[group][0]] if group in LIMBS else PART_INDEX[group] for group in GROUPS
    ]
    return split_limbs(np.array(inner)[labels], joints)
