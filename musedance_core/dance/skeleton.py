"""The one skeleton of every dancer: 16 joints, 10 parts, and tables to OpenPose and DensePose.

Left and right are the character's own: the left arm of a character that faces the viewer is at the
picture's right.
"""

from __future__ import annotations

import torch
from torch import Tensor

JOINTS = (
    *("pelvis", "chest", "neck", "head_top"),
    *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
)
INDEX = {name: i for i, name in enumerate(JOINTS)}
PARENTS = (-1, 0, 1, 2, 1, 4, 5, 1, 7, 8, 0, 10, 11, 0, 13, 14)
"""Index of each joint's parent; -1 is none."""

BONES: dict[str, tuple[int, int]] = {
    f"{side}_{name}": (INDEX[f"{side}_{start}"], INDEX[f"{side}_{end}"])
    for side in ("right", "left")
    for name, start, end in (
        ("upper_arm", "shoulder", "elbow"),
        ("forearm", "elbow", "wrist"),
        ("thigh", "hip", "knee"),
        ("shin", "knee", "ankle"),
    )
}
"""Bones of the limbs and their joints, from the trunk outwards. A forearm includes the hand, a shin
the foot."""
PARTS = ("torso", "head", *BONES)
"""Parts of a figure, in the order of part weights `[p h w]` and of layers."""
PART_INDEX = {name: i for i, name in enumerate(PARTS)}
INNER_PART = {
    PART_INDEX[name]: PART_INDEX[
        name.replace("forearm", "upper_arm").replace("shin", "thigh")
        if name.endswith(("forearm", "shin"))
        else "torso"
    ]
    for name in BONES
}
"""The part that each bone of a limb hangs on, by index."""
DRAW_ORDER = tuple(
    PART_INDEX[name]
    for name in (
        *("right_shin", "left_shin", "right_thigh", "left_thigh", "torso", "head"),
        *("right_upper_arm", "left_upper_arm", "right_forearm", "left_forearm"),
    )
)
"""Parts from the bottom layer to the top one."""


def _other_side(name: str) -> str:
    if name.startswith("right"):
        return name.replace("right", "left")
    return name.replace("left", "right")


MIRRORED_JOINTS = tuple(INDEX[_other_side(name)] for name in JOINTS)
"""Index of the joint at the other side; of a joint in the middle, its own."""
MIRRORED_PARTS = tuple(PART_INDEX[_other_side(name)] for name in PARTS)
"""Index of the part at the other side; of torso and head, their own."""

DENSEPOSE: dict[str, tuple[int, ...]] = {
    "torso": (1, 2),
    "head": (23, 24),
    "right_upper_arm": (16, 18),
    "right_forearm": (3, 20, 22),
    "left_upper_arm": (15, 17),
    "left_forearm": (4, 19, 21),
    "right_thigh": (7, 9),
    "right_shin": (6, 11, 13),
    "left_thigh": (8, 10),
    "left_shin": (5, 12, 14),
}
"""DensePose's part ids (`parts`) of each part."""

OPENPOSE = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle"),
    *("left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear"),
)
"""OpenPose's 18 keypoints, in the COCO order."""

STANDING = torch.tensor(
    [
        *((0.0, 0.53), (0.0, 0.70), (0.0, 0.82), (0.0, 1.0)),
        *((-0.115, 0.80), (-0.135, 0.63), (-0.145, 0.475)),
        *((0.115, 0.80), (0.135, 0.63), (0.145, 0.475)),
        *((-0.06, 0.52), (-0.07, 0.28), (-0.075, 0.04)),
        *((0.06, 0.52), (0.07, 0.28), (0.075, 0.04)),
    ]
)
"""Joints `[16 2]` of a standing person: x to the right from the middle, y up from the ground, in
body heights."""

# Keypoints of a face from the front: share of the way from the neck to the top of the head, and
# shift to the character's left in lengths of that way.
_FACE = {
    "nose": (0.45, 0.0),
    "right_eye": (0.58, -0.17),
    "left_eye": (0.58, 0.17),
    "right_ear": (0.52, -0.36),
    "left_ear": (0.52, 0.36),
}
_CHEST = 0.42
"""Share of the way from the neck to the pelvis."""


def to_openpose(joints: Tensor) -> Tensor:
    """OpenPose keypoints `[... 18 2]` of `joints [... 16 2]` with y down; NaN stays NaN."""
    neck, top = joints[..., INDEX["neck"], :], joints[..., INDEX["head_top"], :]
    up = top - neck
    left = torch.stack([-up[..., 1], up[..., 0]], dim=-1)  # the viewer's right of an upright head
    points = [
        neck + _FACE[name][0] * up + _FACE[name][1] * left
        if name in _FACE
        else joints[..., INDEX[name], :]
        for name in OPENPOSE
    ]
    return torch.stack(points, dim=-2)


def from_openpose(keypoints: Tensor) -> Tensor:
    """Joints `[... 16 2]` of OpenPose keypoints `[... 18 2]` with y down, NaN where one is missing.

    Pelvis and chest follow from hips and neck, the top of the head from nose and neck.
    """
    at = {name: keypoints[..., i, :] for i, name in enumerate(OPENPOSE)}
    pelvis = (at["right_hip"] + at["left_hip"]) / 2
    middle = {
        "pelvis": pelvis,
        "chest": at["neck"] + _CHEST * (pelvis - at["neck"]),
        "head_top": at["neck"] + (at["nose"] - at["neck"]) / _FACE["nose"][0],
    }
    return torch.stack([(at | middle)[name] for name in JOINTS], dim=-2)
