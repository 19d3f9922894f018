"""Sections across limbs, and their segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .part_distances import LIMBS, bones_of
from .raster import Array, Labels, Mask, away_from
from .skeleton import PART_INDEX


@dataclass(frozen=True)
class Section:
    """A cut across a limb: its middle, its half width, and the unit direction of the limb."""

    middle: Tensor
    radius: float
    along: Tensor


def section_of(mask: Mask, point: Tensor, along: Tensor, height: float) -> Section | None:
    """The section of `mask` across `along` through `point`, or None if the point is not on it."""
    across = torch.stack([-along[1], along[0]])
    ends = []
    for sign in (-1.0, 1.0):
        steps = torch.arange(0, max(4.0, 0.25 * height), 0.5)
        places = (point + sign * steps[:, None] * across).floor().long()
        x, y = places.unbind(-1)
        inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
        on = inside & torch.from_numpy(
            mask[y.clamp(0, mask.shape[0] - 1).numpy(), x.clamp(0, mask.shape[1] - 1).numpy()]
        )
        if not bool(on[0]):
            return None
        off = (~on).nonzero()[:, 0]
        ends.append(sign * float(steps[int(off[0]) if len(off) else -1]))
    return Section(point + sum(ends) / 2 * across, (ends[1] - ends[0]) / 2, along)


def deepest_near(mask: Mask, point: Tensor, reach: float) -> Tensor:
    """The point deepest in `mask [h w]` that is at most `reach` farther from `point` than the
    nearest."""
    y, x = np.nonzero(mask)
    away = np.hypot(x + 0.5 - float(point[0]), y + 0.5 - float(point[1]))
    depth = ndimage.distance_transform_edt(mask)[y, x]
    best = int(np.argmax(np.where(away <= away.min() + reach, depth, 0)))
    return torch.tensor([x[best] + 0.5, y[best] + 0.5])


def split_limbs(parts: Labels, joints: Array) -> Labels:
    """Labels of parts `[h w]` where each pixel of a limb is of the nearer of its bones, of the
    joints `[16 2]`; of the inner segment where there is no outer one."""
    result = parts.copy()
    for group, (inner, outer) in LIMBS.items():
        bones = bones_of(group, joints)
        rows, columns = np.nonzero(np.isin(parts, [PART_INDEX[inner], PART_INDEX[outer]]))
        if not len(rows) or not bones:
            continue
        result[rows, columns] = PART_INDEX[inner]
        if len(bones) == 2:
            points = np.stack([columns, rows], axis=1).astype(np.float32) + 0.5
            nearer = away_from(points, *bones[1]) < away_from(points, *bones[0])
            result[rows[nearer], columns[nearer]] = PART_INDEX[outer]
    return result
