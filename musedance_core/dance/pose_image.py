"""Poses as pictures in the look of ControlNet's OpenPose annotator.

Limbs are ellipses and joints discs on black, each of its own hue; limbs are darker, so that joints
stand out. Widths follow the picture's size, as for models whose pictures are about 512 pixels wide.
"""

from __future__ import annotations

import colorsys

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .skeleton import OPENPOSE

LIMBS = tuple(
    (OPENPOSE.index(start), OPENPOSE.index(end))
    for start, end in (
        *(("neck", "right_shoulder"), ("neck", "left_shoulder")),
        *(("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist")),
        *(("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
        *(("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
        *(("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle")),
        *(("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear")),
        *(("nose", "left_eye"), ("left_eye", "left_ear")),
    )
)
"""Ends of the 17 limbs in the order of their colours, as indices of `OPENPOSE`."""
COLOURS = tuple(colorsys.hsv_to_rgb(i / len(OPENPOSE), 1.0, 1.0) for i in range(len(OPENPOSE)))
"""RGB in 0..1 of joint i and of limb i: the hues in 18 even steps from red."""
LIMB_BRIGHTNESS = 0.6
RADIUS = 4 / 512
"""Radius of a joint, and half the width of a limb, over the shorter side of the picture."""


def draw_pose(keypoints: Tensor, size: tuple[int, int]) -> Tensor:
    """Draws one person per frame, anti-aliased.

    Args:
        keypoints: `[f 18 2]` in pixels, y down, in the order of `OPENPOSE`; NaN where one is
            missing, and limbs that end there are not drawn.
        size: width and height of the pictures.

    Returns:
        `[f 3 h w]` float32 in 0..1.
    """
    width, height = size
    radius = max(1.0, RADIUS * min(size))
    frames = np.zeros((len(keypoints), height, width, 3), np.float32)
    for canvas, points in zip(frames, keypoints.double().cpu().numpy(), strict=True):
        for ends, colour in zip(LIMBS, COLOURS, strict=False):
            start, end = points[list(ends)]
            if np.isfinite([start, end]).all():
                half = float(np.hypot(*(end - start))) / 2
                axes = (max(half, radius / 2), radius)
                dim = np.array(colour) * LIMB_BRIGHTNESS
                _fill_ellipse(canvas, (start + end) / 2, axes, end - start, dim)
        for point, colour in zip(points, COLOURS, strict=True):
            if np.isfinite(point).all():
                _fill_ellipse(canvas, point, (radius, radius), np.array([1.0, 0.0]), colour)
    return torch.from_numpy(rearrange(frames, "f h w c -> f c h w"))


def _fill_ellipse(
    canvas: np.ndarray,
    centre: np.ndarray,
    axes: tuple[float, float],
    direction: np.ndarray,
    colour: np.ndarray | tuple[float, float, float],
) -> None:
    """Fills an ellipse on the canvas `[h w 3]`; the first of its half axes has the direction."""
    length = float(np.hypot(*direction))
    cosine, sine = (direction / length).tolist() if length > 1e-6 else (1.0, 0.0)
    # The box around it, with one pixel for the soft edge.
    reach = np.hypot([axes[0] * cosine, axes[0] * sine], [axes[1] * sine, axes[1] * cosine]) + 1
    low = np.maximum(np.floor(centre - reach), 0)
    high = np.minimum(np.ceil(centre + reach), [canvas.shape[1], canvas.shape[0]])
    if (high <= low).any():
        return
    (left, top), (right, bottom) = low.astype(int), high.astype(int)

    x = np.arange(left, right, dtype=np.float32) + (0.5 - centre[0])
    y = (np.arange(top, bottom, dtype=np.float32) + (0.5 - centre[1]))[:, None]
    along, across = x * cosine + y * sine, y * cosine - x * sine
    # Distance to the edge to first order: value of the implicit function over its slope.
    a, b = axes
    value = np.sqrt((along / a) ** 2 + (across / b) ** 2)
    slope = np.sqrt((along / a**2) ** 2 + (across / b**2) ** 2)
    distance = value * (value - 1) / np.maximum(slope, 1e-6)
    cover = (0.5 - distance).clip(0, 1)[..., None].astype(np.float32)
    patch = canvas[top:bottom, left:right]
    patch += cover * (np.asarray(colour, np.float32) - patch)
