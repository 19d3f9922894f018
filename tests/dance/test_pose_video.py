"""Keypoints of a dance: inside the frame, with the proportions of the dancer."""

from __future__ import annotations

import math

import pytest
import torch

from musedance_core.dance.motion import BONE_INDEX, ROOT_INDEX, DanceMotion, standing
from musedance_core.dance.pose_video import FRAMING, pose_keypoints
from musedance_core.dance.posing import Body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import INDEX, OPENPOSE
from musedance_core.errors import InputError


def wild() -> DanceMotion:
    """Big steps, jumps, a cartwheel, and arms that circle."""
    motion = standing(48, 24)
    beat = torch.arange(48) / 12
    for name, values in (
        ("x", 0.8 * torch.sin(beat * math.pi / 2)),
        ("lift", 0.3 * torch.sin(beat * math.pi).abs()),
        ("turn", beat * math.pi / 2),
        ("yaw", beat * math.pi),
        ("bend", 0.2 * torch.sin(beat)),
    ):
        motion.root[:, ROOT_INDEX[name]] = values
    circle = torch.stack([torch.cos(beat * math.pi), torch.sin(beat * math.pi)], dim=-1)
    for name in ("left_upper_arm", "left_forearm", "right_forearm"):
        motion.limbs[:, BONE_INDEX[name]] = circle
    return motion


@pytest.mark.parametrize("size", [(512, 512), (256, 640), (1024, 320), (65, 97)])
def test_the_figure_is_inside_the_frame(size: tuple[int, int]) -> None:
    points = pose_keypoints(wild(), size)
    assert points.shape == (48, 18, 2)
    known = points[torch.isfinite(points).all(dim=-1)]
    margin = torch.tensor(size) * (FRAMING.margin - 1e-3)
    assert (known >= margin).all() and (known <= torch.tensor(size) - margin).all()


def test_a_person_who_stands_has_the_usual_place() -> None:
    points = pose_keypoints(standing(2, 24), (512, 512))[0]
    at = {name: points[i] for i, name in enumerate(OPENPOSE)}
    assert at["neck"][0] == pytest.approx(256, abs=0.1)
    ankle, top = float(at["left_ankle"][1]), float(at["nose"][1])
    assert FRAMING.ground * 512 - 0.05 * 512 < ankle < FRAMING.ground * 512
    assert 0.6 < (ankle - top) / (FRAMING.height * 512) < 1
    assert at["left_wrist"][0] > 256 > at["right_wrist"][0]
    assert at["left_ear"][0] > at["left_eye"][0] > at["nose"][0]


def test_one_scale_for_the_whole_dance() -> None:
    """A thigh keeps its length while it is in the picture's plane."""
    motion = standing(24, 24)
    motion.root[:, ROOT_INDEX["x"]] = torch.linspace(-1, 1, 24)
    points = pose_keypoints(motion, (400, 400))
    thigh = points[:, OPENPOSE.index("left_hip")] - points[:, OPENPOSE.index("left_knee")]
    assert torch.allclose(thigh, thigh[:1].expand_as(thigh), atol=1e-2)


def test_seen_from_behind_there_is_no_face_and_sides_change() -> None:
    motion = standing(2, 24)
    motion.root[1, ROOT_INDEX["yaw"]] = math.pi
    front, back = pose_keypoints(motion, (512, 512))
    names = {"nose", "right_eye", "left_eye"}
    missing = {OPENPOSE[i] for i in range(18) if not torch.isfinite(back[i]).all()}
    assert missing == names and torch.isfinite(front).all()
    left, right = OPENPOSE.index("left_shoulder"), OPENPOSE.index("right_shoulder")
    assert front[left, 0] > front[right, 0] and back[left, 0] < back[right, 0]
    ear = OPENPOSE.index("left_ear")
    assert back[ear, 0] == pytest.approx(512 - float(front[ear, 0]), abs=0.1)


def test_proportions_are_those_of_the_rig() -> None:
    joints = Body.standing(900, 300, 950).joints
    long_arms = joints.clone()
    for side in ("left", "right"):
        shoulder = joints[INDEX[f"{side}_shoulder"]]
        for name in ("elbow", "wrist"):
            i = INDEX[f"{side}_{name}"]
            long_arms[i] = shoulder + 1.5 * (joints[i] - shoulder)
    rig = Rig((600, 1000), long_arms, torch.ones(16))
    points = pose_keypoints(standing(1, 24), (512, 512), rig)[0]
    plain = pose_keypoints(standing(1, 24), (512, 512))[0]

    def ratio(p: torch.Tensor) -> float:
        at = {name: p[i] for i, name in enumerate(OPENPOSE)}
        arm = (at["left_shoulder"] - at["left_elbow"]).norm()
        return float(arm / (at["left_hip"] - at["left_knee"]).norm())

    assert ratio(points) == pytest.approx(1.5 * ratio(plain), rel=0.01)


def test_joints_that_the_rig_lacks_are_missing() -> None:
    joints = Body.standing(400, 256, 500).joints.clone()
    joints[INDEX["left_wrist"]] = joints[INDEX["head_top"]] = math.nan
    rig = Rig((512, 512), joints, torch.ones(16))
    points = pose_keypoints(wild(), (512, 512), rig)
    gone = {OPENPOSE[i] for i in range(18) if not torch.isfinite(points[0, i]).all()}
    assert gone == {"left_wrist", "nose", "right_eye", "left_eye", "right_ear", "left_ear"}


@pytest.mark.parametrize("names", [[], ["pelvis"], ["head_top"], ["pelvis", "chest"]])
def test_a_rig_without_keypoints_is_one_sentence(names: list[str]) -> None:
    """OpenPose knows no pelvis, no chest and no top of the head."""
    joints = torch.full((16, 2), math.nan)
    for number, name in enumerate(names):
        joints[INDEX[name]] = torch.tensor([200.0, 200.0 - 50 * number])
    with pytest.raises(InputError, match=r"without joints|All joints of the rig are at 200, 200"):
        pose_keypoints(wild(), (512, 512), Rig((512, 512), joints, torch.ones(16)))


def test_a_rig_with_all_joints_at_one_place_is_one_sentence() -> None:
    rig = Rig((512, 512), torch.full((16, 2), 40.0), torch.ones(16))
    with pytest.raises(InputError, match="All joints of the rig are at 40, 40"):
        pose_keypoints(wild(), (512, 512), rig)
