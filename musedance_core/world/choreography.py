"""The choreographer: what a dancer's pose is, given the sentence, the beats and the music.

Nothing else decides a pose: no clock, no style seed, no history. The sentence says which move,
which side and how big; the count of beats says when; the music's energy says how strongly and its
smoothness how abruptly; where the drums break off the dancer freezes. Every move has exactly one
minimum of speed per beat, and it lies on the beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .moves import FIELDS, MOVE_TABLE, SCALES, Move, mirrored

MOVES: tuple[str, ...] = tuple(MOVE_TABLE)
SCORED_MOVES: tuple[str, ...] = MOVES
SIDES: tuple[str, ...] = ("left", "right")
SIZES: tuple[str, ...] = ("small", "medium", "big")
SIZE_FACTOR = {"small": 0.6, "medium": 1.0, "big": 1.45}
BODY = (
    *((-0.4, -0.5), (0.4, -0.5), (0.4, 0.5), (-0.4, 0.5), (0.0, 0.0)),
    *((0.0, -0.5), (0.4, 0.0), (0.0, 0.5), (-0.4, 0.0)),
)
"""Corners and middle of a body of height 1, and the middles of its edges."""
QUIETEST = 0.55
"""What the quietest music leaves of a move."""


@dataclass(frozen=True)
class Dance:
    """What a sentence asks for. `side` is the viewer's: where the even beats go."""

    move: str
    side: str
    size: str

    def __post_init__(self) -> None:
        for name, value, known in (
            ("move", self.move, MOVES),
            ("side", self.side, SIDES),
            ("size", self.size, SIZES),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}: {value!r}")


@dataclass(frozen=True)
class Pose:
    """One pose per frame; every field is a float32 tensor [... f]; rest is 0, for scales 1.

    x, y: offset in subject heights, x right, y down. angle: clockwise, of the whole body. lean:
    shift of the top relative to the feet. bend: bow of the body, its middle to the right and its
    ends to the left. The joints' angles are clockwise as seen; left and right are the viewer's.
    """

    x: Tensor
    y: Tensor
    angle: Tensor
    scale_x: Tensor
    scale_y: Tensor
    lean: Tensor
    bend: Tensor
    arm_left: Tensor
    arm_right: Tensor
    leg_left: Tensor
    leg_right: Tensor
    head: Tensor

    @property
    def shape(self) -> torch.Size:
        """The common shape of all fields, [... f]."""
        return self.x.shape

    def stacked(self) -> Tensor:
        """All fields as one tensor [... f 12], in the order of `FIELDS`."""
        return torch.stack([getattr(self, name) for name in FIELDS], dim=-1)

    @classmethod
    def from_stacked(cls, values: Tensor) -> Pose:
        """The inverse of `stacked`: values [... f 12]."""
        return cls(*values.float().unbind(-1))


def stack_poses(poses: list[Pose]) -> Pose:
    """Poses [f] of several dancers as one pose [b f]."""
    return Pose.from_stacked(torch.stack([pose.stacked() for pose in poses]))


def rest(*shape: int) -> Pose:
    """Poses of somebody who stands still, of that shape."""
    values = torch.zeros(*shape, len(FIELDS))
    values[..., [FIELDS.index(name) for name in SCALES]] = 1
    return Pose.from_stacked(values)


def outline(pose: Pose) -> Tensor:
    """The points of `BODY` in its poses, [... f 9 2], as `render` moves them.

    Unlike the middle alone these points move in every move, so their speed is the dancer's.
    """
    u, v = torch.tensor(BODY, dtype=torch.float64).unbind(-1)

    def of(name: str) -> Tensor:
        value: Tensor = getattr(pose, name)
        return rearrange(value.double(), "... f -> ... f 1")

    x = (u + of("bend") * ((pi * v).cos() - 0.5) + of("lean") * (0.5 - v)) * of("scale_x")
    y = (v - 0.5) * of("scale_y") + 0.5
    cosine, sine = of("angle").cos(), of("angle").sin()
    turned = (x * cosine - y * sine + of("x"), x * sine + y * cosine + of("y"))
    return torch.stack(turned, dim=-1)


def blend(before: Pose, after: Pose, share: Tensor) -> Pose:
    """From one pose to another, turning the shorter way; share 0..1 [... f] belongs to `after`."""
    start, end = before.stacked(), after.stacked()
    way = end - start
    angle = FIELDS.index("angle")
    way[..., angle] = torch.remainder(way[..., angle] + pi, 2 * pi) - pi
    return Pose.from_stacked(start + rearrange(share, "... f -> ... f 1") * way)


def ease(progress: np.ndarray, smoothness: np.ndarray | float) -> np.ndarray:
    """How far from one beat's pose to the next the dancer is, 0..1, at `progress` 0..1 of the beat.

    The speed is a half sine for smooth music (smoothness 1) and its cube for sharp music
    (smoothness 0): zero on both beats, highest halfway, no other extremum in between.
    """
    cosine = np.cos(pi * progress)
    smooth = 0.5 - 0.5 * cosine
    sharp = 0.5 - 0.75 * cosine + 0.25 * cosine**3
    return np.asarray(smoothness * smooth + (1 - smoothness) * sharp)


def perform(
    dance: Dance,
    count: np.ndarray,
    energy: np.ndarray | float = 1.0,
    smoothness: np.ndarray | float = 0.5,
    frozen: np.ndarray | None = None,
    origin: np.ndarray | None = None,
) -> Pose:
    """The pose of `dance` at every frame: a pure function of its arguments, frame by frame.

    count [f]: continuous count of beats.
    energy [f] or one number: 0..1; it scales the move from `QUIETEST` to full. It should only
        change by `ease` (see `eased`), so that the dancer still rests on the beats.
    smoothness [f] or one number: 0 sharp .. 1 smooth.
    frozen [f]: whether the frame's beat (from floor(count) to the next) is held.
    origin [f]: the beat in whose pose the dancer stands at floor(count); other than floor(count)
        only while the dancer is frozen and in the beat after.
    """
    count = np.asarray(count, dtype=np.float64)
    beat = np.floor(count)
    start = beat if origin is None else np.asarray(origin, dtype=np.float64)
    held = np.zeros(count.shape, dtype=bool) if frozen is None else np.asarray(frozen, dtype=bool)
    end = np.where(held, start, beat + 1)
    way = ease(count - beat, smoothness)
    from_odd, to_odd = np.mod(start, 2), np.mod(end, 2)
    odd = from_odd + (to_odd - from_odd) * way
    moving = np.abs(to_odd - from_odd)
    strength = (QUIETEST + (1 - QUIETEST) * np.asarray(energy)) * SIZE_FACTOR[dance.size]

    move = MOVE_TABLE[dance.move]
    even_pose, odd_pose, arc = _key_poses(move, dance.side)
    share = rearrange(odd, "f -> f 1")
    halfway = rearrange(4 * way * (1 - way) * moving, "f -> f 1")
    offsets = (1 - share) * even_pose + share * odd_pose + halfway * arc
    values = offsets * rearrange(np.broadcast_to(strength, count.shape), "f -> f 1")
    direction = 1 if dance.side == "right" else -1
    values[:, FIELDS.index("angle")] += 2 * pi * move.turns * direction * (from_odd + moving * way)
    for name in SCALES:
        values[:, FIELDS.index(name)] += 1
    return Pose.from_stacked(torch.from_numpy(values))


def _key_poses(move: Move, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    poses = (move.even, move.odd, move.arc)
    if side == "left":
        poses = (mirrored(move.even), mirrored(move.odd), mirrored(move.arc))
    even, odd, arc = (np.array([pose.get(name, 0.0) for name in FIELDS]) for pose in poses)
    return even, odd, arc


def eased(
    before: np.ndarray, after: np.ndarray, count: np.ndarray, smoothness: np.ndarray | float
) -> np.ndarray:
    """Values that belong to beats, at frames [f] between two beats, moving as the dancer moves."""
    way = ease(count - np.floor(count), smoothness)
    return np.asarray(before + (after - before) * way)


def random_dance(rng: np.random.Generator, moves: Sequence[str] = MOVES) -> Dance:
    """Any of `moves`, any side and size, all equally likely."""
    return Dance(
        moves[int(rng.integers(len(moves)))],
        SIDES[int(rng.integers(len(SIDES)))],
        SIZES[int(rng.integers(len(SIZES)))],
    )
