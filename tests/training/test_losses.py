"""How timesteps are drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from musedance_core.training.config import LossConfig
from musedance_core.training.losses import draw_timesteps


def drawn(power: float, uniform: float, b: int = 1000) -> Tensor:
    config = LossConfig(timestep_power=power, timestep_uniform=uniform)
    return draw_timesteps(b, 1000, config, torch.Generator().manual_seed(0))


def test_uniform_timesteps_fall_one_into_every_part_of_the_schedule() -> None:
    assert torch.equal(drawn(1.0, 0.0, b=20).sort().values // 50, torch.arange(20))
    assert torch.equal(drawn(0.3, 1.0, b=20).sort().values // 50, torch.arange(20))


def test_a_low_power_favours_high_noise_and_the_uniform_share_keeps_the_rest() -> None:
    high, mixed = drawn(0.3, 0.0), drawn(0.3, 0.3)
    assert high.min() >= 0 and high.max() == 999
    assert (high < 100).float().mean() < 0.002
    assert 0.01 < (mixed < 100).float().mean() < 0.05
    assert (mixed > 700).float().mean() > 0.5
