"""Measures of dances on motions whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from musedance_core.audio.beats import regular_grid
from musedance_core.dance.motion import DanceMotion, standing
from musedance_core.dance.skeleton import INDEX
from musedance_core.metrics.dance import (
    beat_match,
    beat_share,
    foot_slide,
    joint_accelerations,
    joint_distance,
    joint_speeds,
    seam_ratio,
    standing_joints,
    take_ratio,
)

FPS = 24.0


def shifted(x: np.ndarray) -> DanceMotion:
    """A person who is shifted as a whole by `x [f]` body heights."""
    motion = standing(len(x), FPS)
    root = motion.root.clone()
    root[:, 0] = torch.from_numpy(x).float()
    return DanceMotion(root, motion.limbs, FPS)


def test_a_standing_person_has_feet_on_the_ground_and_is_one_high() -> None:
    joints = standing_joints(standing(3, FPS))
    assert joints.shape == (3, 16, 2)
    assert joints[0, INDEX["head_top"]] == pytest.approx([0, -1], abs=1e-4)
    assert joints[0, INDEX["left_ankle"], 1] == pytest.approx(-0.04, abs=1e-4)


def test_speeds_and_accelerations_have_units_of_body_heights_and_seconds() -> None:
    t = np.arange(48) / FPS
    joints = standing_joints(shifted(0.5 * t**2))
    assert joint_speeds(joints, FPS).mean() == pytest.approx(
        np.diff(0.5 * t**2).mean() * FPS, rel=1e-3
    )
    assert joint_accelerations(joints, FPS) == pytest.approx(np.ones((46, 16)), abs=0.05)


def test_feet_slide_with_the_body_and_not_in_the_air() -> None:
    motion = shifted(np.linspace(0, 0.3, 25))
    sliding = foot_slide(standing_joints(motion), 2)
    assert sliding.stands == 1 and sliding.slide == pytest.approx(0.15, abs=1e-3)
    root = motion.root.clone()
    root[2:-2, 1] = 0.1
    flying = foot_slide(standing_joints(DanceMotion(root, motion.limbs, FPS)), 2)
    assert flying.slide is None and flying.stands == 0


def test_time_in_the_air_does_not_lessen_the_slide() -> None:
    motion = shifted(np.linspace(0, 0.3, 25))
    root = motion.root.clone()
    root[12:, 1] = 0.1
    hopping = foot_slide(standing_joints(DanceMotion(root, motion.limbs, FPS)), 2)
    assert hopping.slide == pytest.approx(0.15, abs=1e-3) and 0.3 < hopping.stands < 0.5


def test_a_single_low_frame_does_not_lift_the_feet_off_the_ground() -> None:
    joints = standing_joints(shifted(np.linspace(0, 0.3, 25)))
    joints[12, :, 1] += 0.02
    sliding = foot_slide(joints, 2)
    assert sliding.stands == 1 and sliding.slide == pytest.approx(0.15, abs=1e-3)


def test_a_foot_that_is_raised_throughout_does_not_stand() -> None:
    joints = standing_joints(shifted(np.zeros(25)))
    raised = INDEX["left_ankle"]
    joints[:, raised] += np.stack([np.linspace(0, 0.5, 25), np.full(25, -0.2)], axis=-1)
    one_leg = foot_slide(joints, 2)
    assert one_leg.slide == pytest.approx(0, abs=1e-6) and one_leg.stands == 0.5


def test_a_halt_and_a_jerk_at_the_seam_are_told_from_even_motion() -> None:
    speeds = np.ones(95)
    positions, seams = np.arange(95) + 0.5, np.array([47.5])
    assert seam_ratio(speeds, positions, seams) == pytest.approx(1)
    halt, jerk = speeds.copy(), speeds.copy()
    halt[45:50], jerk[47] = 0.5, 3.0
    assert seam_ratio(halt, positions, seams) == pytest.approx(0.5)
    assert seam_ratio(jerk, positions, seams) == pytest.approx(7 / 5)
    # The same elsewhere is no seam, and neither are values between both distances.
    assert seam_ratio(halt, positions, np.array([70.5])) == pytest.approx(1)
    between = speeds.copy()
    between[50:53] = 9.0
    assert seam_ratio(between, positions, seams) == pytest.approx(1)
    assert seam_ratio(speeds, positions, np.array([])) is None
    assert seam_ratio(np.zeros(95), positions, seams) is None


def test_distances_compare_takes_with_sentences() -> None:
    near, far = np.zeros((2, 16, 2)), np.full((2, 16, 2), 0.3)
    assert joint_distance(near, far) == pytest.approx(0.3 * 2**0.5)
    assert take_ratio([[near, near + 0.1], [far, far + 0.1]]) == pytest.approx(1 / 3)


def test_motion_that_rests_on_the_beats_is_with_them() -> None:
    grid = regular_grid(120, 0.0, 10)
    count = np.arange(96) / FPS * 2
    on_beat = standing_joints(shifted(0.2 * np.cos(np.pi * count)))
    beats = np.arange(9) / 2
    share, match = beat_share(on_beat, FPS, beats), beat_match(on_beat, FPS, grid, 0.0)
    assert share is not None and share > 0.9 and match is not None and match > 0.95
    late = beat_match(on_beat, FPS, grid.shifted(0.25), 0.0)
    assert late is not None and late < 0.1
    slow = beat_share(standing_joints(shifted(0.2 * np.cos(np.pi * count / 2.7))), FPS, beats)
    assert slow is not None and slow < 0.4
    assert beat_share(standing_joints(standing(96, FPS)), FPS, beats) is None
