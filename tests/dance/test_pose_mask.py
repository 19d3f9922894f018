"""Silhouettes around poses: they cover the sticks, follow the scale, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from musedance_core.dance.pose_image import draw_pose
from musedance_core.dance.pose_mask import draw_silhouette
from musedance_core.dance.posing import Body
from musedance_core.dance.skeleton import OPENPOSE, to_openpose


def person(size: int) -> Tensor:
    """Keypoints `[18 2]` of a person who stands in the middle."""
    return to_openpose(Body.standing(0.7 * size, size / 2, 0.85 * size).joints)


def test_the_sticks_are_inside_of_the_silhouette() -> None:
    points = person(256)
    mask = draw_silhouette(points[None], (256, 256))[0]
    drawn = draw_pose(points[None], (256, 256))[0].amax(dim=0) > 0.5
    assert float(mask[drawn].min()) == 1.0
    assert float(mask.min()) >= 0 and float(mask.max()) == 1.0
    assert 0.08 < float(mask.mean()) < 0.3, "neither a stick nor the whole frame"
    assert float(mask[:20].max()) == 0


def test_it_scales_with_the_figure() -> None:
    shares = [draw_silhouette(person(n)[None], (n, n)).mean() for n in (128, 256, 512)]
    assert max(shares) - min(shares) < 0.005


def test_mirrored_points_are_a_mirrored_silhouette() -> None:
    points = person(128)
    points[OPENPOSE.index("right_wrist")] -= torch.tensor([20.0, 30.0])
    mirrored = points * torch.tensor([-1.0, 1.0]) + torch.tensor([128.0, 0.0])
    masks = draw_silhouette(torch.stack([points, mirrored]), (128, 128))
    assert torch.allclose(masks[0], masks[1].flip(-1), atol=1e-3)


@pytest.mark.parametrize("missing", [("left_wrist",), ("nose", "right_eye", "left_eye"), ("neck",)])
def test_missing_keypoints_leave_out_only_what_hangs_on_them(missing: tuple[str, ...]) -> None:
    points = person(128)
    whole = draw_silhouette(points[None], (128, 128))[0]
    for name in missing:
        points[OPENPOSE.index(name)] = math.nan
    mask = draw_silhouette(points[None], (128, 128))[0]
    assert torch.isfinite(mask).all() and 0.5 * whole.sum() < mask.sum() <= whole.sum() * 1.2


def test_a_missing_wrist_leaves_out_its_forearm_alone() -> None:
    points = person(128)
    whole = draw_silhouette(points[None], (128, 128))[0]
    elbow = float(points[OPENPOSE.index("left_elbow"), 1])
    points[OPENPOSE.index("left_wrist")] = math.nan
    less = draw_silhouette(points[None], (128, 128))[0]
    rows, columns = torch.nonzero(less != whole, as_tuple=True)
    assert len(rows) and (less <= whole).all()
    assert rows.min() > elbow - 10 and columns.min() > 64, "her left is at the right"


def test_nobody_is_an_empty_mask() -> None:
    assert not draw_silhouette(torch.full((2, 18, 2), math.nan), (64, 48)).any()
