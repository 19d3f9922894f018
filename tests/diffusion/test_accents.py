"""Accents: slower on the beats, the same poses, continuous over segments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.dance.motion import ROOT_INDEX, DanceMotion, standing
from musedance_core.diffusion.accents import STRENGTH, accented

PERIOD = 12
"""Poses a beat."""


def gliding(count: int) -> Tensor:
    """Features of a dancer who glides sideways at an even speed of 0.01 a pose."""
    motion = standing(count, 24.0)
    motion.root[:, ROOT_INDEX["x"]] = 0.01 * torch.arange(count)
    return motion.features()


def places(features: Tensor) -> np.ndarray:
    return DanceMotion.from_features(features, 24.0).field("x").numpy()


def test_the_dance_is_slower_on_beats_and_faster_between() -> None:
    count = np.arange(60) / PERIOD
    speed = np.gradient(places(accented(gliding(60), None, count)))[3:-3] / 0.01
    expected = 1 - STRENGTH * np.cos(2 * np.pi * count[3:-3])
    assert np.abs(speed - expected).max() < 0.03


def test_poses_on_beats_and_halfway_stay() -> None:
    features = gliding(49)
    moved = accented(features, None, np.arange(49) / PERIOD)
    assert torch.allclose(moved[:: PERIOD // 2], features[:: PERIOD // 2], atol=1e-4)
    farthest = STRENGTH * PERIOD / (2 * np.pi) * 0.01
    assert (moved - features).abs().max() == pytest.approx(farthest, rel=0.05)


def test_a_beat_later_is_an_accent_later() -> None:
    features = gliding(60)
    count = np.arange(60) / PERIOD
    speed = np.gradient(places(accented(features, None, count)))
    later = np.gradient(places(accented(features, None, count - 4 / PERIOD)))
    assert np.abs(later[6:-3] - speed[2:-7]).max() < 1e-3


def test_two_segments_are_as_one() -> None:
    features, count = gliding(60), np.arange(60) / PERIOD + 0.3
    whole = places(accented(features, None, count))
    first = accented(features[:30], None, count[:30])
    second = accented(features[30:], features[:30], count[30:])
    joined = np.concatenate([places(first), places(second)])
    assert np.abs(joined - whole).max() < 1e-3


def test_the_first_pose_is_never_before_the_dance() -> None:
    features = gliding(20)
    moved = places(accented(features, None, np.arange(20) / PERIOD + 0.25))
    assert moved.min() >= 0 and np.isfinite(moved).all()
