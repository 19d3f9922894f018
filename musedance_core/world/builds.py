"""Builds of puppets: proportions, joints at rest, and which parts there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from ..dance.skeleton import INDEX, JOINTS

KINDS = ("human", "animal", "robot", "odd", "stick", "mascot", "armless", "legless", "limbless")
KIND_SHARES = (0.40, 0.20, 0.09, 0.07, 0.05, 0.09, 0.04, 0.04, 0.02)
"""Kinds of puppets. A mascot is a trunk with a face and limbs, and has no head of its own."""

FIGURES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "adult": ((0.125, 0.170), (0.45, 0.51), (0.34, 0.46)),
    "long": ((0.105, 0.180), (0.52, 0.60), (0.30, 0.46)),
    "cartoon": ((0.20, 0.30), (0.30, 0.42), (0.34, 0.52)),
    "child": ((0.22, 0.30), (0.34, 0.40), (0.34, 0.46)),
    "chibi": ((0.36, 0.54), (0.16, 0.26), (0.38, 0.60)),
    "heavy": ((0.17, 0.34), (0.22, 0.38), (0.55, 0.80)),
}
"""Ranges of the heights of head and legs in body heights, and of half the width of the shoulders in
heights of the trunk."""
_FIGURES_OF = {
    "human": ("adult", "long", "cartoon", "child", "chibi", "heavy"),
    "animal": ("cartoon", "cartoon", "child", "chibi", "chibi", "heavy"),
}


@dataclass(frozen=True)
class Build:
    """Proportions of a puppet, in body heights; widths are half widths.

    Attributes:
        kind: one of `KINDS`.
        head: height of the head, 0 for none; `head_width` is half its width.
        arm, leg: half widths at the inner joint, the middle one and the outer one.
        view: how far the figure faces to the picture's right, -1..1.
        thin: whether limbs are lines.
        tubes: whether limbs are rows of rings.
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
    thin: bool
    tubes: bool

    @property
    def arms(self) -> bool:
        """Whether it has arms."""
        return self.kind not in ("armless", "limbless")

    @property
    def legs(self) -> bool:
        """Whether it has legs."""
        return self.kind not in ("legless", "limbless")

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
                drop = min(self.arm[0] * 0.9, 0.3 * self.torso) if self.head else 0.35 * self.torso
                drop = 0.1 * self.torso if self.thin and self.head else drop
                start = np.array([sign * self.shoulder * self.spread(0.6), self.neck_y + drop])
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


def random_build(rng: np.random.Generator, kind: str, figures: Sequence[str] = ()) -> Build:
    """Proportions for one of `KINDS`, of one of `figures` if there are any."""
    usual = _FIGURES_OF.get(kind, tuple(FIGURES))
    figure = str(rng.choice(list(figures or usual)))
    head, legs, girth = (float(rng.uniform(*span)) for span in FIGURES[figure])
    thin = kind == "stick" or (kind != "human" and rng.random() < 0.12) or rng.random() < 0.04
    if kind in ("mascot", "limbless"):
        no_head = kind == "mascot" or rng.random() < 0.6
        head = 0.0 if no_head else head
        legs, girth = float(rng.uniform(0.18, 0.42)), float(rng.uniform(0.42, 0.85))
        thin = rng.random() < 0.6
    if kind == "robot":
        girth, thin = float(rng.uniform(0.42, 0.75)), bool(rng.random() < 0.3)
    if kind in ("legless", "limbless"):
        legs, head = 0.0, head and float(rng.uniform(0.25, 0.5))
        girth = float(rng.uniform(0.3, 0.6))
    neck = float(rng.choice([0.0, rng.uniform(0, 0.03)])) if head else 0.0
    torso = 1 - head - neck - legs
    shoulder = torso * girth * float(rng.uniform(0.85, 1.0))
    if kind in ("mascot", "limbless") and rng.random() < 0.5:
        shoulder = torso * float(rng.uniform(0.45, 0.65))
    hip = shoulder * float(rng.uniform(0.4, 0.6))
    arm = float(np.clip(shoulder * rng.uniform(0.24, 0.42), 0.014, 0.075))
    leg = float(np.clip(hip * rng.uniform(0.75, 1.0), 0.016, max(0.02, 0.36 * legs)))
    if kind == "stick":
        shoulder, hip = float(rng.uniform(0, 0.02)), float(rng.uniform(0, 0.015))
    if thin:
        arm = leg = float(rng.uniform(0.008, 0.018))
    taper, calf = float(rng.uniform(0.62, 1.1)), float(rng.uniform(0.55, 1.1))
    length = torso * float(rng.uniform(0.95, 1.3) if head else rng.uniform(0.5, 0.9))
    wide = rng.uniform(0.8, 1.15) if figure in ("chibi", "cartoon") else rng.uniform(0.68, 0.95)
    return Build(
        kind=kind,
        head=head,
        head_width=float(head * wide / 2),
        neck=neck,
        torso=torso,
        leg_length=legs,
        shoulder=shoulder,
        waist=shoulder * float(rng.uniform(0.7, 1.15)),
        hip=hip,
        arm_length=max(length, 0.16),
        arm=(arm, arm * (1 + taper) / 2, arm * taper),
        leg=(leg, leg * (1 + calf) / 2, leg * calf),
        hand=float(rng.uniform(0.014, 0.045)) if thin else arm * float(rng.uniform(0.85, 1.3)),
        foot=min(0.3 * legs, max(0.02, leg * float(rng.uniform(0.55, 1.0))) + 0.008),
        view=random_view(rng),
        thin=thin,
        tubes=bool(rng.random() < 0.5),
    )


def random_view(rng: np.random.Generator) -> float:
    """Mostly from the front, at times turned a little, or seen from the side."""
    kind = rng.random()
    if kind < 0.58:
        return 0.0
    way = float(rng.choice((-1, 1)))
    return way * float(rng.uniform(0.1, 0.6) if kind < 0.8 else rng.uniform(0.75, 1.0))
