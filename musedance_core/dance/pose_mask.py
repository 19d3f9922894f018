"""Silhouettes of OpenPose keypoints: masks of a figure with the usual widths of a body.

Limbs are capsules, the trunk is the quadrilateral of shoulders and hips with round edges, and the
head is a disc. All widths are shares of the trunk's length, so they fit at any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .skeleton import OPENPOSE

Point = np.ndarray
"""x and y."""


@dataclass(frozen=True)
class Girth:
    """Half widths and lengths in lengths of the trunk, from the neck to the middle of the hips."""

    upper_arm: float = 0.13
    forearm: float = 0.11
    thigh: float = 0.19
    shin: float = 0.14
    trunk: float = 0.14
    """Half width of the rim around the quadrilateral of shoulders and hips."""
    neck: float = 0.14
    head: float = 0.3
    """Radius of a head whose face is `usual_face` from the neck; one farther away is larger."""
    usual_face: float = 0.3
    """Distance from the neck to the middle of nose and ears."""
    hand: float = 0.24
    """Length of a hand, beyond the wrist."""
    foot: float = 0.14
    """Length of a foot, beyond the ankle."""
    trunk_of_height: float = 0.3
    """Length of the trunk in heights of the figure, where neck or hips are missing."""


GIRTH = Girth()
SEGMENTS = tuple(
    (f"{side}_{start}", f"{side}_{end}", part)
    for side in ("right", "left")
    for start, end, part in (
        ("shoulder", "elbow", "upper_arm"),
        ("elbow", "wrist", "forearm"),
        ("hip", "knee", "thigh"),
        ("knee", "ankle", "shin"),
    )
)
"""Keypoints at the ends of each segment of a limb, and the name of its width in `Girth`."""


def draw_silhouette(keypoints: Tensor, size: tuple[int, int], girth: Girth = GIRTH) -> Tensor:
    """The silhouette of one person per frame, anti-aliased; the same widths in all frames.

    Args:
        keypoints: `[f 18 2]` in pixels, y down, in the order of `OPENPOSE`; NaN where one is
            missing, and limbs that end there are not drawn.
        size: width and height of the masks.
        girth: widths.

    Returns:
        `[f h w]` float32 in 0..1, 1 inside of the figure.
    """
    width, height = size
    points = keypoints.double().cpu().numpy()
    trunk = _trunk_length(points, girth)
    masks = np.zeros((len(points), height, width), np.float32)
    for mask, places in zip(masks, points, strict=True):
        at = {
            name: place
            for name, place in zip(OPENPOSE, places, strict=True)
            if np.isfinite(place).all()
        }
        _draw_trunk_and_head(mask, at, trunk, girth)
        for start, end, part in SEGMENTS:
            if start in at and end in at:
                far = _beyond(at[start], at[end], trunk * _extension(part, girth))
                _fill_capsule(mask, at[start], far, trunk * getattr(girth, part))
    return torch.from_numpy(masks)


def _extension(part: str, girth: Girth) -> float:
    return {"forearm": girth.hand, "shin": girth.foot}.get(part, 0.0)


def _trunk_length(points: np.ndarray, girth: Girth) -> float:
    """The usual length of the trunk in points `[f 18 2]`, in pixels."""
    neck, right, left = (
        points[:, OPENPOSE.index(name)] for name in ("neck", "right_hip", "left_hip")
    )
    lengths = np.hypot(*((right + left) / 2 - neck).T)
    if np.isfinite(lengths).any():
        return float(np.nanmedian(lengths))
    known = points[np.isfinite(points).all(axis=-1)]
    return girth.trunk_of_height * float(np.ptp(known[:, 1])) if len(known) else 0.0


def _draw_trunk_and_head(
    mask: np.ndarray, at: dict[str, Point], trunk: float, girth: Girth
) -> None:
    corners = [
        at[f"{side}_{name}"]
        for side, name in (
            ("right", "shoulder"),
            ("left", "shoulder"),
            ("left", "hip"),
            ("right", "hip"),
        )
        if f"{side}_{name}" in at
    ]
    # Capsules between the sides fill the quadrilateral, also where shoulders and hips cross.
    if len(corners) == 4:
        steps = max(2, int(np.hypot(*(corners[0] - corners[1])) / max(1.0, trunk * 0.1)) + 2)
        for share in np.linspace(0, 1, steps):
            upper = corners[0] + share * (corners[1] - corners[0])
            lower = corners[3] + share * (corners[2] - corners[3])
            _fill_capsule(mask, upper, lower, trunk * girth.trunk)
    face = [at[name] for name in ("nose", "right_ear", "left_ear") if name in at]
    if face and "neck" in at:
        centre = np.mean(face, axis=0)
        reach = float(np.hypot(*(centre - at["neck"])))
        radius = trunk * girth.head * max(1.0, reach / max(1e-6, trunk * girth.usual_face))
        _fill_capsule(mask, centre, centre, radius)
        _fill_capsule(mask, at["neck"], centre, trunk * girth.neck)


def _beyond(start: Point, end: Point, length: float) -> Point:
    """The point `length` pixels beyond `end` on the line from `start`."""
    span = float(np.hypot(*(end - start)))
    result: Point = end + (end - start) * (length / span) if span > 1e-6 else end
    return result


def _fill_capsule(mask: np.ndarray, start: Point, end: Point, radius: float) -> None:
    """Fills all within `radius` pixels of the line from `start` to `end` on the mask `[h w]`."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius + 1), mask.shape[::-1])
    if (high <= low).any():
        return
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    x = np.arange(left, right, dtype=np.float32) + (0.5 - start[0])
    y = (np.arange(top, bottom, dtype=np.float32) + (0.5 - start[1]))[:, None]
    line = end - start
    share = ((x * line[0] + y * line[1]) / max(1e-6, float(line @ line))).clip(0, 1)
    distance = np.hypot(x - share * line[0], y - share * line[1])
    patch = mask[top:bottom, left:right]
    np.maximum(patch, (radius + 0.5 - distance).clip(0, 1), out=patch)
