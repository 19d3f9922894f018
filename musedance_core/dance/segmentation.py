"""Which part of a figure each pixel belongs to.

The network's part weights, where a rig has them, and distances from the bones along the figure
are combined at a low resolution, then snapped to the picture's own edges by a guided filter
(He, Sun and Tang, "Guided Image Filtering", 2010) with coefficients of the low resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from .rig import Rig
from .skeleton import INDEX, PART_INDEX, SEGMENTS

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]

GROUPS = ("torso", "head", "right_arm", "left_arm", "right_leg", "left_leg")
"""Trunk, head and whole limbs; limbs are cut into segments afterwards."""
LIMBS = {
    f"{side}_{limb}": (f"{side}_{inner}", f"{side}_{outer}")
    for side in ("right", "left")
    for limb, inner, outer in (("arm", "upper_arm", "forearm"), ("leg", "thigh", "shin"))
}
"""Segments of each limb, from the trunk outwards."""


@dataclass(frozen=True)
class Settings:
    """Lengths are in heights of the figure."""

    work_side: int = 160
    """Longest side in pixels at which membership is computed."""
    shortest_bone: float = 0.015
    """Bones shorter than that do not turn."""
    beyond: float = 0.15
    """Joints farther outside the figure's box are taken for errors."""
    air: float = 12.0
    """Length of a step outside the figure in lengths of one inside."""
    edge: float = 0.4
    """Length that the greatest change of colour adds to a way."""
    noise: float = 0.04
    """Change of colour that adds nothing."""
    softness: float = 0.02
    """Difference in distance over which the weights of two parts change by a factor e."""
    limb_start: float = 0.15
    """Share of a limb's first bone that is left to the trunk."""
    radius_quantile: float = 0.3
    """Quantile of the figure's depth along a limb that is the limb's radius."""
    off_middle: float = 0.02
    """Distance of a bone from the middle of its limb."""
    hidden: float = 1.7
    """Depth in radii of the limb from which a bone lies under the trunk, if the colour is its
    too."""
    surely_hidden: float = 3.0
    """Depth in radii from which the first bone of a limb does whatever the colour."""
    alike: float = 0.2
    """Distance of colours that are those of the trunk."""
    strong_edge: float = 0.3
    """Change of colour that the trunk's seeds do not cross."""
    reach: float = 2.5
    """Radii of a limb from its bones within which all that is near is its own."""
    beyond_reach: float = 20.0
    """Length of a step beyond that."""
    hand: float = 0.13
    """The same for hands and feet, from wrist and ankle ..."""
    hand_of_limb: float = 0.8
    """... but at most so many lengths of the limb."""
    clearance: float = 0.02
    """Way between the trunk's seeds and those of other parts."""
    shrunk: float = 0.15
    """Share of the way to its middle by which the trunk's polygon is made smaller."""
    least_seen: float = 0.3
    """Share of a limb's bones that must lie on its own pixels; else it stays with the trunk."""
    smooth: float = 0.006
    """Radius in heights over which borders between parts are made smooth."""
    tail: float = 0.75
    """Half width, in radii of a part, of what is too thin to be its own ..."""
    tail_of_trunk: float = 0.02
    """... and at most so much for trunk and head."""
    guide_radius: int = 3
    """Radius of the guided filter in pixels at the low resolution."""
    guide_noise: float = 1e-3
    """Variance of colour below which the filter smooths."""
    doubt: float = 0.02
    """Added to the network's weights, so that geometry decides between parts it does not see."""
    geometry: float = 0.35
    """Weight of geometry where the network's weights are given."""


SETTINGS = Settings()


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
    guide = _guide(crop)
    small = F.interpolate(guide[None], size, mode="bilinear", antialias=True)[0]
    scale = torch.tensor([size[1] / w, size[0] / h])
    local = (joints - torch.tensor([left, top])) * scale

    # Membership at the low resolution; groups without bones take no part.
    distances, groups = _distances(small.numpy(), local.numpy())
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
    cleaned = _with_pelvis(cleaned, solid, near)
    parts = _in_segments(cleaned, near)

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
    chains = [*(list(LIMBS[limb]) for limb in LIMBS)]
    for inner, outer in chains:
        for start, end in (SEGMENTS[inner], SEGMENTS[outer]):
            length = (joints[end] - joints[start]).norm()
            if not bool(length > SETTINGS.shortest_bone * height):
                joints[end] = math.nan
        if bool(joints[SEGMENTS[inner][1]].isnan().any()):
            joints[SEGMENTS[inner][0]] = math.nan
    neck, head = INDEX["neck"], INDEX["head_top"]
    if not bool((joints[head] - joints[neck]).norm() > SETTINGS.shortest_bone * height):
        joints[head] = math.nan
    return joints


def _guide(crop: Tensor) -> Tensor:
    """Premultiplied RGBA: colours and outline to which parts snap."""
    return torch.cat([crop[:3] * crop[3:], crop[3:]])


def _joints_of(group: str) -> list[int]:
    if group == "head":
        return [INDEX["head_top"]]
    inner, outer = LIMBS[group]
    return [*SEGMENTS[inner], SEGMENTS[outer][1]]


def _bones(group: str, joints: Array) -> list[tuple[Array, Array]]:
    """The bones of a limb or of the head that are there, as pairs of points."""
    if group == "head":
        pairs = [(INDEX["neck"], INDEX["head_top"])]
    else:
        pairs = [SEGMENTS[name] for name in LIMBS[group]]
    bones = [(joints[a], joints[b]) for a, b in pairs]
    return [(a, b) for a, b in bones if np.isfinite(a).all() and np.isfinite(b).all()]


def _line(start: Array, end: Array) -> Array:
    """Points `[n 2]` from `start` to `end`, half a pixel apart."""
    count = max(2, min(4096, math.ceil(2 * float(np.hypot(*(end - start))))))
    return start + np.linspace(0, 1, count, dtype=np.float32)[:, None] * (end - start)


def _pixels(points: Array, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pixels under `points [n 2]`, as far as they are in the picture."""
    column, row = np.floor(points).astype(np.int64).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    return row[inside], column[inside]


def _distances(guide: Array, joints: Array) -> tuple[Array, list[str]]:
    """Ways along the figure from the seeds of every group that is there, `[g h w]`, and those
    groups' names."""
    solid = guide[3] > 0.5
    shape = (solid.shape[0], solid.shape[1])
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(solid, 1)), np.float32)[1:-1, 1:-1]
    # Bones off the middle of their limb: its depth nearby.
    thick = ndimage.maximum_filter(depth, 2 * round(SETTINGS.off_middle * shape[0]) + 1)
    polygon = _trunk_polygon(solid, depth, joints)
    colour = np.median(guide[:3][:, polygon], axis=1) if polygon.any() else np.zeros(3)
    graph = _graph(guide, solid, SETTINGS.edge)
    masks, thicker = {}, {}
    for group in GROUPS[1:]:
        bones = _bones(group, joints)
        if not bones:
            continue
        mask = np.zeros(shape, np.bool_)
        if group == "head":
            # A big head is seeded by the discs that fit in it.
            neck, top = bones[0]
            mask[_pixels(_line(neck + 0.2 * (top - neck), top), shape)] = True
            mask |= _discs(_head_centres(bones[0], depth), shape)
            mask &= solid
            thicker[group] = mask
        else:
            points, hidden = _limb_points(bones, guide, depth, thick, colour)
            mask[_pixels(points, shape)] = True
            polygon[_pixels(hidden, shape)] = True
            mask &= solid
            if mask.any():
                mask, thicker[group] = _thick(mask, graph, thick, bones[-1][1])
        if mask.any():
            masks[group] = mask
    # Inside the head's half plane, the trunk's discs end at edges of colour; else only near limbs.
    trunk = _trunk_seeds(polygon, masks, np.minimum(depth, _to_edges(guide)))
    trunk |= _trunk_seeds(polygon, thicker, depth) & ~_above_neck(shape, joints)
    seeds = {"torso": trunk} | {g: m & ~trunk for g, m in masks.items() if (m & ~trunk).any()}
    groups = list(seeds)
    distances = np.stack([_ways(graph, seeds[g]) for g in groups])
    plain = _graph(guide, solid, 0.0)
    for i, group in enumerate(groups):
        if group in LIMBS:
            end = np.zeros(shape, np.bool_)
            end[_pixels(_bones(group, joints)[-1][1][None], shape)] = True
            length = sum(float(np.hypot(*(b - a))) for a, b in _bones(group, joints))
            hand = min(SETTINGS.hand * shape[0], SETTINGS.hand_of_limb * length)
            distances[i] += _too_far(plain, seeds[group], end, hand, thick)
    return distances, groups


def _ways(graph: csr_array, seeds: Mask, limit: float = np.inf) -> Array:
    """Lengths `[h w]` of the shortest ways from `seeds`; infinite beyond `limit`."""
    if not seeds.any():
        return np.full(seeds.shape, 1e6, np.float32)
    ways = dijkstra(graph, indices=np.flatnonzero(seeds), min_only=True, limit=limit)
    return np.asarray(ways.reshape(seeds.shape), np.float32)


def _thick(mask: Mask, graph: csr_array, thick: Array, end: Array) -> tuple[Mask, Mask]:
    """Most of what is certainly a limb's own around its bones `mask`, and all that may be, with its
    hand or foot around `end`."""
    radius = float(np.quantile(thick[mask], SETTINGS.radius_quantile))
    ways = _ways(graph, mask, 1.2 * radius)
    hand = np.append(end, radius + 0.03 * len(mask)).astype(np.float32)
    shape = (mask.shape[0], mask.shape[1])
    return ways <= 0.7 * radius, (ways <= 1.2 * radius) | _discs(hand[None], shape)


def _above_neck(shape: tuple[int, int], joints: Array) -> Mask:
    """The head's side of the line across the neck."""
    bones = _bones("head", joints)
    if not bones:
        return np.zeros(shape, np.bool_)
    neck, top = bones[0]
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    result: Mask = (x - neck[0]) * (top - neck)[0] + (y - neck[1]) * (top - neck)[1] > 0
    return result


def _to_edges(guide: Array) -> Array:
    """Distances `[h w]` from strong edges of colour."""
    spread = ndimage.maximum_filter(guide[:3], (1, 2, 2)) - ndimage.minimum_filter(
        guide[:3], (1, 2, 2)
    )
    flat = np.linalg.norm(spread, axis=0) < SETTINGS.strong_edge
    return np.asarray(ndimage.distance_transform_edt(flat), np.float32)


def _too_far(graph: csr_array, seeds: Mask, end: Mask, hand: float, depth: Array) -> Array:
    """Added to a limb's distances `[h w]` beyond a few radii from its bones, and beyond `hand`
    pixels from its `end`."""
    radius = float(np.quantile(depth[seeds], SETTINGS.radius_quantile))
    away = _ways(graph, seeds) - SETTINGS.reach * radius - 0.01 * len(depth)
    from_end = _ways(graph, end) - hand
    return SETTINGS.beyond_reach * np.maximum(0, np.minimum(away, from_end))


def _limb_points(
    bones: list[tuple[Array, Array]],
    guide: Array,
    depth: Array,
    thick: Array,
    trunk_colour: Array,
) -> tuple[Array, Array]:
    """Points `[n 2]` along a limb from where it comes out of the trunk, and those before: from
    there on the figure is about as thick as the limb, or has another colour than the trunk."""
    shape = (depth.shape[0], depth.shape[1])
    lines = [_line(*bone) for bone in bones]
    points = np.concatenate(lines)
    column, row = np.floor(points).astype(np.int64).T
    row, column = row.clip(0, shape[0] - 1), column.clip(0, shape[1] - 1)
    deep, colours = depth[row, column], guide[:3][:, row, column].T
    inside = deep > 0
    if not inside.any():
        return points, points[:0]
    radius = float(np.quantile(thick[row, column][inside], SETTINGS.radius_quantile))
    alike = np.linalg.norm(colours - trunk_colour, axis=1) < SETTINGS.alike
    hidden = (deep > SETTINGS.hidden * radius + 1) & alike
    first = np.arange(len(points)) < len(lines[0])
    hidden |= first & (deep > SETTINGS.surely_hidden * radius + 1)
    start = round(SETTINGS.limb_start * len(lines[0]))
    covered = points[:0]
    if hidden.any():
        # Near a hem the trunk is thin, but has its colour still.
        last = int(np.flatnonzero(hidden)[-1])
        hem = last + 1 + round(2 * (SETTINGS.hidden * radius + 1))
        own = np.flatnonzero(~alike[last + 1 : hem])
        start = max(start, last + 1 + (int(own[0]) if len(own) else 0))
        covered = points[: max(last, start - 2)]
    return points[min(start, len(points) - 1) :], covered


def _trunk_polygon(solid: Mask, depth: Array, joints: Array) -> Mask:
    """Shoulders, hips and what is between them."""
    shape = (solid.shape[0], solid.shape[1])
    names = ("right_shoulder", "left_shoulder", "left_hip", "pelvis", "right_hip", "chest")
    corners = np.stack([joints[INDEX[n]] for n in names])
    corners = corners[np.isfinite(corners).all(axis=1)]
    if len(corners) < 2:
        return solid & (depth >= 0.9 * depth.max())
    middle = corners.mean(axis=0)
    polygon = _in_polygon(corners + SETTINGS.shrunk * (middle - corners), shape)
    return solid & polygon


def _trunk_seeds(polygon: Mask, others: dict[str, Mask], depth: Array) -> Mask:
    """The trunk's polygon and all that discs inside the figure cover whose centres are in it: a
    boxy trunk owns what it covers. Discs stop before the seeds of other parts, which may lie on
    it."""
    shape = (polygon.shape[0], polygon.shape[1])
    reach = depth - 0.5
    taken = np.zeros(shape, np.bool_)
    for mask in others.values():
        taken |= mask
    if taken.any():
        away = np.asarray(ndimage.distance_transform_edt(~taken), np.float32)
        reach = np.minimum(reach, away - SETTINGS.clearance * shape[0])
    rows, columns = np.nonzero(polygon & (reach > 0))
    centres = np.stack([columns + 0.5, rows + 0.5, reach[rows, columns]], axis=1)
    mask = (polygon & (reach > 0)) | _discs(centres[centres[:, 2] > 1], shape)
    mask &= depth > 0
    return mask if mask.any() else polygon


def _head_centres(bone: tuple[Array, Array], depth: Array) -> Array:
    """Discs `[n 3]` (x, y, radius) inside a head that stay clear of the neck."""
    neck, top = bone
    points = _line(neck + 0.4 * (top - neck), neck + 0.8 * (top - neck))
    shape = (depth.shape[0], depth.shape[1])
    rows, columns = _pixels(points, shape)
    reach = 0.9 * np.hypot(columns + 0.5 - neck[0], rows + 0.5 - neck[1])
    radius = np.minimum(depth[rows, columns] - 0.5, reach)
    return np.stack([columns + 0.5, rows + 0.5, radius], axis=1).astype(np.float32)


def _discs(centres: Array, shape: tuple[int, int]) -> Mask:
    """Pixels covered by any of the discs `[n 3]`: x, y, radius."""
    mask = np.zeros(shape, np.bool_)
    for radius in np.unique(np.ceil(centres[:, 2])) if len(centres) else ():
        # Discs of like size are grown from their centres at once.
        alike = np.ceil(centres[:, 2]) == radius
        far = np.ones(shape, np.bool_)
        rows, columns = _pixels(centres[alike, :2], shape)
        far[rows, columns] = False
        if radius > 0 and not far.all():
            mask |= ndimage.distance_transform_edt(far) <= centres[alike, 2].min()
    return mask


def _in_polygon(corners: Array, shape: tuple[int, int]) -> Mask:
    """Pixels in the convex hull of `corners [n 2]`, and those on the lines between them."""
    mask = np.zeros(shape, np.bool_)
    for i, a in enumerate(corners):
        for b in corners[:i]:
            mask[_pixels(_line(a, b), shape)] = True
    middle = corners.mean(axis=0)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.ones(shape, np.bool_)
    angles = np.arctan2(*(corners - middle).T[::-1])
    ring = corners[np.argsort(angles)]
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0
    return mask | inside


def _graph(guide: Array, solid: Mask, edge: float) -> csr_array:
    """Ways between neighbouring pixels: longer through the air, and by `edge` heights across the
    greatest change of colour."""
    h, w = solid.shape
    index = np.arange(h * w).reshape(h, w)
    colours = np.moveaxis(guide[:3], 0, -1)
    rows, columns, lengths = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = (slice(0, h - dy), slice(max(0, -dx), w - max(0, dx)))
        b = (slice(dy, h), slice(max(0, dx), w - max(0, -dx)))
        change = np.sqrt(((colours[a] - colours[b]) ** 2).sum(axis=-1))
        inside = solid[a] & solid[b]
        colour = np.where(inside, np.maximum(0, change - SETTINGS.noise), 0)
        length = np.hypot(dx, dy) * np.where(inside, 1, SETTINGS.air)
        rows.append(index[a].ravel())
        columns.append(index[b].ravel())
        lengths.append((length + edge * h * colour).ravel())
    data = np.concatenate(lengths)
    row, column = np.concatenate(rows), np.concatenate(columns)
    both = (np.concatenate([row, column]), np.concatenate([column, row]))
    return csr_array((np.concatenate([data, data]), both), shape=(h * w, h * w))


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
    sums = {g: sum(weights[PART_INDEX[name]] for name in members[g]) for g in GROUPS}
    for group in GROUPS[1:]:
        if group not in groups:
            sums["torso"] = sums["torso"] + sums[group]
    stacked = torch.stack([torch.as_tensor(sums[g]) for g in groups])
    return stacked / stacked.sum(dim=0).clamp_min(SETTINGS.doubt)


def _snapped(weights: Tensor, small: Tensor, guide: Tensor) -> Tensor:
    """The strongest group `[h w]` at the resolution of `guide [4 h w]`, of `weights [g h' w']` over
    `small [4 h' w']`: locally, weights are linear in the guide's channels."""
    r = SETTINGS.guide_radius

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values[None], 2 * r + 1, 1, r, count_include_pad=False)[0]

    c = len(small)
    centre = mean(small)
    products = mean(rearrange(small[:, None] * small[None], "a b h w -> (a b) h w"))
    covariance = rearrange(products, "(a b) h w -> h w a b", a=c) - torch.einsum(
        "ahw,bhw->hwab", centre, centre
    )
    covariance = covariance + SETTINGS.guide_noise * torch.eye(c)
    averages = mean(weights)
    cross = mean(rearrange(small[:, None] * weights[None], "a g h w -> (a g) h w"))
    cross = rearrange(cross, "(a g) h w -> h w a g", a=c) - torch.einsum(
        "ahw,ghw->hwag", centre, averages
    )
    slope = rearrange(torch.linalg.solve(covariance, cross), "h w a g -> g a h w")
    offset = averages - torch.einsum("gahw,ahw->ghw", slope, centre)
    # Group by group: all coefficients of a large picture would need much memory.
    best = torch.full(guide.shape[1:], -math.inf)
    labels = torch.zeros(guide.shape[1:], dtype=torch.int64)
    for i in range(len(weights)):
        coefficients = mean(torch.cat([slope[i], offset[i][None]]))
        fine = F.interpolate(coefficients[None], guide.shape[1:], mode="bilinear")[0]
        score = (fine[:c] * guide).sum(dim=0) + fine[c]
        labels[score > best] = i
        best = torch.maximum(best, score)
    return labels


def _without_islands(
    labels: NDArray[np.int64], solid: Mask, joints: Array
) -> tuple[NDArray[np.int64], list[str]]:
    """Labels of groups `[h w]` without specks, and the limbs that are too little to see."""
    shape = (labels.shape[0], labels.shape[1])
    lost: list[str] = []
    for group in GROUPS[2:]:
        number = GROUPS.index(group)
        bones = _bones(group, joints)
        if not bones:
            continue
        rows, columns = _pixels(np.concatenate([_line(*bone) for bone in bones]), shape)
        on_own = (labels[rows, columns] == number) & solid[rows, columns]
        if not len(rows) or on_own.mean() < SETTINGS.least_seen:
            lost.append(group)
            labels = np.where(labels == number, 0, labels)
    # Who stands on one leg alone cannot lift it.
    legs = [g for g in ("right_leg", "left_leg") if _bones(g, joints)]
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
            bones = _bones(group, joints)
            lines = np.concatenate([_line(*bone) for bone in bones]) if bones else np.zeros((0, 2))
            touched = np.unique(pieces[_pixels(lines, shape)])
            keep[touched] |= sizes[touched] >= 0.02 * sizes.max()
        keep[0] = False
        unsure |= own & ~keep[pieces]
    return spread(labels, solid & ~unsure, solid), lost


def spread(labels: NDArray[np.int64], stay: Mask, solid: Mask) -> NDArray[np.int64]:
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
    result: NDArray[np.int64] = found[tuple(nearest)]
    return result


def _without_tails(labels: NDArray[np.int64], solid: Mask, joints: Array) -> NDArray[np.int64]:
    """Labels of groups `[h w]` where outlines of one part that were taken for another one, and all
    else that is much thinner than its part, have the label of the nearest thick part."""
    shape = (labels.shape[0], labels.shape[1])
    stay = np.zeros(shape, np.bool_)
    for number, group in enumerate(GROUPS):
        own = (labels == number) & solid
        if not own.any():
            continue
        depth = ndimage.distance_transform_edt(np.pad(own, 1))[1:-1, 1:-1]
        bones = _bones(group, joints) if number else _spine(joints)
        lines = np.concatenate([_line(*bone) for bone in bones]) if bones else np.zeros((0, 2))
        along = depth[_pixels(lines, shape)]
        usual = float(np.median(along[along > 0])) if (along > 0).any() else float(depth.max())
        radius = SETTINGS.tail * usual
        if group in ("torso", "head"):
            radius = min(radius, SETTINGS.tail_of_trunk * shape[0])
        core = depth > radius
        stay |= own & (ndimage.distance_transform_edt(~core) <= radius + 0.5)
    return spread(labels, stay, solid)


def _smoothed(labels: NDArray[np.int64]) -> NDArray[np.int64]:
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


def _with_pelvis(labels: NDArray[np.int64], solid: Mask, joints: Array) -> NDArray[np.int64]:
    """Labels of groups `[h w]` where legs that touch hang on a pelvis that is the trunk's."""
    hips = np.stack([joints[INDEX[f"{side}_hip"]] for side in ("right", "left")])
    knees = np.stack([joints[INDEX[f"{side}_knee"]] for side in ("right", "left")])
    if not (np.isfinite(hips).all() and np.isfinite(knees).all()):
        return labels
    radius = float(np.linalg.norm(hips[1] - hips[0])) / 2
    middle, down = hips.mean(axis=0), (knees - hips).mean(axis=0)
    between = middle + 0.7 * radius * down / max(1e-6, float(np.linalg.norm(down)))
    at = _pixels(between[None], (labels.shape[0], labels.shape[1]))
    legs = np.isin(labels, [GROUPS.index("right_leg"), GROUPS.index("left_leg")]) & solid
    if not legs[at].any():
        return labels
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32) + 0.5
    points = np.stack([x[legs], y[legs]], axis=1)
    result = labels.copy()
    result[legs] = np.where(_away(points, hips[0], hips[1]) < radius, 0, labels[legs])
    return result


def _spine(joints: Array) -> list[tuple[Array, Array]]:
    points = [joints[INDEX[n]] for n in ("pelvis", "chest", "neck")]
    points = [p for p in points if np.isfinite(p).all()]
    return list(pairwise(points))


def _in_segments(labels: NDArray[np.int64], joints: Array) -> NDArray[np.int64]:
    """Labels of parts `[h w]` of labels of groups: each pixel of a limb is of the nearer bone."""
    parts = np.where(labels == GROUPS.index("head"), PART_INDEX["head"], PART_INDEX["torso"])
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32) + 0.5
    for group, (inner, outer) in LIMBS.items():
        own = labels == GROUPS.index(group)
        bones = _bones(group, joints)
        if not own.any() or not bones:
            continue
        parts[own] = PART_INDEX[inner]
        if len(bones) == 2:
            points = np.stack([x[own], y[own]], axis=1)
            nearer = _away(points, *bones[1]) < _away(points, *bones[0])
            parts[own] = np.where(nearer, PART_INDEX[outer], PART_INDEX[inner])
    return parts.astype(np.int64)


def _away(points: Array, start: Array, end: Array) -> Array:
    """Distances `[n]` of `points [n 2]` from the bone."""
    bone = end - start
    share = ((points - start) @ bone / max(1e-6, float(bone @ bone))).clip(0, 1)
    result: Array = np.linalg.norm(points - start - share[:, None] * bone, axis=1)
    return result
