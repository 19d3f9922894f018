"""Tables of the skeleton."""

from __future__ import annotations

import torch

from musedance_core.dance.skeleton import (
    DENSEPOSE,
    DRAW_ORDER,
    INDEX,
    JOINTS,
    MIRRORED_JOINTS,
    OPENPOSE,
    PARENTS,
    PARTS,
    STANDING,
    from_openpose,
    to_openpose,
)


def test_tables_cover_everything_once() -> None:
    assert len(JOINTS) == len(PARENTS) == len(STANDING) == 16
    assert sorted(DRAW_ORDER) == list(range(len(PARTS)))
    assert sorted(i for ids in DENSEPOSE.values() for i in ids) == list(range(1, 25))
    assert all(parent < joint for joint, parent in enumerate(PARENTS))


def test_mirroring_joints_twice_is_the_identity() -> None:
    assert [MIRRORED_JOINTS[MIRRORED_JOINTS[i]] for i in range(16)] == list(range(16))


def test_openpose_and_back_keeps_the_joints() -> None:
    joints = STANDING * torch.tensor([100.0, -100.0])
    again = from_openpose(to_openpose(joints))
    named = [i for name, i in INDEX.items() if name in OPENPOSE]
    assert torch.allclose(again[named], joints[named], atol=1e-4)
    assert torch.allclose(again[INDEX["head_top"]], joints[INDEX["head_top"]], atol=1e-3)
    assert (again - joints).norm(dim=-1).max() < 3.0


def test_eyes_lie_on_the_characters_own_side() -> None:
    points = to_openpose(STANDING * torch.tensor([100.0, -100.0]))
    assert points[OPENPOSE.index("left_eye"), 0] > points[OPENPOSE.index("right_eye"), 0]


def test_missing_keypoints_are_missing_joints() -> None:
    points = to_openpose(STANDING * torch.tensor([100.0, -100.0]))
    points[OPENPOSE.index("left_wrist")] = torch.nan
    assert torch.isnan(from_openpose(points)[INDEX["left_wrist"]]).all()
