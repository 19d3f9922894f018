"""Which parts of a figure lie above which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .part_distances import LIMBS
from .raster import Array, Labels, Mask, half_width, hull
from .skeleton import BONES, DRAW_ORDER, PART_INDEX


@dataclass(frozen=True)
class OrderThresholds:
    """From both on, an upper arm or a thigh is seen in front of the trunk."""

    inside: float = 0.5
    """Share of it in the trunk's convex hull."""
    touching: float = 0.5
    """Share of its border, of that with trunk and air, that is with the trunk."""
    from_joint: float = 2.5
    """Greatest way from shoulder or hip to what is seen of it, in its radii: what begins farther
    away comes out from under the trunk."""


THRESHOLDS = OrderThresholds()


def draw_order(labels: Labels, solid: Mask, joints: Array) -> tuple[int, ...]:
    """Parts from the bottom layer to the top one, for labels of parts `[h w]` and joints `[16 2]`:
    upper arms are below the trunk, and so are legs, unless they are seen in front of it."""
    order = list(DRAW_ORDER)
    torso = PART_INDEX["torso"]
    trunk = (labels == torso) & solid
    whole = hull(trunk)
    for limb, segments in LIMBS.items():
        inner, outer = (PART_INDEX[name] for name in segments)
        own = (labels == inner) & solid
        joint = joints[BONES[segments[0]][0]]
        front = _near(own, joint) and _in_front(own, trunk, whole, solid)
        if limb.endswith("arm") and not front:
            order.remove(inner)
            order.insert(order.index(torso), inner)
        elif limb.endswith("leg") and front:
            for part in (outer, inner):
                order.remove(part)
                order.insert(order.index(torso) + 1, part)
    return tuple(order)


def _near(own: Mask, joint: Array) -> bool:
    """Whether a part begins at its joint."""
    rows, columns = np.nonzero(own)
    if not len(rows) or not np.isfinite(joint).all():
        return False
    away = np.hypot(columns + 0.5 - joint[0], rows + 0.5 - joint[1]).min()
    return bool(away <= THRESHOLDS.from_joint * half_width(own))


def _in_front(own: Mask, trunk: Mask, whole: Mask, solid: Mask) -> bool:
    """Whether a part lies on the trunk, whose convex hull is `whole`."""
    if whole[own].mean() < THRESHOLDS.inside:
        return False
    ring = ndimage.binary_dilation(own) & ~own
    beside, air = (ring & trunk).sum(), (ring & ~solid).sum()
    return bool(beside >= THRESHOLDS.touching * max(1, beside + air))
