from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.metrics.consistency import (
    background_error,
    background_region,
    drift,
    flicker,
    large_enough,
    seam_jump,
    similarity,
)
from musedance_core.metrics.motion import motion_energy

Draw = Callable[[np.ndarray], Tensor]


def colour(frames: Tensor) -> Tensor:
    return frames.mean(dim=(2, 3))


def test_the_still_region_leaves_out_wherever_the_dancer_has_been(draw: Draw) -> None:
    frames = draw(np.linspace(4, 18, 30))
    region = background_region(frames, frames[0])
    assert not region[12:20, 4:26].any()
    assert region[:9].all() and region[24:].all() and large_enough(region)
    assert not large_enough(background_region(torch.rand(9, 3, 32, 32), torch.rand(3, 32, 32)))


def test_the_background_is_measured_outside_the_dancer(draw: Draw) -> None:
    frames = draw(np.linspace(4, 18, 30))
    region = background_region(frames, frames[0])
    assert background_error(frames, frames[0], region) == 0
    off = background_error(frames + 10 / 255, frames[0], region)
    assert off == pytest.approx(10, rel=1e-4)


def test_flicker_is_the_noise_level_and_zero_for_static_or_fading_video(
    draw: Draw,
) -> None:
    still = draw(np.full(40, 9.0))
    region = torch.ones(32, 32, dtype=torch.bool)
    assert flicker(still, region) == 0
    fade = torch.linspace(0, 0.5, 40).view(-1, 1, 1, 1)
    assert flicker(still + fade, region) == pytest.approx(0, abs=1e-3)
    noise = torch.randn(still.shape, generator=torch.Generator().manual_seed(0))
    assert flicker(still + noise * 3 / 255, region) == pytest.approx(3, rel=0.03)


def test_flicker_looks_at_the_region_alone(draw: Draw) -> None:
    frames = draw(10 + 5 * (np.arange(30) % 2))
    region = background_region(frames, frames[0])
    assert flicker(frames, region) == 0
    assert flicker(frames, ~region) > 10


def test_regions_may_differ_between_frames() -> None:
    frames = torch.zeros(6, 3, 4, 4)
    frames[3:, :, 0, 0] = 10 / 255  # one pixel changes, and is in the region from then on
    region = torch.zeros(6, 4, 4, dtype=torch.bool)
    region[3:, 0, 0] = True
    assert background_error(frames, torch.zeros(3, 4, 4), region) == pytest.approx(10, rel=1e-4)
    assert flicker(frames, region) == 0
    frames[4, :, 0, 0] = 0
    assert flicker(frames, region) == pytest.approx(10 * (4 / 6) ** 0.5, rel=1e-4)
    assert background_error(frames, torch.zeros(3, 4, 4), region) == pytest.approx(20 / 3, rel=1e-4)


@pytest.mark.parametrize("jump", [0.0, 6.0])
def test_a_planted_jump_at_the_seam_is_found(draw: Draw, jump: float) -> None:
    way = 4 + 0.1 * np.arange(96)
    way[48:] += jump
    found = seam_jump(motion_energy(draw(way)), 48)
    assert found == pytest.approx(1, abs=0.05) if jump == 0 else found > 20
    away = 4 + 0.1 * np.arange(96)
    away[40:] += 6
    assert seam_jump(motion_energy(draw(away)), 48) == pytest.approx(1, abs=0.05)
    assert (seam_jump(motion_energy(draw(away)), 40) or 0) > 20


def test_one_segment_has_no_seam_and_no_drift() -> None:
    assert seam_jump(np.ones(47), 48) is None and seam_jump(np.zeros(60), 48) is None
    assert drift(torch.ones(48), 48) is None


def test_drift_looks_at_whole_segments_alone() -> None:
    similar = torch.cat([torch.ones(16), torch.full((16,), 0.5), torch.zeros(5)])
    assert drift(similar, 16) == pytest.approx(0.5)
    assert drift(similar, 32) is None


def test_identity_is_the_cosine_with_the_reference_and_drifts_when_it_is_lost() -> None:
    red = torch.tensor([1.0, 0, 0]).view(3, 1, 1).expand(3, 8, 8)
    blue = torch.tensor([0, 0, 1.0]).view(3, 1, 1).expand(3, 8, 8)
    share = torch.linspace(0, 1, 144).view(-1, 1, 1, 1)
    similar = similarity(colour, red * (1 - share) + blue * share, red)
    assert similar[0] == pytest.approx(1) and similar[-1] == pytest.approx(0)
    lost, kept = drift(similar, 48), drift(similarity(colour, red.expand(144, 3, 8, 8), red), 48)
    assert lost is not None and lost < 0.5 and kept == pytest.approx(1)
