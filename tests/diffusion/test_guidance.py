"""Schedule and guidance against their own definitions."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
import torch

from musedance_core.config import ScheduleConfig
from musedance_core.diffusion.guidance import ConditionSet, Guidance, guided_velocity
from musedance_core.models import Conditions
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.presets import preset

CONFIG = preset("sd15").schedule
SHAPE = (2, 3, 4, 8, 8)


def test_the_last_timestep_is_pure_noise() -> None:
    schedule = NoiseSchedule(CONFIG)
    assert schedule.alphas_cumprod[-1] == 0
    clean, noise, t = torch.randn(SHAPE), torch.randn(SHAPE), torch.tensor([999, 999])
    assert torch.equal(schedule.add_noise(clean, noise, t), noise)


def test_splitting_undoes_adding_noise() -> None:
    schedule = NoiseSchedule(CONFIG)
    clean, noise, t = torch.randn(SHAPE), torch.randn(SHAPE), torch.tensor([10, 700])
    noisy, v = schedule.add_noise(clean, noise, t), schedule.velocity(clean, noise, t)
    again, residue = schedule.clean_and_noise(noisy, v, t)
    torch.testing.assert_close(again, clean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(residue, noise, atol=1e-5, rtol=1e-5)


def test_steps_out_of_range_are_refused() -> None:
    for steps in (0, -3, 1001):
        with pytest.raises(ValueError, match=str(steps)):
            NoiseSchedule(CONFIG).timesteps(steps)


def conditions(value: float) -> Conditions:
    return Conditions(text=torch.full((2, 1, 1), value))


def test_guidance_is_the_stated_sum_and_costs_one_call_per_weight() -> None:
    calls: list[float] = []

    def denoise(x: torch.Tensor, t: torch.Tensor, c: Conditions) -> torch.Tensor:
        calls.append(float(c.text[0, 0, 0]))
        return x * c.text[0, 0, 0]

    x, t = torch.randn(SHAPE), torch.tensor([500, 500])
    chosen = ConditionSet(
        conditions(3), conditions(1), {"music": conditions(2), "text": conditions(0)}
    )
    plain = guided_velocity(denoise, x, t, chosen, Guidance(2.0, {"music": 0.5, "text": 0.0}, 0.0))
    torch.testing.assert_close(plain, x * (1 + 2 * (3 - 1) + 0.5 * (3 - 2)))
    assert calls == [3, 1, 2]
    rescaled = guided_velocity(denoise, x, t, chosen, Guidance(2.0, {}, 1.0))
    torch.testing.assert_close(rescaled.flatten(1).std(1), (x * 3).flatten(1).std(1))


def test_a_checkpoints_guidance_holds_but_for_what_is_asked() -> None:
    own = replace(CONFIG, guidance=1.0, music_guidance=1.5, guidance_rescale=0.3)
    assert Guidance.of(own) == Guidance(1.0, {"text": 0, "music": 1.5, "reference": 0}, 0.3)
    asked = Guidance.of(own, 3.0, {"music": 0.0, "text": None})
    assert asked == Guidance(3.0, {"text": 0, "music": 0, "reference": 0}, 0.3)
    assert str(Guidance.of(own)) == "1, music 1.5" and str(asked) == "3"


def test_guidance_refuses_unknown_conditions() -> None:
    with pytest.raises(ValueError, match="drums"):
        Guidance(1.0, {"drums": 1.0})


def test_the_schedule_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="epsilon"):
        dataclasses.replace(CONFIG, prediction="epsilon")


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
def test_noise_has_unit_variance_and_the_stated_share_in_common(share: float) -> None:
    schedule = NoiseSchedule(ScheduleConfig(shared_noise=share))
    noise = schedule.sample_noise((2, 40, 4, 16, 16), torch.Generator().manual_seed(0))
    assert noise.var() == pytest.approx(1, abs=0.06)
    flat = noise.flatten(2)
    between = (flat[:, 0] * flat[:, 1]).mean()
    assert between == pytest.approx(share, abs=0.08)
    assert (flat[0] * flat[1]).mean().abs() < 0.08


def test_guidance_of_a_network_that_answers_zero_is_zero() -> None:
    """As one does that was never trained."""
    x, t = torch.randn(1, 2, 3, 4, 4), torch.tensor([999])
    conditions = ConditionSet(Conditions(torch.zeros(1)), Conditions(torch.zeros(1)), {})
    v = guided_velocity(lambda x, t, c: torch.zeros_like(x), x, t, conditions, Guidance(2.0))
    assert torch.equal(v, torch.zeros_like(x))
