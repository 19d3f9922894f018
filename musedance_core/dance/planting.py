"""Keeps standing feet where they are.

Sampled dances drift a little under their feet. A foot that hardly moves is meant to stand, so the
figure is shifted against its motion; one that glides, as in the moonwalk, moves faster.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .skeleton import INDEX
from .stick import feature_index, stick_joints

ANKLES = [INDEX["right_ankle"], INDEX["left_ankle"]]


@dataclass(frozen=True)
class PlantingSettings:
    """Lengths are in body heights, speeds in body heights a pose."""

    raised: float = 0.03
    """Height of a foot above the other one, or above the ground, from which it does not stand."""
    slow: float = 0.006
    """Speed up to which a foot is meant to stand ..."""
    fast: float = 0.014
    """... and from which it is meant to glide."""
    release: float = 24.0
    """Time constant in poses with which the figure goes back to where the dance has it."""


SETTINGS = PlantingSettings()


def plant_feet(features: Tensor) -> Tensor:
    """Returns poses `[b k 27]` (`DanceMotion.features`), shifted so that standing feet stay.

    The first pose is unchanged.
    """
    x, lift = (features[..., feature_index(name)] for name in ("x", "lift"))
    ankles = stick_joints(features)[..., ANKLES, :]
    # A foot stands from one pose to the next if it is down in both, and hardly moves.
    height = (
        ankles[..., 1].amax(dim=-1, keepdim=True) - ankles[..., 1] + lift.clamp_min(0)[..., None]
    )
    down = (1 - height / SETTINGS.raised).clamp(0, 1)
    way = ankles[..., 0].diff(dim=1)
    still = ((SETTINGS.fast - way.abs()) / (SETTINGS.fast - SETTINGS.slow)).clamp(0, 1)
    weight = down[:, 1:] * down[:, :-1] * still
    slide = (weight * way).sum(dim=-1) / weight.sum(dim=-1).clamp_min(1.0)

    shift = torch.zeros_like(x)
    for pose in range(1, features.shape[1]):
        shift[:, pose] = shift[:, pose - 1] * (1 - 1 / SETTINGS.release) - slide[:, pose - 1]
    result = features.clone()
    result[..., feature_index("x")] = x + shift
    return result
