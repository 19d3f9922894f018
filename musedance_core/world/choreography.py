"""Choreography: a dancer's pose as a function of sentence, beats and music.

The pose depends on nothing else: no clock, no style seed, no history. The sentence selects move,
side and size; the beat count sets the timing; the energy of the music sets the amplitude and its
smoothness the sharpness of the motion; the dancer freezes where the drums pause. Every move has
exactly one minimum of speed per beat, on the beat.
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
SIDES: tuple[str, ...] = ("left", "right")
SIZES: tuple[str, ...] = ("small", "medium", "big")
SIZE_FACTOR = {"small": 0.6, "medium": 1.0, "big": 1.45}
BODY = (
    *((-0.4, -0.5), (0.4, -0.5), (0.4, 0.5), (-0.4, 0.5), (0.0, 0.0)),
    *((0.0, -0.5), (0.4, 0.0), (0.0, 0.5), (-0.4, 0.0)),
)
"""Corners, centre and edge midpoints of a body of height 1."""
LOWEST_AMPLITUDE = 0.55
"""Amplitude of a move at energy 0."""


@dataclass(frozen=True)
class Dance:
    """A move, its side and its size. `side` is the viewer's: the direction of the even beats."""

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


def rest_pose(*shape: int) -> Pose:
    """Rest poses of the given shape."""
    values = torch.zeros(*shape, len(FIELDS))
    values[..., [FIELDS.index(name) for name in SCALES]] = 1
    return Pose.from_stacked(values)


def body_points(pose: Pose) -> Tensor:
    """Positions of the points of `BODY` in every pose, [... f 9 2], transformed as in `render`.

    Unlike the centre alone, these points move in every move, so their speed is the dancer's.
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
    """Interpolates between poses, turning the shorter way; share 0..1 [... f] weighs `after`."""
    start, end = before.stacked(), after.stacked()
    way = end - start
    angle = FIELDS.index("angle")
    way[..., angle] = torch.remainder(way[..., angle] + pi, 2 * pi) - pi
    return Pose.from_stacked(start + rearrange(share, "... f -> ... f 1") * way)


def ease(progress: np.ndarray, smoothness: np.ndarray | float) -> np.ndarray:
    """Progress 0..1 from one beat's pose to the next, at `progress` 0..1 of the beat.

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
    energy [f] or one number: 0..1; scales the move from `LOWEST_AMPLITUDE` to 1. It should only
        change by `ease` (see `ease_between_beats`), so that the dancer still rests on the beats.
    smoothness [f] or one number: 0 sharp .. 1 smooth.
    frozen [f]: True where the dancer holds still from floor(count) to the next beat.
    origin [f]: the beat whose pose the dancer has at floor(count); differs from floor(count) only
        while the dancer is frozen and in the beat after.
    """
    count = np.asarray(count, dtype=np.float64)
    # Beats between which each frame lies; a frozen dancer stays at the first of them.
    beat = np.floor(count)
    start = beat if origin is None else np.asarray(origin, dtype=np.float64)
    hold = np.zeros(count.shape, dtype=bool) if frozen is None else np.asarray(frozen, dtype=bool)
    end = np.where(hold, start, beat + 1)
    way = ease(count - beat, smoothness)
    from_odd, to_odd = np.mod(start, 2), np.mod(end, 2)
    odd = from_odd + (to_odd - from_odd) * way
    moving = np.abs(to_odd - from_odd)
    # The amplitude follows the energy of the music and the size in the sentence.
    strength = (LOWEST_AMPLITUDE + (1 - LOWEST_AMPLITUDE) * np.asarray(energy)) * SIZE_FACTOR[
        dance.size
    ]

    move = MOVE_TABLE[dance.move]
    even_pose, odd_pose, arc = _key_poses(move, dance.side)
    # Straight lines between the key poses, with the arc on top halfway.
    share = rearrange(odd, "f -> f 1")
    halfway = rearrange(4 * way * (1 - way) * moving, "f -> f 1")
    offsets = (1 - share) * even_pose + share * odd_pose + halfway * arc
    values = offsets * rearrange(np.broadcast_to(strength, count.shape), "f -> f 1")
    # Full turns are always made whole, whatever the size.
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


def ease_between_beats(
    before: np.ndarray, after: np.ndarray, count: np.ndarray, smoothness: np.ndarray | float
) -> np.ndarray:
    """Interpolates per-beat values at frames [f] with the same easing as the motion."""
    way = ease(count - np.floor(count), smoothness)
    return np.asarray(before + (after - before) * way)


def random_dance(rng: np.random.Generator, moves: Sequence[str] = MOVES) -> Dance:
    """Returns one of `moves` with a random side and size, all equally likely."""
    return Dance(
        moves[int(rng.integers(len(moves)))],
        SIDES[int(rng.integers(len(SIDES)))],
        SIZES[int(rng.integers(len(SIZES)))],
    )
