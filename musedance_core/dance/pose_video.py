"""A dance as OpenPose keypoints of a person, at any size and with any proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .motion import DanceMotion
from .posing import Body, pose_body
from .rig import Rig
from .skeleton import INDEX, OPENPOSE, STANDING, to_openpose


@dataclass(frozen=True)
class Framing:
    """Placement of the figure, in shares of the height or width of the frame.

    Attributes:
        height: of a standing figure; less where the dance needs more room.
        ground: of the ground, from the top.
        margin: room that stays free at every edge.
    """

    height: float = 0.72
    ground: float = 0.92
    margin: float = 0.04


FRAMING = Framing()
UNIT = 1000.0
"""Height in pixels of the figure before it is placed in the frame."""
LEAST_SPAN = 1.0
"""Pixels from one joint of a rig to another, at least."""
NO_PROPORTIONS = "A rig without joints has no proportions: give it those of the dancer."
FACE = [OPENPOSE.index(name) for name in ("nose", "right_eye", "left_eye")]
"""Keypoints that are not seen from behind."""


def pose_keypoints(
    motion: DanceMotion, size: tuple[int, int], rig: Rig | None = None, framing: Framing = FRAMING
) -> Tensor:
    """The keypoints of a dancer who is inside the frame all the time.

    The figure has one scale for the whole dance. Seen from behind it has no nose and no eyes.

    Args:
        motion: the dance, `[f]`.
        size: width and height of the frame in pixels.
        rig: proportions of the dancer; those of a standing person by default. Keypoints of joints
            that it lacks are missing.
        framing: placement of the figure.

    Returns:
        `[f 18 2]` in pixels, NaN where a keypoint is missing.

    Raises:
        InputError: the rig has no joints that OpenPose knows, or all of them are at one place.
    """
    body = Body.standing(UNIT, 0.0, 0.0) if rig is None else _body(rig)
    # Before the warp, which narrows and mirrors the face of a figure that turns too.
    present = _present(body)
    if not present.any():
        raise InputError(NO_PROPORTIONS)
    posed = pose_body(body, motion)
    points = posed.warp.forward(to_openpose(posed.joints))
    points = torch.where(present[:, None], points, math.nan)
    behind = motion.field("yaw").cos() < 0
    hidden = torch.zeros(len(motion), len(OPENPOSE), dtype=torch.bool)
    hidden[:, FACE] = behind[:, None]
    points = torch.where(hidden[..., None], math.nan, points)
    return _placed(points, size, framing)


def _body(rig: Rig) -> Body:
    """The dancer of a rig, `UNIT` high and standing at (0, 0)."""
    joints = rig.joints[rig.present]
    if len(joints) == 0:
        raise InputError(NO_PROPORTIONS)
    left, top = joints.amin(dim=0).tolist()
    right, bottom = joints.amax(dim=0).tolist()
    if max(right - left, bottom - top) < LEAST_SPAN:
        raise InputError(
            f"All joints of the rig are at {left:g}, {top:g}: it has no proportions of a dancer."
        )
    if rig.present[INDEX["head_top"]]:  # hands may be higher
        top = float(rig.joints[INDEX["head_top"], 1])
    # Soles are below the ankles of a person who stands.
    if rig.present[INDEX["right_ankle"]] or rig.present[INDEX["left_ankle"]]:
        ankle = float(STANDING[INDEX["right_ankle"], 1])
        bottom += (bottom - top) * ankle / (1 - ankle)
    scale = UNIT / max(bottom - top, 1.0)
    shift = torch.tensor([(left + right) / 2, bottom])
    scaled = Rig(rig.size, (rig.joints - shift) * scale, rig.confidence)
    half = (right - left) / 2 * scale
    return Body.of(scaled, (-half, -UNIT, half, 0.0))


def _present(body: Body) -> Tensor:
    """Bool `[18]`: the keypoints whose joints are there."""
    at_head = body.present[INDEX["neck"]] & body.present[INDEX["head_top"]]
    there = [body.present[INDEX[name]] if name in INDEX else at_head for name in OPENPOSE]
    return torch.stack(there)


def _placed(points: Tensor, size: tuple[int, int], framing: Framing) -> Tensor:
    """Points of a figure that is `UNIT` high at (0, 0), scaled and shifted into the frame."""
    frame = points.new_tensor(size)
    room = frame * (1 - 2 * framing.margin)
    known = points[torch.isfinite(points).all(dim=-1)]
    low, high = known.amin(dim=0), known.amax(dim=0)
    fits = (room / (high - low).clamp_min(1e-3)).min()
    scale = min(float(fits), framing.height * size[1] / UNIT)
    # The dancer's middle and ground have their places, unless a limb would leave the frame there.
    usual = frame * frame.new_tensor([0.5, framing.ground])
    margin = frame * framing.margin
    shift = torch.maximum(usual, margin - low * scale)
    shift = torch.minimum(shift, frame - margin - high * scale)
    return points * scale + shift
