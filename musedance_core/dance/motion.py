"""DanceMotion: a dance independent of the dancer's build, of size and of frame rate.

Lengths are in body heights, angles in radians, clockwise as seen; x is to the right, y down, and
lift is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, pi

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..errors import InputError
from .skeleton import BONES, STANDING

ROOT = ("x", "lift", "turn", "yaw", "width", "height", "lean", "bend", "head")
"""Fields of a pose that are not limbs; see `DanceMotion`."""
ROOT_INDEX = {name: i for i, name in enumerate(ROOT)}
BONE_NAMES = tuple(BONES)
BONE_INDEX = {name: i for i, name in enumerate(BONE_NAMES)}
ANGLES = ("turn", "yaw")
"""Fields that go full circle."""
FEATURES = len(ROOT) + len(ANGLES) + 2 * len(BONE_NAMES)
"""Numbers of a pose as the choreographer takes it: 27."""


@dataclass(frozen=True)
class DanceMotion:
    """Poses at an even rate.

    Attributes:
        root: `[... f 9]` in the order of `ROOT`. x: shift of the whole figure. lift: height of the
            lowest foot above the ground. turn: rotation of the figure about its middle. yaw:
            rotation about its upright axis, shown as a change of width. width, height: logarithms
            of the scales about the feet. lean: rotation of trunk, head and shoulders about the
            pelvis. bend: bow of the body, its middle to the right. head: rotation about the neck.
        limbs: `[... f 8 2]` in the order of `BONES`, x and y (down) from the inner joint to the
            outer one in lengths of that bone, at most 1: shorter is foreshortened.
        fps: poses a second.
    """

    root: Tensor
    limbs: Tensor
    fps: float

    def __len__(self) -> int:
        return int(self.root.shape[-2])

    def field(self, name: str) -> Tensor:
        """One field of the root, `[... f]`."""
        return self.root[..., ROOT_INDEX[name]]

    def features(self) -> Tensor:
        """The poses as `[... f 27]`: the root with sine and cosine (less 1) of its angles, limbs
        as differences from those of a standing person."""
        plain = [self.field(name) for name in ROOT if name not in ANGLES]
        circles = [f(self.field(name)) for name in ANGLES for f in (torch.sin, torch.cos)]
        circles[1], circles[3] = circles[1] - 1, circles[3] - 1
        limbs = rearrange(self.limbs - standing_limbs().to(self.limbs), "... s xy -> ... (s xy)")
        return torch.cat([torch.stack([*plain, *circles], dim=-1), limbs], dim=-1)

    @classmethod
    def from_features(cls, features: Tensor, fps: float) -> DanceMotion:
        """The inverse of `features`; angles are continuous over the frames, and no limb is longer
        than it is."""
        plain = len(ROOT) - len(ANGLES)
        values = dict(zip([n for n in ROOT if n not in ANGLES], features.unbind(-1), strict=False))
        for i, name in enumerate(ANGLES):
            sine, cosine = features[..., plain + 2 * i], features[..., plain + 2 * i + 1] + 1
            values[name] = unwrap(torch.atan2(sine, cosine))
        root = torch.stack([values[name] for name in ROOT], dim=-1)
        limbs = rearrange(features[..., plain + 4 :], "... (s xy) -> ... s xy", xy=2)
        limbs = limbs + standing_limbs().to(limbs)
        length = limbs.norm(dim=-1, keepdim=True)
        return cls(root, limbs / length.clamp_min(1.0), fps)

    def at(self, seconds: np.ndarray) -> DanceMotion:
        """The poses at `seconds [n]` from the first one, by cubic interpolation; before and after
        the dance the first and the last one. Their `fps` follows from the first two times."""
        position = torch.from_numpy(np.asarray(seconds, np.float64) * self.fps).clamp(
            0, len(self) - 1
        )
        rate = 1 / (seconds[1] - seconds[0]) if len(seconds) > 1 else self.fps
        flat = torch.cat([self.root, rearrange(self.limbs, "... s xy -> ... (s xy)")], dim=-1)
        values = _cubic(flat, position)
        root = values[..., : len(ROOT)]
        limbs = rearrange(values[..., len(ROOT) :], "... (s xy) -> ... s xy", xy=2)
        limbs = limbs / limbs.norm(dim=-1, keepdim=True).clamp_min(1.0)
        return DanceMotion(root, limbs, float(rate))

    def __getitem__(self, frames: slice) -> DanceMotion:
        return replace(self, root=self.root[..., frames, :], limbs=self.limbs[..., frames, :, :])


def require_poses(motion: DanceMotion) -> None:
    """Raises InputError where a dance has no pose, or numbers that are not finite."""
    if len(motion) == 0:
        raise InputError("The motion holds no pose.")
    if not bool(torch.isfinite(motion.root).all() and torch.isfinite(motion.limbs).all()):
        raise InputError("The motion holds numbers that are not finite.")


def standing(frames: int, fps: float) -> DanceMotion:
    """A person who stands still, arms down."""
    limbs = standing_limbs().expand(frames, -1, -1).clone()
    return DanceMotion(torch.zeros(frames, len(ROOT)), limbs, fps)


def standing_limbs() -> Tensor:
    """Limbs `[8 2]` of a standing person, y down."""
    ends = [STANDING[end] - STANDING[start] for start, end in BONES.values()]
    vectors = torch.stack(ends) * torch.tensor([1.0, -1.0])
    unit: Tensor = vectors / vectors.norm(dim=-1, keepdim=True)
    return unit


def join(motions: Sequence[DanceMotion]) -> DanceMotion:
    """One dance after the other; angles go on from the end of the one before."""
    root = [motions[0].root]
    for motion in motions[1:]:
        turned = motion.root.clone()
        for name in ANGLES:
            i = ROOT_INDEX[name]
            gap = root[-1][..., -1:, i] - turned[..., :1, i]
            turned[..., i] += 2 * pi * torch.round(gap / (2 * pi))
        root.append(turned)
    limbs = torch.cat([motion.limbs for motion in motions], dim=-3)
    return DanceMotion(torch.cat(root, dim=-2), limbs, motions[0].fps)


def closed_loop(motion: DanceMotion, begin: float, end: float, overlap: float) -> DanceMotion:
    """The dance from 0 to `end` seconds, whose end leads over to its pose at `begin`.

    The first `overlap` seconds after `begin` go over from what follows `end`, for which `motion`
    has to last `end` + `overlap` seconds.
    """
    seconds = np.arange(len(motion)) / motion.fps
    own, after = motion.features(), motion.at(seconds + end - begin).features()
    way = torch.from_numpy(np.clip((seconds - begin) / overlap, 0, 1)).to(own)
    share = (way * way * (3 - 2 * way))[:, None]
    share[torch.from_numpy(seconds < begin)] = 1.0
    features = after + share * (own - after)
    return DanceMotion.from_features(features, motion.fps)[: max(1, ceil(end * motion.fps))]


def unwrap(angles: Tensor) -> Tensor:
    """Angles `[... f]` with whole turns added so that none jumps by more than half a turn."""
    steps = angles.diff(dim=-1, prepend=angles[..., :1])
    return angles - 2 * pi * torch.round(steps / (2 * pi)).cumsum(dim=-1)


def _cubic(values: Tensor, position: Tensor) -> Tensor:
    """Catmull-Rom interpolation of `values [... f d]` at `position [n]` in 0..f-1: `[... n d]`."""
    last = values.shape[-2] - 1
    index = position.floor().long().clamp(0, max(0, last - 1))
    share = (position - index).to(values)[:, None]
    before, here, after, later = (values[..., (index + k).clamp(0, last), :] for k in (-1, 0, 1, 2))
    slope, next_slope = (after - before) / 2, (later - here) / 2
    s2, s3 = share**2, share**3
    curve: Tensor = (2 * s3 - 3 * s2 + 1) * here + (s3 - 2 * s2 + share) * slope
    return curve + (3 * s2 - 2 * s3) * after + (s3 - s2) * next_slope


__all__ = [
    "ANGLES",
    "BONE_INDEX",
    "BONE_NAMES",
    "FEATURES",
    "ROOT",
    "ROOT_INDEX",
    "DanceMotion",
    "join",
    "require_poses",
    "standing",
    "standing_limbs",
    "unwrap",
]
