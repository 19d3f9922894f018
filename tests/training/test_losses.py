"""Losses: sampling, weights, and configs that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musedance_core.config import ScheduleConfig
from musedance_core.errors import InputError
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.training.config import LossConfig
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.losses import (
    check_loss_config,
    draw_condition_mask,
    draw_timesteps,
    min_snr_weight,
    motion_weight,
    noise_latents,
)

ZERO_SNR = ScheduleConfig()
NONZERO_SNR = replace(ZERO_SNR, zero_terminal_snr=False)


def timesteps(power: float, uniform: float, b: int = 1000) -> Tensor:
    config = LossConfig(timestep_power=power, timestep_uniform=uniform)
    return draw_timesteps(1000, config, StepRandom(0, 0, b))


def test_uniform_timesteps_are_stratified_over_the_schedule() -> None:
    assert torch.equal(timesteps(1.0, 0.0, b=20).sort().values // 50, torch.arange(20))
    assert torch.equal(timesteps(0.3, 1.0, b=20).sort().values // 50, torch.arange(20))


def test_a_low_power_favours_high_noise_and_the_uniform_share_keeps_low_noise() -> None:
    high, mixed = timesteps(0.3, 0.0), timesteps(0.3, 0.3)
    assert high.min() >= 0 and high.max() == 999
    assert (high < 100).float().mean() < 0.002
    assert 0.01 < (mixed < 100).float().mean() < 0.05
    assert (mixed > 700).float().mean() > 0.5


def test_conditions_are_dropped_with_the_configured_probabilities() -> None:
    config = LossConfig(drop_text=0.1, drop_reference=0.2, drop_music=0.05, drop_all=0.15)
    mask = draw_condition_mask(config, StepRandom(3, 0, 20_000), torch.device("cpu"))
    dropped = ~torch.stack([mask.text, mask.reference, mask.music])
    everything = dropped.all(dim=0)
    alone = dropped & (dropped.sum(dim=0) == 1)
    assert everything.float().mean() == pytest.approx(0.15, abs=0.01)
    assert alone.float().mean(dim=1).tolist() == pytest.approx([0.1, 0.2, 0.05], abs=0.01)
    assert not (dropped.sum(dim=0) == 2).any()
    assert (~mask.part_map).float().mean() == pytest.approx(config.drop_map, abs=0.01)


def test_moving_places_weigh_more_and_a_clip_weighs_the_same() -> None:
    latents = torch.zeros(2, 4, 3, 6, 6)
    latents[0, 2:, :, :3] = 1.0
    weight = motion_weight(latents, 4.0)
    assert torch.allclose(weight.mean(dim=(1, 2, 3, 4)), torch.ones(2))
    assert torch.allclose(weight[1], torch.ones(4, 1, 6, 6))
    assert weight[0, 2, 0, 0, 0] / weight[0, 1, 0, 0, 0] == pytest.approx(5.0)


@pytest.mark.parametrize("name", ["min_snr_gamma", "noise_offset"])
def test_min_snr_and_noise_offset_are_refused_with_zero_snr(name: str) -> None:
    config = replace(LossConfig(), **{name: 0.5})
    with pytest.raises(InputError, match=name):
        check_loss_config(config, NoiseSchedule(ZERO_SNR), frames=6)
    check_loss_config(config, NoiseSchedule(NONZERO_SNR), frames=6)


def test_single_frames_have_no_motion_to_weigh() -> None:
    with pytest.raises(InputError, match=r"loss\.motion=4\.0 needs clips"):
        check_loss_config(LossConfig(motion=4.0), NoiseSchedule(ZERO_SNR), frames=0)


def test_min_snr_weights_are_the_published_ones_for_v() -> None:
    """SNR / (SNR + 1), which is alpha, below gamma; gamma / (SNR + 1) above."""
    schedule = NoiseSchedule(NONZERO_SNR)
    t = torch.arange(1000)
    alpha = schedule.alphas_cumprod
    weight, low = min_snr_weight(schedule, t, 5.0), alpha / (1 - alpha) < 5
    assert low.any() and (~low).any()
    assert torch.allclose(weight[low], alpha[low], atol=1e-6)
    assert torch.allclose(weight[~low], 5 * (1 - alpha[~low]), atol=1e-5)


def test_a_noise_offset_shifts_the_mean_of_each_channel_of_a_clip() -> None:
    schedule, t = NoiseSchedule(NONZERO_SNR), torch.full((64,), 999)
    clean = torch.zeros(64, 2, 3, 8, 8)
    spread = {}
    for offset in (0.0, 0.5):
        noisy, _ = noise_latents(schedule, clean, t, StepRandom(0, 0, 64), offset)
        spread[offset] = noisy.mean(dim=(1, 3, 4)).std().item()
    assert spread[0.0] < 0.12 and spread[0.5] == pytest.approx(0.5, abs=0.1)
