"""Builds of puppets: proportions, joints at rest, and which parts there are."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from ..dance.skeleton import INDEX, JOINTS

KINDS = ("human", "animal", "robot", "odd", "stick", "mascot", "armless", "legless", "limbless")
KIND_SHARES = (0.44, 0.19, 0.09, 0.07, 0.04, 0.09, 0.03, 0.03, 0.02)
"""Kinds of puppets. A mascot is a trunk with a face and limbs, and has no head of its own."""


@dataclass(frozen=True)
class Build:
    """Proportions of a puppet, in body heights; widths are half widths.

    `head` is the height of the head, 0 for none. `arm` and `leg` are the half widths at the inner
    joint, the middle one and the outer one. `view` is how far the figure faces to the picture's
    right, -1..1.
    """

    kind: str
    head: float
    head_width: float
    neck: float
    torso: float
    leg_length: float
    shoulder: float
    waist: float
    hip: float
    arm_length: float
    arm: tuple[float, float, float]
    leg: tuple[float, float, float]
    hand: float
    foot: float
    view: float
    arms: bool
    legs: bool
    thin: bool

    @property
    def hip_y(self) -> float:
        """y of the hips."""
        return -self.leg_length

    @property
    def neck_y(self) -> float:
        """y of the base of the neck, or of the top of a trunk without a head."""
        return -self.leg_length - self.torso

    def spread(self, share: float) -> float:
        """Share of the width that shows at this view, where `share` is lost from the side."""
        return 1 - share * abs(self.view)

    def joints(self, arm_angle: float, leg_angle: float) -> np.ndarray:
        """Joints `[16 2]` in body units with the arms and legs at angles from straight down, NaN
        where absent."""
        at = np.full((len(JOINTS), 2), nan)
        at[INDEX["pelvis"]] = (0, self.hip_y - 0.06 * self.torso)
        at[INDEX["chest"]] = (0, self.hip_y - 0.6 * self.torso)
        if self.head > 0:
            at[INDEX["neck"]] = (0, self.neck_y)
            at[INDEX["head_top"]] = (0, self.neck_y - self.neck - self.head)
        for side, sign in (("right", -1), ("left", 1)):
            if self.arms:
                drop = self.arm[0] * 0.8 if self.head > 0 else 0.35 * self.torso
                x = sign * self.shoulder * self.spread(0.6)
                start = np.array([x, self.neck_y + drop])
                way = np.array([sign * np.sin(arm_angle), np.cos(arm_angle)])
                at[INDEX[f"{side}_shoulder"]] = start
                at[INDEX[f"{side}_elbow"]] = start + way * self.arm_length * 0.51
                at[INDEX[f"{side}_wrist"]] = start + way * self.arm_length
            if self.legs:
                start = np.array([sign * self.hip * self.spread(0.7), self.hip_y])
                length = self.leg_length - self.foot * 0.6
                way = np.array([sign * np.sin(leg_angle), np.cos(leg_angle)])
                at[INDEX[f"{side}_hip"]] = start
                at[INDEX[f"{side}_knee"]] = start + way * length * 0.5
                at[INDEX[f"{side}_ankle"]] = start + way * length
        return at


def random_build(rng: np.random.Generator, kind: str) -> Build:
    """Proportions for one of `KINDS`."""
    style = str(rng.choice(["adult", "long", "cartoon", "child", "chibi", "heavy"]))
    if kind == "animal":
        style = str(rng.choice(["cartoon", "child", "chibi", "heavy"]))
    head, legs, girth = {
        "adult": (rng.uniform(0.125, 0.175), rng.uniform(0.45, 0.52), rng.uniform(0.32, 0.46)),
        "long": (rng.uniform(0.11, 0.18), rng.uniform(0.52, 0.60), rng.uniform(0.30, 0.45)),
        "cartoon": (rng.uniform(0.20, 0.30), rng.uniform(0.30, 0.42), rng.uniform(0.34, 0.55)),
        "child": (rng.uniform(0.22, 0.30), rng.uniform(0.34, 0.40), rng.uniform(0.34, 0.46)),
        "chibi": (rng.uniform(0.36, 0.52), rng.uniform(0.16, 0.26), rng.uniform(0.38, 0.62)),
        "heavy": (rng.uniform(0.16, 0.30), rng.uniform(0.24, 0.38), rng.uniform(0.55, 0.85)),
    }[style]
    thin = kind == "stick" or rng.random() < 0.1
    if kind == "mascot" or kind == "limbless":
        head, legs, girth = 0.0, rng.uniform(0.18, 0.42), rng.uniform(0.42, 0.85)
        thin = rng.random() < 0.6
    if kind == "robot":
        girth = rng.uniform(0.42, 0.75)
        thin = rng.random() < 0.35
    arms = kind not in ("armless", "limbless")
    has_legs = kind not in ("legless", "limbless")
    if not has_legs:
        legs = 0.0
        head = min(head, rng.uniform(0.25, 0.42)) if head else 0.0
    neck = float(rng.choice([0.0, rng.uniform(0, 0.03)])) if head else 0.0
    torso = 1 - head - neck - legs
    shoulder = torso * girth * rng.uniform(0.85, 1.0)
    if kind in ("mascot", "limbless") and rng.random() < 0.5:
        shoulder = torso * rng.uniform(0.45, 0.65)
    hip = shoulder * rng.uniform(0.4, 0.62)
    arm = shoulder * rng.uniform(0.24, 0.42)
    leg = min(hip * rng.uniform(0.75, 1.05), 0.4 * legs) if legs else 0.05
    if thin:
        arm = leg = rng.uniform(0.008, 0.018)
    taper, calf = rng.uniform(0.65, 1.1), rng.uniform(0.6, 1.1)
    length = torso * rng.uniform(0.95, 1.3) if head else torso * rng.uniform(0.5, 0.9)
    wide = rng.uniform(0.8, 1.15) if style in ("chibi", "cartoon") else rng.uniform(0.68, 0.95)
    return Build(
        kind,
        float(head),
        float(head * wide / 2),
        neck,
        float(torso),
        float(legs),
        float(shoulder),
        float(shoulder * rng.uniform(0.7, 1.15)),
        float(hip),
        float(max(length, 0.16)),
        (float(arm), float(arm * (1 + taper) / 2), float(arm * taper)),
        (float(leg), float(leg * (1 + calf) / 2), float(leg * calf)),
        float(arm * rng.uniform(0.9, 1.4) if not thin else rng.uniform(0.015, 0.05)),
        float(min(0.3 * legs, max(0.02, leg * rng.uniform(0.6, 1.1)) + 0.01)),
        random_view(rng),
        arms,
        has_legs,
        thin,
    )


def random_view(rng: np.random.Generator) -> float:
    """Mostly from the front, at times turned a little, or seen from the side."""
    kind = rng.random()
    if kind < 0.6:
        return 0.0
    way = float(rng.choice((-1, 1)))
    return way * float(rng.uniform(0.1, 0.6) if kind < 0.82 else rng.uniform(0.75, 1.0))
