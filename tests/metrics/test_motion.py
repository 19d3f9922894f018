from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.metrics.motion import energy_times, motion_beats, motion_energy, visible_window

Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]


def test_energy_is_the_mean_difference_halfway_between_two_frames() -> None:
    frames = torch.zeros(4, 3, 8, 8)
    frames[2:] = 0.5
    energy = motion_energy(frames)
    assert energy.tolist() == [0, 0.5, 0]
    assert energy_times(energy, 10) == pytest.approx([0.05, 0.15, 0.25])


def test_colours_that_nobody_sees_do_not_move() -> None:
    hidden = torch.rand(4, 4, 8, 8)
    hidden[:, 3] = 0
    assert motion_energy(hidden).tolist() == [0, 0, 0]
    hidden[2:, 3] = 1
    hidden[:, :3] = 0  # black appears
    assert motion_energy(hidden)[1] == pytest.approx(0.25)
    assert motion_energy(hidden[:, 3:]).tolist() == [0, 1, 0], "grey"


@pytest.mark.parametrize("fps", [12, 30])
@pytest.mark.parametrize(("period", "first"), [(0.5, 0.0), (0.5, 0.13), (0.61, 0.29), (0.75, 0.4)])
def test_rests_are_found_to_a_part_of_a_frame(
    draw: Draw, swing: Swing, fps: int, period: float, first: float
) -> None:
    frames = draw(swing(np.arange(4 * fps) / fps, period, first))
    found = motion_beats(motion_energy(frames), fps)
    begin, end = visible_window(len(frames), fps)
    beats = first + period * np.arange(-1, 9)
    wanted = beats[(beats > begin + 0.5 / fps) & (beats < end - 0.5 / fps)]
    distance = np.abs(found[:, None] - beats[None]).min(axis=1)
    assert distance.max() < 0.25 / fps
    assert np.abs(wanted[:, None] - found[None]).min(axis=1).max() < 0.25 / fps
    assert len(found) <= len(wanted) + 2


def test_nothing_rests_where_nothing_moves() -> None:
    still = torch.rand(1, 3, 8, 8).expand(20, -1, -1, -1)
    assert len(motion_beats(motion_energy(still), 12)) == 0
    assert len(motion_beats(np.full(20, 0.3), 12)) == 0
    assert len(motion_beats(np.linspace(0.1, 0.9, 20), 12)) == 0


def test_a_pause_is_one_rest_in_its_middle_and_noise_is_none() -> None:
    energy = np.r_[np.full(6, 0.2), np.zeros(5), np.full(6, 0.2)]
    assert motion_beats(energy, 10) == pytest.approx([(6 + 2 + 0.5) / 10])
    noisy = energy + np.random.default_rng(0).uniform(0, 0.01, len(energy))
    assert len(motion_beats(noisy, 10)) == 1
