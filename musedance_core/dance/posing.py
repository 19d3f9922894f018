"""Posing: a dance on a body of any build, as joints, rigid motions of its parts, and one warp.

Bones turn first (`PosedBody.transforms`), then the whole figure is bent, scaled and turned as a
cartoon is (`CartoonWarp`). Feet stay on the ground: the height of the body follows from its legs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from einops import rearrange, repeat
from torch import Tensor

from .motion import BONE_INDEX, DanceMotion
from .rig import Rig
from .skeleton import BONES, INDEX, INNER_PART, PART_INDEX, PARTS, STANDING


@dataclass(frozen=True)
class PosingLimits:
    """Bounds that keep flat figures of any build in shape."""

    shortest: float = 0.3
    """Least length of a foreshortened segment in a picture, in its own lengths."""
    least_height: float = 0.4
    """Least height of the top of the head, as a share of the figure: a head that is found lower is
    an error."""
    squash: float = 1.1
    """Change of a legless body's logarithm of height for each body height that the pelvis of a
    person would sink."""
    narrowest: float = 0.06
    """Least width of a figure that turns about its upright axis, as a share of its own: it is never
    seen from the edge."""


LIMITS = PosingLimits()


@dataclass(frozen=True)
class Body:
    """A figure at rest, in pixels of its picture, y down.

    Attributes:
        joints: `[16 2]`; absent joints hold a usual place, so that nothing is NaN.
        present: bool `[16]`.
        ground: y of the ground under the feet.
        height: from the ground to the top of the figure.
    """

    joints: Tensor
    present: Tensor
    ground: float
    height: float

    @classmethod
    def of(cls, rig: Rig, box: tuple[float, float, float, float]) -> Body:
        """The body of `rig` whose figure fills `box`: left, top, right, bottom in pixels.

        Its height is that of the top of its head, where that is known: raised arms do not count.
        """
        left, top, right, bottom = box
        present = rig.present
        if bool(present[INDEX["head_top"]]):
            head = float(rig.joints[INDEX["head_top"], 1])
            top = min(max(top, head), bottom - LIMITS.least_height * (bottom - top))
        height = max(1.0, bottom - top)
        usual = STANDING * torch.tensor([height, -height]) + torch.tensor(
            [(left + right) / 2, bottom]
        )
        pelvis = INDEX["pelvis"]
        if bool(present[pelvis]):
            usual = usual + (rig.joints[pelvis] - usual[pelvis]) * torch.tensor([1.0, 0.0])
        joints = torch.where(present[:, None], rig.joints, usual)
        return cls(joints, present, float(bottom), height)

    @classmethod
    def standing(cls, height: float, x: float, ground: float) -> Body:
        """A standing person of `height` pixels, its feet at `x` and `ground`."""
        joints = STANDING * torch.tensor([height, -height]) + torch.tensor([x, ground])
        return cls(joints, torch.ones(len(joints), dtype=torch.bool), ground, height)

    def has(self, bone: str) -> bool:
        """Whether the bone of a limb, and that between it and the trunk, are there."""
        start, end = BONES[bone]
        inner = PARTS[INNER_PART[PART_INDEX[bone]]]
        whole = bool(self.present[start] and self.present[end])
        return whole and (inner == "torso" or self.has(inner))

    @property
    def has_legs(self) -> bool:
        """Whether at least one whole leg is there."""
        return self.has("right_shin") or self.has("left_shin")


@dataclass(frozen=True)
class CartoonWarp:
    """Bend, scale and turn of a whole figure, per frame `[f]`.

    Attributes:
        base: `[f 2]` the point between the feet, in pixels.
        height: body height in pixels.
        scale: `[f 2]` of width and height about the base.
        bend, turn: as in `DanceMotion`.
    """

    base: Tensor
    height: float
    scale: Tensor
    bend: Tensor
    turn: Tensor

    def forward(self, points: Tensor) -> Tensor:
        """Positions in the frame, `[f n 2]`, of `points [f n 2]` of the posed figure."""
        base, bend = self.base[:, None], self.bend[:, None]
        x, up = _split((points - base) / self.height)
        x = x + bend * _bow(up)
        x, up = x * self.scale[:, None, 0], up * self.scale[:, None, 1]
        x, y = _rotate(x, 0.5 - up, self.turn[:, None])
        return torch.stack([x, y - 0.5], dim=-1) * self.height + base

    def inverse(self, points: Tensor) -> Tensor:
        """The points `[f n 2]` of the posed figure that `points [f n 2]` of the frame show."""
        x, y = _apply(self.unturned(), points).unbind(dim=-1)
        return torch.stack([x - self.bent_by(y), y], dim=-1)

    def unturned(self) -> Tensor:
        """Affine maps `[f 2 3]` from points of the frame to those of the bent figure, upright and
        at its own size."""
        cosine, sine = self.turn.cos(), self.turn.sin()
        rows = [torch.stack([cosine, sine], dim=-1), torch.stack([-sine, cosine], dim=-1)]
        linear = torch.stack(rows, dim=-2) / rearrange(self.scale, "f xy -> f xy 1")
        # Figures turn about the middle of the body, half a height above the base.
        middle = self.base - torch.tensor([0.0, self.height / 2])
        feet = torch.tensor([0.0, self.height / 2]) / self.scale
        shift = self.base - feet - (linear @ middle[..., None])[..., 0]
        return torch.cat([linear, rearrange(shift, "f xy -> f xy 1")], dim=-1)

    def bent_by(self, y: Tensor) -> Tensor:
        """Pixels `[f ...]` by which the bend moves points of height `y [f ...]` to the right."""
        shape = (len(y), *(1,) * (y.ndim - 1))
        base, bend = self.base[:, 1].view(shape), self.bend.view(shape)
        return _bow((base - y) / self.height) * (bend * self.height)


@dataclass(frozen=True)
class PosedBody:
    """A body in the poses of a dance.

    Attributes:
        joints: `[f 16 2]` in pixels, before the cartoon warp.
        transforms: `[f p 2 3]`, affine maps from pixels at rest to posed pixels, per part.
        warp: applied to all of that.
    """

    joints: Tensor
    transforms: Tensor
    warp: CartoonWarp

    @property
    def warped_joints(self) -> Tensor:
        """Joints `[f 16 2]` in the frame."""
        return self.warp.forward(self.joints)


def pose_body(body: Body, motion: DanceMotion) -> PosedBody:
    """Puts `body` in the poses `[f]` of `motion`.

    Segments that are absent move with the part that they hang on.
    """
    joints, transforms = _pose_trunk(body, motion)
    _pose_limbs(body, motion, joints, transforms)
    shift, scale = _on_the_ground(body, motion, joints)
    joints = joints + shift[:, None]
    transforms[..., 2] += shift[:, None]

    # A paper figure turns about its upright axis by getting narrower, and shows its mirror image.
    width = motion.field("yaw").cos()
    sign = torch.where(width < 0, -torch.ones_like(width), torch.ones_like(width))
    width = sign * width.abs().clamp_min(LIMITS.narrowest)
    base_y = body.ground - motion.field("lift") * body.height
    base = torch.stack([body.joints[INDEX["pelvis"], 0] + shift[:, 0], base_y], dim=-1)
    factor = scale.exp() * torch.stack([width, torch.ones_like(width)], dim=-1)
    warp = CartoonWarp(base, body.height, factor, motion.field("bend"), motion.field("turn"))
    return PosedBody(joints, transforms, warp)


def _pose_trunk(body: Body, motion: DanceMotion) -> tuple[Tensor, Tensor]:
    """Joints `[f 16 2]` and affine maps `[f p 2 3]` of a figure whose trunk leans and whose head
    nods; limbs move with the trunk, hips and pelvis of a body with legs stay."""
    rest = body.joints
    pelvis = rest[INDEX["pelvis"]]
    # Legless bodies lean about the ground.
    ground = torch.stack([pelvis[0], torch.tensor(body.ground)])
    pivot = pelvis if body.has_legs else ground
    trunk = _rotation(motion.field("lean"), repeat(pivot, "xy -> f xy", f=len(motion)))
    transforms = repeat(trunk, "f r c -> f p r c", p=len(PARTS)).clone()
    joints = _apply(trunk, rest)
    head = _compose(_rotation(motion.field("head"), joints[:, INDEX["neck"]]), trunk)
    transforms[:, PART_INDEX["head"]] = head
    joints[:, INDEX["head_top"]] = _apply(head, rest[INDEX["head_top"]][None])[:, 0]
    if body.has_legs:
        for name in ("right_hip", "left_hip", "pelvis"):
            joints[:, INDEX[name]] = rest[INDEX[name]]
    return joints, transforms


def _pose_limbs(body: Body, motion: DanceMotion, joints: Tensor, transforms: Tensor) -> None:
    """Turns limbs from the trunk outwards, in place; each segment is shortened along itself."""
    rest = body.joints
    for name, (start, end) in BONES.items():
        part = PART_INDEX[name]
        inner = INNER_PART[part]
        bone = rest[end] - rest[start]
        if not body.has(name):
            transforms[:, part] = transforms[:, inner]
            joints[:, end] = _apply(transforms[:, inner], rest[end][None])[:, 0]
            continue
        target = motion.limbs[:, BONE_INDEX[name]] * bone.norm()
        length = target.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        target = target * (LIMITS.shortest * bone.norm() / length).clamp_min(1.0)
        transforms[:, part] = _segment(rest[start], bone, joints[:, start], target)
        joints[:, end] = joints[:, start] + target


def _on_the_ground(body: Body, motion: DanceMotion, joints: Tensor) -> tuple[Tensor, Tensor]:
    """Shift `[f 2]` in pixels and logarithms of the scales `[f 2]` of a figure with these `joints`.

    The lowest ankle is as high above the ground as `lift` says; without legs the whole body is, and
    is squashed where the pelvis of a person would sink.
    """
    scale = torch.stack([motion.field("width"), motion.field("height")], dim=-1)
    drop = torch.zeros(len(motion))
    if body.has_legs:
        ankles = [INDEX[f"{s}_ankle"] for s in ("right", "left") if body.has(f"{s}_shin")]
        sole = body.ground - float(body.joints[ankles, 1].max())
        drop = body.ground - (joints[:, ankles, 1].amax(dim=1) + sole)
    else:
        squash = LIMITS.squash * _pelvis_drop(motion)
        scale = scale + torch.stack([0.5 * squash, -squash], dim=-1)
    rise = motion.field("lift") * body.height
    return torch.stack([motion.field("x") * body.height, drop - rise], dim=-1), scale


def at_rest(body: Body) -> PosedBody:
    """The one pose in which `body` is in its picture."""
    transforms = torch.eye(2, 3).expand(1, len(PARTS), 2, 3)
    base = torch.stack([body.joints[INDEX["pelvis"], 0], torch.tensor(body.ground)])[None]
    still = torch.zeros(1)
    warp = CartoonWarp(base, body.height, torch.ones(1, 2), still, still)
    return PosedBody(body.joints[None], transforms, warp)


def _pelvis_drop(motion: DanceMotion) -> Tensor:
    """Drop of a person's pelvis in each pose, `[f]` in body heights, at least 0."""
    highest = torch.zeros(len(motion))
    for side in ("right", "left"):
        reach = torch.zeros(len(motion))
        for name in (f"{side}_thigh", f"{side}_shin"):
            start, end = BONES[name]
            length = (STANDING[end] - STANDING[start]).norm()
            reach = reach + motion.limbs[:, BONE_INDEX[name], 1] * length
        highest = torch.maximum(highest, reach)
    standing = STANDING[INDEX["right_hip"], 1] - STANDING[INDEX["right_ankle"], 1]
    return (standing - highest).clamp_min(0)


def _split(points: Tensor) -> tuple[Tensor, Tensor]:
    """x and height above the base of relative `points [... 2]`."""
    return points[..., 0], -points[..., 1]


def _bow(up: Tensor) -> Tensor:
    """Shape of a bend: the middle to one side, the ends to the other."""
    return (pi * up.clamp(0, 1)).sin() - 0.5


def _rotate(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """(x, y) with y down, turned clockwise as seen."""
    return x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()


def _rotation(angle: Tensor, centre: Tensor) -> Tensor:
    """Affine rotations `[f 2 3]` by `angle [f]`, clockwise as seen, about `centre [f 2]`."""
    cosine, sine = angle.cos(), angle.sin()
    linear = torch.stack(
        [torch.stack([cosine, -sine], dim=-1), torch.stack([sine, cosine], dim=-1)], dim=-2
    )
    shift = centre - (linear @ centre[..., None])[..., 0]
    return torch.cat([linear, shift[..., None]], dim=-1)


def _segment(start: Tensor, bone: Tensor, to: Tensor, target: Tensor) -> Tensor:
    """Affine maps `[f 2 3]` that take the segment `bone [2]` at `start [2]` to `target [f 2]` at
    `to [f 2]`, as wide as before."""
    along = bone / bone.norm().clamp_min(1e-6)
    length = target.norm(dim=-1, keepdim=True)
    direction = target / length.clamp_min(1e-6)
    factor = length / bone.norm().clamp_min(1e-6)
    across, new_across = _quarter_turn(along), _quarter_turn(direction)
    linear = rearrange(direction * factor, "f xy -> f xy 1") * along
    linear = linear + rearrange(new_across, "f xy -> f xy 1") * across
    return torch.cat([linear, rearrange(to - linear @ start, "f xy -> f xy 1")], dim=-1)


def _quarter_turn(vector: Tensor) -> Tensor:
    return torch.stack([-vector[..., 1], vector[..., 0]], dim=-1)


def _apply(transform: Tensor, points: Tensor) -> Tensor:
    """`points [n 2]` under affine maps `[f 2 3]`: `[f n 2]`."""
    return points @ transform[..., :2].mT + transform[:, None, :, 2]


def _compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The affine maps `[f 2 3]` that apply `inner`, then `outer`."""
    linear = outer[..., :2] @ inner
    return torch.cat([linear[..., :2], linear[..., 2:] + outer[..., 2:]], dim=-1)
