"""Poses in which characters of pictures stand, walk, wave and dance."""

from __future__ import annotations

from math import pi

import numpy as np
import torch

from ..dance.motion import BONE_NAMES, ROOT, ROOT_INDEX, DanceMotion

ARMS = ("down", "a", "t", "up", "hips", "wave", "flex", "front", "behind", "bent", "any")
_ARM_SHARES = (0.22, 0.15, 0.08, 0.12, 0.1, 0.08, 0.05, 0.06, 0.03, 0.06, 0.05)
LEGS = ("stand", "wide", "step", "walk", "run", "squat", "kick", "cross", "knee", "sit")
_LEG_SHARES = (0.36, 0.15, 0.08, 0.12, 0.08, 0.05, 0.05, 0.03, 0.05, 0.03)
_ROOT_SPREAD = {
    "lean": 0.08,
    "bend": 0.03,
    "head": 0.12,
    "turn": 0.05,
    "width": 0.06,
    "height": 0.05,
}


def random_rest_pose(rng: np.random.Generator, facing: float) -> DanceMotion:
    """One pose `[1]`; `facing` is how far the figure faces to the picture's right, -1..1."""
    vectors = dict.fromkeys(BONE_NAMES, (0.0, 1.0))
    sides = {"right": -1.0, "left": 1.0}
    usual = str(rng.choice(ARMS, p=_ARM_SHARES))
    same = rng.random() < 0.55
    walks = str(rng.choice(LEGS, p=_LEG_SHARES))
    way = float(np.sign(facing)) if abs(facing) > 0.2 else float(rng.choice((-1, 1)))
    swing = walks in ("walk", "run") and rng.random() < 0.7
    front = str(rng.choice(list(sides)))
    state = rng.integers(2**31)
    for side, sign in sides.items():
        own = np.random.default_rng(state) if same and rng.random() < 0.6 else rng
        kind = usual if same else str(rng.choice(ARMS, p=_ARM_SHARES))
        if swing:
            upper, lower = _swing(rng, walks, way * (-1 if side == front else 1), way)
        else:
            upper, lower = (sign * angle for angle in _arm(own, kind))
        short = float(rng.choice([1.0, 1.0, 1.0, rng.uniform(0.6, 1.0)]))
        fore = float(rng.uniform(0.5, 0.9)) if kind in ("front", "behind") else short
        vectors[f"{side}_upper_arm"] = _vector(upper, short)
        vectors[f"{side}_forearm"] = _vector(lower, fore)
        thigh, shin = _leg(rng, walks, sign, way, side == front)
        far = 0.5 if walks == "sit" else 1.0  # thighs of a figure that sits point at the viewer
        vectors[f"{side}_thigh"], vectors[f"{side}_shin"] = _vector(thigh, far), _vector(shin)
    root = torch.zeros(1, len(ROOT))
    if rng.random() < 0.6:
        for name, spread in _ROOT_SPREAD.items():
            root[0, ROOT_INDEX[name]] = float(rng.normal(0, spread))
    if walks == "run" and rng.random() < 0.7:
        root[0, ROOT_INDEX["lean"]] += 0.15 * way
    if rng.random() < 0.04:
        root[0, ROOT_INDEX["turn"]] += float(rng.normal(0, 0.35))
    limbs = torch.tensor([[vectors[name] for name in BONE_NAMES]], dtype=torch.float32)
    return DanceMotion(root, limbs, 1.0)


def _vector(angle: float, length: float = 1.0) -> tuple[float, float]:
    """A direction at an angle from straight down, to the picture's right where positive."""
    return (length * float(np.sin(angle)), length * float(np.cos(angle)))


def _arm(rng: np.random.Generator, kind: str) -> tuple[float, float]:
    """Angles of upper arm and forearm from straight down, outwards where positive."""
    u = rng.uniform
    if kind == "down":
        upper = u(0.03, 0.35)
        return upper, upper + u(-0.3, 0.25)
    if kind == "a":
        upper = u(0.4, 0.95)
        return upper, upper + u(-0.4, 0.3)
    if kind == "t":
        upper = u(1.3, 1.75)
        return upper, upper + u(-0.25, 0.25)
    if kind == "up":
        upper = u(2.0, 3.0)
        return upper, upper + u(-0.4, 0.9)
    if kind == "hips":
        return u(0.55, 1.1), u(-1.3, -0.5)
    if kind == "wave":
        return u(1.1, 1.9), u(2.4, 3.5)
    if kind == "flex":
        return u(1.2, 1.8), u(2.6, 3.6)
    if kind == "front":
        return u(0.1, 0.6), u(-2.2, -1.0)
    if kind == "behind":
        return u(0.2, 0.6), u(-0.8, -0.2)
    if kind == "bent":
        upper = u(0.2, 0.9)
        return upper, upper + u(0.6, 1.8)
    return u(-0.3, pi), u(-2.0, 2 * pi - 2)


def _swing(rng: np.random.Generator, kind: str, side: float, way: float) -> tuple[float, float]:
    """An arm that swings along the walk; forearms bend forward."""
    wide = rng.uniform(0.25, 0.7) if kind == "walk" else rng.uniform(0.5, 1.1)
    bent = rng.uniform(0.1, 0.6) if kind == "walk" else rng.uniform(0.8, 1.8)
    return side * wide, side * wide + way * bent


def _leg(
    rng: np.random.Generator, kind: str, sign: float, way: float, front: bool
) -> tuple[float, float]:
    """Angles of thigh and shin from straight down, to the picture's right where positive."""
    u = rng.uniform
    if kind == "stand":
        thigh = sign * u(0.0, 0.12)
        return thigh, thigh + sign * u(-0.06, 0.06)
    if kind == "wide":
        thigh = sign * u(0.2, 0.5)
        return thigh, thigh + sign * u(-0.3, 0.15)
    if kind == "walk":
        return (
            (way * u(0.2, 0.6), way * u(-0.15, 0.35))
            if front
            else (-way * u(0.0, 0.4), -way * u(0.3, 0.9))
        )
    if kind == "run":
        return (
            (way * u(0.6, 1.3), way * u(-0.5, 0.3))
            if front
            else (-way * u(0.1, 0.7), -way * u(0.8, 1.9))
        )
    if kind == "squat":
        return sign * u(0.5, 1.1), sign * u(-0.4, 0.1)
    if kind == "kick" and front:
        thigh = sign * u(0.5, 1.4)
        return thigh, thigh + sign * u(-0.3, 0.2)
    if kind == "sit":
        return sign * u(0.6, 1.4), sign * u(-0.1, 0.8)
    if kind == "cross":
        return -sign * u(0.05, 0.25), -sign * u(0.05, 0.3)
    if kind == "knee" and front:
        return sign * u(0.7, 1.5), sign * u(-0.6, 0.2)
    if kind == "step" and front:
        thigh = sign * u(0.2, 0.6)
        return thigh, thigh - sign * u(0.0, 0.5)
    return sign * u(0.0, 0.1), sign * u(-0.05, 0.1)
