"""The joints of a standing person in any pose, straight from features and differentiable."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from .motion import ANGLES, BONE_NAMES, ROOT, standing_limbs
from .skeleton import BONES, INDEX, STANDING

_PLAIN = tuple(name for name in ROOT if name not in ANGLES)
_LARGEST_LOG_SCALE = 2.0


def feature_index(name: str) -> int:
    """Returns the place of a field of the root that is no angle in `DanceMotion.features`."""
    return _PLAIN.index(name)


def stick_joints(features: Tensor) -> Tensor:
    """Joints `[... 16 2]` in body heights, y down, the feet at (0, 0) at rest, of poses as
    `DanceMotion.features`, `[... 27]`.

    For features of a real pose they are those that `pose_body` gives a standing person, but for
    segments that it keeps from getting too short and figures that it keeps from getting too narrow.
    For any other features, as a network predicts them, they are smooth.
    """
    value = dict(zip(_PLAIN, features.unbind(-1), strict=False))
    rest = (STANDING * torch.tensor([1.0, -1.0])).to(features)
    n = len(_PLAIN)
    sine, cosine = features[..., n], features[..., n + 1] + 1
    limbs = rearrange(features[..., n + 4 :], "... (s xy) -> ... s xy", xy=2)
    limbs = limbs + standing_limbs().to(features)

    # Trunk and head about the pelvis, then the limbs outwards.
    pelvis, neck, top = (rest[INDEX[name]] for name in ("pelvis", "neck", "head_top"))
    place = {"pelvis": pelvis.expand_as(features[..., :2])}
    lean, nod = value["lean"], value["lean"] + value["head"]
    for name in ("chest", "neck", "right_shoulder", "left_shoulder"):
        place[name] = pelvis + _turned(rest[INDEX[name]] - pelvis, lean.sin(), lean.cos())
    place["head_top"] = place["neck"] + _turned(top - neck, nod.sin(), nod.cos())
    for name in ("right_hip", "left_hip"):
        place[name] = rest[INDEX[name]].expand_as(features[..., :2])
    names = list(INDEX)
    for i, segment in enumerate(BONE_NAMES):
        start, end = BONES[segment]
        length = (rest[end] - rest[start]).norm()
        place[names[end]] = place[names[start]] + length * limbs[..., i, :]
    joints = torch.stack([place[name] for name in names], dim=-2)

    # The lower foot stays on the ground; then the whole body is bent, scaled, turned and shifted.
    sole = -rest[INDEX["right_ankle"], 1]
    lowest = torch.maximum(place["right_ankle"][..., 1], place["left_ankle"][..., 1]) + sole
    x, up = joints[..., 0], lowest[..., None] - joints[..., 1]
    x = x + value["bend"][..., None] * ((torch.pi * up.clamp(0, 1)).sin() - 0.5)
    bound = _LARGEST_LOG_SCALE
    x = x * (value["width"].clamp(-bound, bound).exp() * (features[..., n + 3] + 1))[..., None]
    up = up * value["height"].clamp(-bound, bound).exp()[..., None]
    points = torch.stack([x, 0.5 - up], dim=-1)
    points = _turned(points, sine[..., None], cosine[..., None])
    shift = torch.stack([value["x"], -0.5 - value["lift"]], dim=-1)
    return points + shift[..., None, :]


def _turned(vector: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """`vector [... 2]`, y down, turned clockwise as seen by an angle of that sine and cosine."""
    x, y = vector.unbind(-1)
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1)
