"""Pose drawings: the colours, places and widths of OpenPose, and soft edges."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from musedance_core.dance.pose_image import COLOURS, LIMB_BRIGHTNESS, LIMBS, RADIUS, draw_pose
from musedance_core.dance.posing import Body
from musedance_core.dance.skeleton import OPENPOSE, to_openpose


def person(width: int, height: int) -> Tensor:
    """Keypoints `[18 2]` of a person who stands in the middle."""
    return to_openpose(Body.standing(0.8 * height, width / 2, 0.9 * height).joints)


def pixel(frame: Tensor, point: Tensor) -> Tensor:
    return frame[:, int(point[1]), int(point[0])]


def test_colours_are_the_hues_of_openpose() -> None:
    rounded = [tuple(round(255 * c) for c in colour) for colour in COLOURS]
    assert rounded[:4] == [(255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0)]
    assert rounded[9] == (0, 255, 255) and rounded[12] == (0, 0, 255)
    assert rounded[-2:] == [(255, 0, 170), (255, 0, 85)] and len(rounded) == 18
    assert len(LIMBS) == 17 and len(set(LIMBS)) == 17


def test_joints_and_limbs_have_their_colours() -> None:
    points = person(512, 512)
    frame = draw_pose(points[None], (512, 512))[0]
    for point, colour in zip(points, COLOURS, strict=True):
        assert torch.allclose(pixel(frame, point), torch.tensor(colour), atol=1e-5)
    shin = LIMBS.index((OPENPOSE.index("left_knee"), OPENPOSE.index("left_ankle")))
    middle = points[list(LIMBS[shin])].mean(dim=0)
    dim = torch.tensor(COLOURS[shin]) * LIMB_BRIGHTNESS
    assert torch.allclose(pixel(frame, middle), dim, atol=1e-5)
    assert not frame[:, :20].any() and frame.min() == 0 and frame.max() <= 1


def test_what_is_missing_is_not_drawn() -> None:
    points = torch.full((1, 18, 2), math.nan)
    assert not draw_pose(points, (64, 48)).any()
    points[0, OPENPOSE.index("neck")] = torch.tensor([20.0, 30.0])
    frame = draw_pose(points, (64, 48))[0]
    assert frame.shape == (3, 48, 64)
    lit = frame.amax(dim=0) > 0
    assert lit[30, 20] and lit.sum() < 20


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_widths_follow_the_size(side: int) -> None:
    """The area of a joint is that of its disc, to a fraction of a pixel: edges are soft."""
    points = torch.full((1, 18, 2), math.nan)
    points[0, 0] = torch.tensor([side / 2 + 0.3, side / 2 - 0.2])  # the nose is red
    area = float(draw_pose(points, (side, side))[0, 0].sum())
    assert area == pytest.approx(math.pi * (RADIUS * side) ** 2, rel=0.03)


def test_a_limb_is_an_ellipse_at_any_angle() -> None:
    areas = []
    for angle in (0.0, 0.4, 1.2, 2.0):
        points = torch.full((1, 18, 2), math.nan)
        half = 100 * torch.tensor([math.cos(angle), math.sin(angle)])
        points[0, 1], points[0, 2] = 256 + half, 256 - half
        frame = draw_pose(points, (512, 512))[0, 0] / LIMB_BRIGHTNESS
        away = torch.tensor([[256 + 0.5 * half[0], 256 + 0.5 * half[1]]])
        assert pixel(frame[None], away[0]) > 0.99
        areas.append(float(frame[200:312, 200:312].sum()))
    assert max(areas) < 1.4 * min(areas)


def test_points_outside_the_picture_are_cut_off() -> None:
    points = person(200, 100) + torch.tensor([95.0, -30.0])
    frame = draw_pose(points[None], (200, 100))[0]
    whole = draw_pose(points[None] + 100, (400, 300))[0]
    assert torch.isfinite(frame).all()
    # The same picture, apart from widths, which follow the size.
    assert ((frame.amax(dim=0) > 0) & (whole[:, 100:200, 100:300].amax(dim=0) == 0)).sum() == 0
    assert not draw_pose(points[None] + 1e5, (200, 100)).any()
