"""DanceMotion: features, interpolation, joining."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
import torch

from musedance_core.dance.motion import (
    FEATURES,
    ROOT_INDEX,
    DanceMotion,
    closed_loop,
    join,
    standing,
    unwrap,
)


def random_motion(frames: int = 9, fps: float = 24.0, seed: int = 0) -> DanceMotion:
    features = 0.3 * torch.randn(frames, FEATURES, generator=torch.Generator().manual_seed(seed))
    return DanceMotion.from_features(features.cumsum(0) / 3, fps)


def test_features_and_motion_are_inverse_to_each_other() -> None:
    motion = random_motion()
    again = DanceMotion.from_features(motion.features(), motion.fps)
    assert torch.allclose(again.root, motion.root, atol=1e-5)
    assert torch.allclose(again.limbs, motion.limbs, atol=1e-5)


def test_a_standing_person_has_zero_features() -> None:
    assert torch.allclose(standing(3, 24.0).features(), torch.zeros(3, FEATURES), atol=1e-6)


def test_no_limb_is_longer_than_it_is() -> None:
    motion = DanceMotion.from_features(3 * torch.randn(20, FEATURES), 24.0)
    assert motion.limbs.norm(dim=-1).max() <= 1 + 1e-5


def test_angles_are_continuous_over_several_turns() -> None:
    turning = torch.linspace(0, 6 * pi, 50)
    assert torch.allclose(unwrap(torch.remainder(turning, 2 * pi)), turning, atol=1e-4)


@pytest.mark.parametrize("fps", [12, 24, 60])
def test_sampling_at_another_rate_passes_through_the_poses(fps: int) -> None:
    motion = random_motion(25)
    seconds = np.arange(fps) / fps
    sampled = motion.at(seconds)
    assert len(sampled) == fps and sampled.fps == pytest.approx(fps)
    shared = fps // 12
    assert torch.allclose(sampled.root[::shared], motion.root[:24:2], atol=1e-4)


def test_a_closed_loop_leads_back_to_its_beginning() -> None:
    motion = random_motion(60)
    fps, begin, end, overlap = motion.fps, 6, 46, 10
    loop = closed_loop(motion, begin / fps, end / fps, overlap / fps)
    assert len(loop) == end
    # The pose before the beginning is the last one; from the overlap on nothing has changed.
    assert torch.allclose(loop.limbs[begin], motion.limbs[end], atol=1e-4)
    assert torch.allclose(
        loop.limbs[begin + overlap :], motion.limbs[begin + overlap : end], atol=1e-4
    )
    assert not torch.allclose(loop.limbs[begin], motion.limbs[begin], atol=1e-2)


def test_before_and_after_the_dance_the_pose_stays() -> None:
    motion = random_motion()
    outside = motion.at(np.array([-1.0, 99.0]))
    assert torch.allclose(outside.root[0], motion.root[0])
    assert torch.allclose(outside.root[1], motion.root[-1])


def test_joined_dances_go_on_turning() -> None:
    first, second = standing(4, 24.0), standing(4, 24.0)
    first.root[:, ROOT_INDEX["yaw"]] = torch.linspace(0, 4 * pi, 4)
    joined = join([first, second])
    assert len(joined) == 8
    assert joined.field("yaw").diff()[3].abs() < 1e-5
