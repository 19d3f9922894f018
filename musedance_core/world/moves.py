"""The moves as data: the key poses of every move on even and odd beats.

A move is two key poses, one for the beats of even index and one for those of odd index, written for
the side "right" (of the viewer) and the size "medium". The dancer goes from one to the other along
a straight line of the pose's fields, so that it is slowest exactly on the beats. `arc` is added
halfway between two beats and is zero on them. The other side is the mirror picture.

Lengths are in subject heights, x to the right and y down; angles in radians, clockwise as seen.
`left` and `right` of arms and legs are the viewer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FIELDS = (
    "x",
    "y",
    "angle",
    "scale_x",
    "scale_y",
    "lean",
    "bend",
    "arm_left",
    "arm_right",
    "leg_left",
    "leg_right",
    "head",
)
SCALES = ("scale_x", "scale_y")
MIRROR = {"arm_left": "arm_right", "arm_right": "arm_left"} | {
    "leg_left": "leg_right",
    "leg_right": "leg_left",
}


@dataclass(frozen=True)
class Move:
    """One move: offsets from rest (of a scale: from 1) on even beats, odd beats and in between.

    `turns` is the part of a full turn made per beat, in a constant direction and independent of the
    size.
    """

    even: dict[str, float]
    odd: dict[str, float] = field(default_factory=dict)
    arc: dict[str, float] = field(default_factory=dict)
    turns: float = 0.0


def _swing(**pose: float) -> Move:
    """A move to one side on even beats and to the other, as its mirror picture, on odd ones."""
    return Move(pose, mirrored(pose))


def mirrored(pose: dict[str, float]) -> dict[str, float]:
    """Mirrors a pose: limbs change places, everything but y and scales changes sign."""
    return {
        MIRROR.get(name, name): value if name in ("y", *SCALES) else -value
        for name, value in pose.items()
    }


MOVE_TABLE: dict[str, Move] = {
    "hop": Move(
        even={"x": 0.10, "y": -0.27, "scale_x": -0.06, "scale_y": 0.10}
        | {"arm_left": 1.6, "arm_right": -1.6, "leg_left": 0.35, "leg_right": -0.35},
        odd={"y": 0.04, "scale_x": 0.10, "scale_y": -0.12, "arm_left": 0.1, "arm_right": -0.1},
    ),
    "slide": _swing(x=0.24, lean=-0.06, arm_left=0.5, arm_right=-0.2, head=0.1),
    "sway": _swing(angle=0.44, arm_left=1.1, arm_right=0.3, head=-0.2),
    "spin": Move(
        even={"arm_left": 1.2, "arm_right": -1.2},
        odd={"y": -0.20, "arm_left": 0.4, "arm_right": -0.4},
        turns=0.5,
    ),
    "squash": Move(
        even={"x": 0.05, "scale_x": 0.26, "scale_y": -0.36, "lean": 0.12}
        | {"arm_left": 0.9, "arm_right": -0.9, "leg_left": 0.5, "leg_right": -0.5},
        odd={"scale_x": -0.14, "scale_y": 0.20, "arm_left": 0.1, "arm_right": -0.1},
    ),
    "shimmy": _swing(lean=0.44, arm_left=0.7, arm_right=0.7, head=-0.25),
    "wave": _swing(bend=0.28, arm_left=1.9, arm_right=-0.6, leg_left=0.15, leg_right=0.15),
    "step-touch": Move(
        even={"x": 0.22, "angle": 0.16, "leg_left": 0.5, "arm_right": -0.9, "arm_left": 0.2},
        odd={"x": -0.22, "angle": -0.16, "leg_right": -0.5, "arm_left": 0.9, "arm_right": -0.2},
        arc={"y": -0.10},
    ),
    "nod": Move(
        even={"x": 0.06, "y": 0.05, "angle": 0.42, "scale_y": -0.10, "head": 0.5},
        odd={"y": -0.02, "head": -0.1, "arm_left": 0.2, "arm_right": -0.2},
    ),
    "pulse": Move(
        even={"x": 0.04, "y": -0.04, "scale_x": 0.26, "scale_y": 0.26, "angle": 0.10}
        | {"arm_left": 1.3, "arm_right": -1.3},
        odd={"scale_x": -0.22, "scale_y": -0.22, "y": 0.03},
    ),
    "twist": Move(
        even={"x": 0.10, "scale_x": -0.60, "lean": 0.10, "arm_left": 0.8, "arm_right": 0.8},
        odd={"scale_x": 0.10, "arm_left": -0.5, "arm_right": -0.5},
    ),
}
