"""Posing: joints and transforms agree, feet stay on the ground, absent limbs stay with the body."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musedance_core.dance.motion import (
    BONE_INDEX,
    FEATURES,
    ROOT_INDEX,
    DanceMotion,
    standing,
)
from musedance_core.dance.posing import Body, at_rest, pose_body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import BONES, INDEX, JOINTS, PART_INDEX

BODY = Body.standing(400.0, 256.0, 480.0)


def random_motion(frames: int = 8) -> DanceMotion:
    features = 0.3 * torch.randn(frames, FEATURES, generator=torch.Generator().manual_seed(1))
    return DanceMotion.from_features(features, 24.0)


def without(*joints: str) -> Body:
    present = BODY.present.clone()
    present[[INDEX[name] for name in joints]] = False
    return replace(BODY, present=present)


def test_standing_is_the_rest_of_a_standing_body() -> None:
    posed = pose_body(BODY, standing(2, 24.0))
    assert torch.allclose(posed.warped_joints[0], BODY.joints, atol=1e-3)


def test_rest_shows_every_joint_where_it_is() -> None:
    assert torch.allclose(at_rest(BODY).warped_joints[0], BODY.joints, atol=1e-3)


@pytest.mark.parametrize("name", BONES)
def test_the_transform_of_a_segment_takes_its_joints_to_their_places(name: str) -> None:
    posed = pose_body(BODY, random_motion())
    transform = posed.transforms[:, PART_INDEX[name]]
    for joint in BONES[name]:
        moved = transform[..., :2] @ BODY.joints[joint] + transform[..., 2]
        assert torch.allclose(moved, posed.joints[:, joint], atol=1e-2)


def test_the_warp_and_its_inverse_cancel() -> None:
    posed = pose_body(BODY, random_motion())
    there_and_back = posed.warp.inverse(posed.warp.forward(posed.joints))
    assert torch.allclose(there_and_back, posed.joints, atol=1e-2)


def test_the_lowest_foot_stands_on_the_ground_whatever_the_legs_do() -> None:
    motion = random_motion()
    motion.root.zero_()
    ankles = [INDEX["right_ankle"], INDEX["left_ankle"]]
    lowest = pose_body(BODY, motion).warped_joints[:, ankles, 1].amax(dim=1)
    assert torch.allclose(lowest, BODY.joints[ankles, 1].max().expand_as(lowest), atol=1e-2)


def test_lift_raises_the_whole_body() -> None:
    motion = standing(1, 24.0)
    motion.root[0, ROOT_INDEX["lift"]] = 0.25
    moved = pose_body(BODY, motion).warped_joints[0]
    assert torch.allclose(moved, BODY.joints - torch.tensor([0.0, 100.0]), atol=1e-2)


def test_an_absent_arm_moves_with_the_trunk() -> None:
    body = without("left_elbow", "left_wrist")
    motion = standing(1, 24.0)
    motion.limbs[0, BONE_INDEX["left_upper_arm"]] = torch.tensor([1.0, 0.0])
    posed = pose_body(body, motion)
    torso = posed.transforms[0, PART_INDEX["torso"]]
    for part in ("left_upper_arm", "left_forearm"):
        assert torch.equal(posed.transforms[0, PART_INDEX[part]], torso)


def test_a_forearm_without_its_upper_arm_is_absent() -> None:
    assert not without("left_shoulder").has("left_forearm")
    assert BODY.has("left_forearm")


def test_a_body_without_legs_squashes_where_a_person_would_sink() -> None:
    body = without(*(j for j in JOINTS if "knee" in j or "ankle" in j or "hip" in j))
    crouching = standing(1, 24.0)
    for side in ("right", "left"):
        for part in ("thigh", "shin"):
            crouching.limbs[0, BONE_INDEX[f"{side}_{part}"]] *= 0.6
    top = INDEX["head_top"]
    standing_top = pose_body(body, standing(1, 24.0)).warped_joints[0, top, 1]
    assert pose_body(body, crouching).warped_joints[0, top, 1] > standing_top + 20


def test_raised_arms_do_not_make_a_body_taller() -> None:
    joints = BODY.joints.clone()
    rig = Rig((512, 512), joints, torch.ones(16))
    head = float(joints[INDEX["head_top"], 1])
    assert Body.of(rig, (100.0, head - 120.0, 400.0, 480.0)).height == pytest.approx(480.0 - head)


def test_nothing_is_nan_for_a_rig_without_joints() -> None:
    rig = Rig((64, 64), torch.full((16, 2), torch.nan), torch.zeros(16))
    body = Body.of(rig, (10.0, 10.0, 50.0, 60.0))
    posed = pose_body(body, random_motion())
    assert torch.isfinite(posed.warped_joints).all() and torch.isfinite(posed.transforms).all()
