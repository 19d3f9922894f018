"""Distances along a figure from the bones of its limbs, its head and its trunk.

Ways are longer across edges of colour and through the air. The trunk is seeded by all discs inside
the figure about its joints: a boxy trunk owns what it covers, and limbs own what stands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .raster import Array, Mask, depths, discs, in_polygon, line, pixels
from .skeleton import BONES, INDEX, PART_INDEX, PARTS

Bone = tuple[Array, Array]
"""Both ends of a bone, x and y."""
GROUPS = ("torso", "head", "right_arm", "left_arm", "right_leg", "left_leg")
"""Trunk, head and whole limbs; limbs are cut into segments afterwards."""
LIMBS = {
    f"{side}_{limb}": (f"{side}_{inner}", f"{side}_{outer}")
    for side in ("right", "left")
    for limb, inner, outer in (("arm", "upper_arm", "forearm"), ("leg", "thigh", "shin"))
}
"""Segments of each limb, from the trunk outwards."""
SPINE = ("pelvis", "chest", "neck")
LIMB_OF_PART = tuple(
    PART_INDEX[next((inner for inner, outer in LIMBS.values() if outer == name), name)]
    for name in PARTS
)
"""By part, the inner segment of the limb that it is of; trunk and head themselves."""


@dataclass(frozen=True)
class DistanceSettings:
    """Lengths are in heights of the figure, radii in those of the limb."""

    # Ways
    air: float = 12.0
    """Length of a step outside the figure in lengths of one inside."""
    edge: float = 0.4
    """Length that the greatest change of colour adds to a way."""
    noise: float = 0.04
    """Change of colour that adds nothing."""

    # Seeds of limbs
    limb_start: float = 0.15
    """Share of a limb's first bone that is left to the trunk."""
    radius_quantile: float = 0.3
    """Quantile of the figure's depth along a limb that is the limb's radius."""
    off_middle: float = 0.02
    """Distance of a bone from the middle of its limb."""
    hidden: float = 1.5
    """Depth in radii from which a bone lies under the trunk, if the colour is the trunk's."""
    surely_hidden: float = 3.0
    """Depth in radii from which the first bone of a limb does whatever the colour."""
    alike: float = 0.2
    """Distance of colours that are those of the trunk."""
    surely_own: float = 0.7
    """Radii around the bones that are seeds."""
    perhaps_own: float = 1.2
    """Radii around the bones that are no seeds of the trunk."""
    hand_radius: float = 0.03
    """Width around a limb there, at wrist or ankle."""

    # Seeds of the trunk
    shrunk: float = 0.15
    """Share of the way to its middle by which the polygon of its joints is made smaller."""
    clearance: float = 0.02
    """Width between the trunk's seeds and those of other parts."""
    strong_edge: float = 0.3
    """Change of colour that the trunk's seeds do not cross on their way to the head."""

    # Reach of limbs
    reach: float = 2.5
    """Radii from its bones within which a limb owns all that is nearer to it."""
    hand: float = 0.13
    """The same for hands and feet, from wrist and ankle ..."""
    hand_of_limb: float = 0.8
    """... but at most so many lengths of the limb."""
    beyond_reach: float = 20.0
    """Length of a step beyond that."""


SETTINGS = DistanceSettings()


def group_distances(guide: Array, joints: Array) -> tuple[Array, list[str]]:
    """Ways along the figure from the seeds of every group that is there, `[g h w]`, and those
    groups' names."""
    solid = guide[3] > 0.5
    shape = (solid.shape[0], solid.shape[1])
    depth = depths(solid).astype(np.float32)
    # Bones off the middle of their limb: its depth nearby.
    thick = ndimage.maximum_filter(depth, 2 * round(SETTINGS.off_middle * shape[0]) + 1)
    polygon = _trunk_polygon(solid, depth, joints)
    colour = np.median(guide[:3][:, polygon], axis=1) if polygon.any() else np.zeros(3, np.float32)
    graph = _graph(guide, solid, SETTINGS.edge)
    masks: dict[str, Mask] = {}
    thicker: dict[str, Mask] = {}
    for group in GROUPS[1:]:
        bones = bones_of(group, joints)
        if not bones:
            continue
        if group == "head":
            own = around = _head_seeds(bones[0], depth)
        else:
            points, hidden = _limb_points(bones, guide, depth, thick, colour)
            own = np.zeros(shape, np.bool_)
            own[pixels(points, shape)] = True
            polygon[pixels(hidden, shape)] = True
            if not (own & solid).any():
                continue
            own, around = _thick(own & solid, graph, thick, bones[-1][1])
        masks[group], thicker[group] = own & solid, around & solid
    # Above the neck the trunk's discs end at edges of colour, elsewhere only near limbs.
    trunk = _trunk_seeds(polygon, masks, np.minimum(depth, _to_edges(guide)))
    trunk |= _trunk_seeds(polygon, thicker, depth) & ~_above_neck(shape, joints)
    seeds = {"torso": trunk} | {g: m & ~trunk for g, m in masks.items() if (m & ~trunk).any()}
    distances = np.stack([_ways(graph, mask) for mask in seeds.values()])
    plain = _graph(guide, solid, 0.0)
    for i, group in enumerate(seeds):
        if group in LIMBS:
            distances[i] += _too_far(plain, seeds[group], bones_of(group, joints), thick)
    return distances, list(seeds)


def bones_of(group: str, joints: Array) -> list[Bone]:
    """The bones of a limb or of the head that are there, as pairs of points."""
    if group == "head":
        pairs = [(INDEX["neck"], INDEX["head_top"])]
    else:
        pairs = [BONES[name] for name in LIMBS[group]]
    bones = [(joints[a], joints[b]) for a, b in pairs]
    return [(a, b) for a, b in bones if np.isfinite(a).all() and np.isfinite(b).all()]


def joints_of(group: str) -> list[int]:
    """The joints of a limb or of the trunk, or the head's own one."""
    if group == "torso":
        return [INDEX[name] for name in SPINE]
    if group == "head":
        return [INDEX["head_top"]]
    inner, outer = LIMBS[group]
    return [*BONES[inner], BONES[outer][1]]


def spine_of(joints: Array) -> list[Bone]:
    """The bones of the trunk between those of `joints [j 2]` that are there, from the pelvis up."""
    points = [joints[INDEX[name]] for name in SPINE]
    points = [p for p in points if np.isfinite(p).all()]
    return list(pairwise(points))


def _graph(guide: Array, solid: Mask, edge: float) -> csr_array:
    """Ways between neighbouring pixels: longer through the air, and by `edge` heights across the
    greatest change of colour."""
    h, w = solid.shape
    # SciPy 1.11 finds ways along indices of 32 bits alone.
    index = np.arange(h * w, dtype=np.int32).reshape(h, w)
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
    ways = _ways(graph, mask, SETTINGS.perhaps_own * radius)
    hand = np.append(end, radius + SETTINGS.hand_radius * len(mask)).astype(np.float32)
    around = discs(hand[None], (mask.shape[0], mask.shape[1]))
    return ways <= SETTINGS.surely_own * radius, around | (ways <= SETTINGS.perhaps_own * radius)


def _above_neck(shape: tuple[int, int], joints: Array) -> Mask:
    """The head's side of the line across the neck."""
    bones = bones_of("head", joints)
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


def _too_far(graph: csr_array, seeds: Mask, bones: list[Bone], thick: Array) -> Array:
    """Added to a limb's distances `[h w]` beyond a few radii from its bones; hands and feet may be
    larger."""
    h, w = thick.shape
    radius = float(np.quantile(thick[seeds], SETTINGS.radius_quantile))
    away = _ways(graph, seeds) - SETTINGS.reach * radius - 0.01 * h
    end = np.zeros((h, w), np.bool_)
    end[pixels(bones[-1][1][None], (h, w))] = True
    length = sum(float(np.hypot(*(b - a))) for a, b in bones)
    hand = min(SETTINGS.hand * h, SETTINGS.hand_of_limb * length)
    from_end = _ways(graph, end) - hand
    result: Array = SETTINGS.beyond_reach * np.maximum(0, np.minimum(away, from_end))
    return result


def _limb_points(
    bones: list[Bone],
    guide: Array,
    depth: Array,
    thick: Array,
    trunk_colour: Array,
) -> tuple[Array, Array]:
    """Points `[n 2]` along a limb from where it comes out of the trunk, and those before: from
    there on the figure is about as thick as the limb, or has another colour than the trunk."""
    shape = (depth.shape[0], depth.shape[1])
    lines = [line(*bone) for bone in bones]
    points = np.concatenate(lines)
    column, row = np.floor(points).astype(np.int64).T
    row, column = row.clip(0, shape[0] - 1), column.clip(0, shape[1] - 1)
    deep, colours = depth[row, column], guide[:3][:, row, column].T
    inside = deep > 0
    if not inside.any():
        return points, points[:0]
    # The outer part is clear of the trunk most often.
    outer = inside & (np.arange(len(points)) >= len(points) // 3)
    known = thick[row, column][outer if outer.any() else inside]
    radius = float(np.quantile(known, SETTINGS.radius_quantile))
    alike = np.linalg.norm(colours - trunk_colour, axis=1) < SETTINGS.alike
    hidden = (deep > SETTINGS.hidden * radius + 1) & alike
    first = np.arange(len(points)) < len(lines[0])
    hidden |= first & (deep > SETTINGS.surely_hidden * radius + 1)
    start = round(SETTINGS.limb_start * len(lines[0]))
    covered = points[:0]
    if hidden.any():
        # Near a hem the trunk is thin, but has its colour still.
        last = int(np.flatnonzero(hidden)[-1])
        hem = last + 1 + round(3 * (SETTINGS.hidden * radius + 1))
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
        deep: Mask = solid & (depth >= 0.9 * depth.max())
        return deep
    middle = corners.mean(axis=0)
    polygon = in_polygon(corners + SETTINGS.shrunk * (middle - corners), shape)
    inside: Mask = solid & polygon
    return inside


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
    mask = (polygon & (reach > 0)) | discs(centres[centres[:, 2] > 1], shape)
    mask &= depth > 0
    return mask if mask.any() else polygon


def _head_seeds(bone: Bone, depth: Array) -> Mask:
    """The bone and the discs around it that fit in the head and stay clear of the neck."""
    neck, top = bone
    shape = (depth.shape[0], depth.shape[1])
    rows, columns = pixels(line(neck + 0.4 * (top - neck), neck + 0.8 * (top - neck)), shape)
    clear = 0.9 * np.hypot(columns + 0.5 - neck[0], rows + 0.5 - neck[1])
    radius = np.minimum(depth[rows, columns] - 0.5, clear)
    mask = discs(np.stack([columns + 0.5, rows + 0.5, radius], axis=1).astype(np.float32), shape)
    mask[pixels(line(neck + 0.2 * (top - neck), top), shape)] = True
    return mask
