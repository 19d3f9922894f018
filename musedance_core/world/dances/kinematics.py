"""From channels of key poses to limbs: arms by their angles, legs by where the feet stand."""

from __future__ import annotations

from math import pi

import numpy as np
from einops import reduce

from ...dance.motion import BONE_INDEX, BONE_NAMES, ROOT
from ...dance.skeleton import BONES, INDEX, STANDING
from .keys import CHANNEL, FOOT

REACH = 0.995
"""Longest distance from hip to ankle as a share of the leg: a straight knee locks."""
SHORTEST_ARM = 0.1
"""Least length of a foreshortened segment of an arm."""
_OUT = np.array([-1.0, 1.0])
"""Sign of x that is outwards, of the left and the right leg."""
_OTHER = {"left": "right", "right": "left"}
"""The dancer's own side of each of the viewer's."""
_THIGH, _SHIN = (
    float((STANDING[end] - STANDING[start]).norm())
    for start, end in (BONES["left_thigh"], BONES["left_shin"])
)
_LONGEST = REACH * (_THIGH + _SHIN)
_HIP_X = float(STANDING[INDEX["left_hip"], 0])
_ANKLE = float(STANDING[INDEX["left_ankle"], 1])
_HIP_UP = float(STANDING[INDEX["left_hip"], 1]) - _ANKLE


def root_and_limbs(values: np.ndarray, turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root `[b f 9]` and limbs `[b f 8 2]` of `DanceMotion`.

    Args:
        values: channels `[b f 25]`.
        turned: whole turns `[b f 2]`, about the middle and about the upright axis.
    """
    at = {name: values[..., i] for name, i in CHANNEL.items()}
    limbs = np.empty((*values.shape[:2], len(BONE_NAMES), 2))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for name, segment in (("upper", "upper_arm"), ("fore", "forearm")):
            angle = at[f"{side}_{name}"]
            length = np.clip(at[f"{side}_{name}_length"], SHORTEST_ARM, 1)
            i = BONE_INDEX[f"{_OTHER[side]}_{segment}"]
            limbs[..., i, 0] = sign * np.sin(angle) * length
            limbs[..., i, 1] = np.cos(angle) * length

    foot = {
        name: np.stack([at[f"{side}_foot_{name}"] for side in _OTHER], axis=-1) for name in FOOT
    }
    foot["up"] = np.maximum(foot["up"], 0)
    across = _places(at, foot) - _OUT * _HIP_X
    lowest = reduce(foot["up"], "b f side -> b f 1", "min")
    raised = foot["up"] - lowest
    high = _hip_height(at["drop"], across, raised, foot["front"])
    thigh, shin = _leg(across, raised - high, foot["front"], foot["knee"])
    for k, side in enumerate(_OTHER.values()):
        limbs[..., BONE_INDEX[f"{side}_thigh"], :] = thigh[..., k, :]
        limbs[..., BONE_INDEX[f"{side}_shin"], :] = shin[..., k, :]

    whole = {"lift": lowest[..., 0], "turn": at["turn"] + turned[..., 0]}
    whole["yaw"] = at["yaw"] + turned[..., 1]
    return np.stack([(at | whole)[name] for name in ROOT], axis=-1), limbs


def _places(at: dict[str, np.ndarray], foot: dict[str, np.ndarray]) -> np.ndarray:
    """Places of the feet `[b f 2]` from the pelvis, before the figure is scaled and bent.

    Scales, yaw and bend of the whole figure move its feet too: that is taken off again.
    """
    x, bend = at["x"][..., None], at["bend"][..., None]
    wide = (np.exp(at["width"]) * np.cos(at["yaw"]))[..., None]
    bow = np.sin(pi * np.clip(_ANKLE + foot["up"], 0, 1)) - 0.5
    return np.asarray((foot["x"] - x) / wide - bend * bow)


def _hip_height(
    drop: np.ndarray, across: np.ndarray, raised: np.ndarray, front: np.ndarray
) -> np.ndarray:
    """Height of the hips above the lower ankle, `[b f 1]`: no more than a straight leg allows."""
    room = np.sqrt(np.maximum(_LONGEST**2 - across**2 - front**2, 0.01))
    # A foot in the air does not hold the hips down.
    allowed = (room + 4 * raised).min(axis=-1, keepdims=True)
    return np.asarray(np.minimum(_HIP_UP - drop[..., None], allowed))


def _leg(
    x: np.ndarray, up: np.ndarray, front: np.ndarray, outwards: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Thigh and shin `[... 2]`, y down, in their lengths, seen from the front.

    Args:
        x, up, front: from the hip to the ankle, to the viewer's right, up and to the viewer.
        outwards: how far the knee points outwards, 1 outwards and 0 to the front.
    """
    far = np.sqrt(x**2 + up**2 + front**2)
    # A foot that is out of reach is as near to its place as the leg allows.
    factor = np.minimum(1, _LONGEST / np.maximum(far, 1e-6))
    ankle = np.stack([x * factor, up * factor, front * factor], axis=-1)
    far = np.maximum(far * factor, 0.05)[..., None]
    axis = ankle / far
    along = (_THIGH**2 - _SHIN**2 + far**2) / (2 * far)
    height = np.sqrt(np.maximum(_THIGH**2 - along**2, 0))
    # The knee is at right angles to the way from hip to ankle.
    pole = np.stack(
        [_OUT * outwards, np.full(x.shape, 0.3), np.sqrt(np.maximum(1 - outwards**2, 0))], axis=-1
    )
    pole = pole - (pole * axis).sum(axis=-1, keepdims=True) * axis
    pole = pole / np.maximum(np.linalg.norm(pole, axis=-1, keepdims=True), 1e-6)
    knee = along * axis + height * pole
    flat = np.array([1.0, -1.0])
    return knee[..., :2] * flat / _THIGH, (ankle - knee)[..., :2] * flat / _SHIN
