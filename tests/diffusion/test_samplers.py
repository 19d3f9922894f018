"""Samplers against diffusers' schedulers and against equations whose solution is known."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from musedance_core.diffusion.samplers import (
    SAMPLERS,
    Denoise,
    OnStep,
    require_sampler,
    start_at,
)
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.presets import preset

CONFIG = preset("sd15").schedule
SHAPE = (2, 3, 4, 8, 8)
COMMON = {
    "beta_start": CONFIG.beta_start,
    "beta_end": CONFIG.beta_end,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
}
ORACLES = {
    "ddim": ("DDIMScheduler", {"clip_sample": False}),
    "euler": ("EulerDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
}


def noise() -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))


def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x) * (0.5 + t.view(-1, 1, 1, 1, 1) / 2000)


def ignore(step: int, denoised: torch.Tensor) -> None:
    assert step >= 1 and denoised.shape == SHAPE


def by_diffusers(name: str, steps: int, zero_snr: bool) -> torch.Tensor:
    diffusers = pytest.importorskip("diffusers")
    kind, more = ORACLES[name]
    oracle = getattr(diffusers, kind)(**COMMON, **more, rescale_betas_zero_snr=zero_snr)
    oracle.set_timesteps(steps)
    x = noise() * oracle.init_noise_sigma
    for t in oracle.timesteps:
        seen = oracle.scale_model_input(x, t)
        x = oracle.step(denoise(seen, t.expand(2).long()), t, x).prev_sample
    return x


@pytest.mark.parametrize("steps", [1, 4, 8, 25])
@pytest.mark.parametrize("name", SAMPLERS)
def test_it_equals_diffusers(name: str, steps: int) -> None:
    """With some signal at the last timestep; there diffusers has no limit to take."""
    config = dataclasses.replace(CONFIG, zero_terminal_snr=False)
    schedule, start = NoiseSchedule(config), noise()
    if name == "euler":  # its scheduler starts from the noise's share alone
        start = start * (1 - schedule.alphas_cumprod[-1]).sqrt()
    ours = SAMPLERS[name](denoise, start, schedule, steps, ignore)
    torch.testing.assert_close(ours, by_diffusers(name, steps, False), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("steps", [4, 8, 25])
@pytest.mark.parametrize(("name", "atol"), [("ddim", 2e-4), ("euler", 3e-3)])
def test_from_pure_noise_it_equals_diffusers(name: str, atol: float, steps: int) -> None:
    ours = SAMPLERS[name](denoise, noise(), NoiseSchedule(CONFIG), steps, ignore)
    torch.testing.assert_close(ours, by_diffusers(name, steps, True), atol=atol, rtol=1e-3)


def gaussian(schedule: NoiseSchedule, spread: float) -> Denoise:
    """The exact v where clean latents are normal with this standard deviation around zero."""

    def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha = schedule.alphas_cumprod[t].view(-1, 1, 1, 1, 1).double()
        a, s = alpha.sqrt(), (1 - alpha).sqrt()
        clean = x * a * spread**2 / (alpha * spread**2 + 1 - alpha)
        return (a * x - clean) / s.clamp_min(1e-9)

    return denoise


@pytest.mark.parametrize("steps", [6, 8, 12])
def test_the_second_order_is_nearer_to_the_exact_flow(steps: int) -> None:
    schedule, spread = NoiseSchedule(CONFIG), 2.0
    exact = noise().double() * spread
    off = {
        name: (
            SAMPLERS[name](gaussian(schedule, spread), noise().double(), schedule, steps, ignore)
            - exact
        )
        .abs()
        .max()
        for name in ("ddim", "dpmpp_2m")
    }
    assert off["dpmpp_2m"] < off["ddim"] / 2


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_perfect_denoiser_is_followed_to_the_clean_latents(name: str) -> None:
    schedule, clean = NoiseSchedule(CONFIG), torch.randn(SHAPE)

    def perfect(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha = schedule.alphas_cumprod[t].view(-1, 1, 1, 1, 1)
        return schedule.velocity(clean, (x - alpha.sqrt() * clean) / (1 - alpha).sqrt(), t)

    out = SAMPLERS[name](perfect, noise(), schedule, 8, ignore)
    torch.testing.assert_close(out, clean, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_every_step_is_reported_once_in_order(name: str, steps: int) -> None:
    reported: list[int] = []

    def report(step: int, denoised: torch.Tensor) -> None:
        reported.append(step)

    on_step: OnStep = report
    out = SAMPLERS[name](denoise, noise(), NoiseSchedule(CONFIG), steps, on_step)
    assert reported == list(range(1, steps + 1)) and out.isfinite().all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_last_steps_alone_refine_latents(name: str) -> None:
    schedule, clean, reported = NoiseSchedule(CONFIG), torch.randn(SHAPE), []

    def perfect(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha = schedule.alphas_cumprod[t].view(-1, 1, 1, 1, 1)
        return schedule.velocity(clean, (x - alpha.sqrt() * clean) / (1 - alpha).sqrt(), t)

    def report(step: int, denoised: torch.Tensor) -> None:
        reported.append(step)

    other = torch.randn(SHAPE)
    start = start_at(other, noise(), schedule, 8, 5)
    alpha = schedule.alphas_cumprod[schedule.timesteps(8)[5]]
    torch.testing.assert_close(start, alpha.sqrt() * other + (1 - alpha).sqrt() * noise())
    out = SAMPLERS[name](perfect, start, schedule, 8, report, 5)
    torch.testing.assert_close(out, clean, atol=1e-4, rtol=1e-4)
    assert reported == [6, 7, 8]


def test_an_unknown_sampler_is_refused() -> None:
    with pytest.raises(ValueError, match="heun"):
        require_sampler("heun")
