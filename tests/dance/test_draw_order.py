"""Which parts lie above which."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.dance.draw_order import draw_order
from musedance_core.dance.skeleton import INDEX, JOINTS, PART_INDEX, PARTS

H, W = 100, 80
TORSO, ARM = PART_INDEX["torso"], PART_INDEX["left_upper_arm"]


@pytest.mark.parametrize(
    ("columns", "shoulder", "front"),
    [
        (slice(40, 48), 44, True),  # on the chest
        (slice(60, 68), 62, False),  # beside the trunk
        (slice(50, 58), 10, False),  # on it, but the shoulder is far away
    ],
)
def test_an_arm_seen_on_the_trunk_is_above_it(columns: slice, shoulder: int, front: bool) -> None:
    solid = np.zeros((H, W), np.bool_)
    solid[10:90, 20:60] = solid[20:60, columns] = True
    labels = np.full((H, W), TORSO)
    labels[20:60, columns] = ARM
    joints = np.full((len(JOINTS), 2), np.nan, np.float32)
    joints[INDEX["left_shoulder"]] = (shoulder, 22)
    order = draw_order(labels, solid, joints)
    assert sorted(order) == list(range(len(PARTS)))
    assert (order.index(ARM) > order.index(TORSO)) == front
