"""Accents: a dance pauses a little on every beat and hurries between beats.

The same poses in the same order, at slightly other times. In beats c, the pose at c is the one that
was planned for

    c - STRENGTH sin(2 pi c) / (2 pi)

so that the speed is multiplied by 1 - STRENGTH cos(2 pi c). Beats that a person edits are followed
exactly, whatever the choreographer makes of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..dance.motion import DanceMotion

STRENGTH = 0.25
"""Share by which a dance is slower on a beat and faster halfway between two; from validation."""
REACH = 2
"""Poses by which a pose may be moved; 60 BPM at 24 poses a second need 1.5."""


def accented(features: Tensor, before: Tensor | None, count: np.ndarray) -> Tensor:
    """Returns the poses `features [k 27]` with accents on the beats.

    Args:
        features: poses of a dance (`DanceMotion.features`).
        before: the poses `[m 27]` before them, without accents; None at the start.
        count: beat count of each pose, `[k]` (`BeatGrid.count`).
    """
    previous = features[:0] if before is None else before[-REACH:].to(features)
    joined = torch.cat([previous, features])
    # Beyond the segment the dance goes on as it is.
    end = 2 * joined[-1:] - joined[-1 - REACH : -1].flip(0)
    motion = DanceMotion.from_features(torch.cat([joined, end]), 1.0)
    shift = -STRENGTH * np.sin(2 * np.pi * count) / (2 * np.pi) / np.gradient(count)
    places = len(previous) + np.arange(len(features)) + shift.clip(-REACH, REACH)
    return motion.at(places).features()
