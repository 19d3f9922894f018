"""Samplers: from noise to clean latents in a few calls of a denoiser.

Each is a short function of `denoise(x, t)`, which gives v for latents `x [b f c h w]` at timesteps
`t [b]`; `on_step(step, denoised)` is called after each of the `steps`. All are deterministic and
spaced from pure noise down (trailing), as zero terminal SNR needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from ..errors import InputError
from ..models.schedule import NoiseSchedule
from .sampler_names import SAMPLER_NAMES

Denoise = Callable[[Tensor, Tensor], Tensor]
OnStep = Callable[[int, Tensor], None]


class Sampler(Protocol):
    """A sampler, from `noise [b f c h w]` to clean latents.

    With `first` above 0 it leaves out so many of the `steps`: `noise` are then latents with the
    noise of step `first`, as `start_at` gives them.
    """

    def __call__(
        self,
        denoise: Denoise,
        noise: Tensor,
        schedule: NoiseSchedule,
        steps: int,
        on_step: OnStep,
        first: int = 0,
    ) -> Tensor: ...


def start_at(
    latents: Tensor, noise: Tensor, schedule: NoiseSchedule, steps: int, first: int
) -> Tensor:
    """Returns clean `latents [b f c h w]` with the noise of step `first` of `steps`."""
    time = schedule.timesteps(steps)[first].to(latents.device)
    return schedule.add_noise(latents, noise, time.expand(len(latents)))


def sample_ddim(
    denoise: Denoise,
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    on_step: OnStep,
    first: int = 0,
) -> Tensor:
    """DDIM with eta 0, from `noise [b f c h w]` to clean latents.

    It is Euler's method as well: with signal a, noise share s, z = x / a and sigma = s / a, the
    slope dz/dsigma is the noise, and a' (z + (sigma' - sigma) noise) = a' clean + s' noise.
    """
    times = schedule.timesteps(steps).to(noise.device)
    x = noise
    for i in range(first, steps):
        t = times[i]
        now = t.expand(len(x))
        clean, noise_part = schedule.clean_and_noise(x, denoise(x, now), now)
        on_step(i + 1, clean)
        if i + 1 < steps:
            x = schedule.add_noise(clean, noise_part, times[i + 1].expand(len(x)))
    return clean


def sample_dpmpp_2m(
    denoise: Denoise,
    noise: Tensor,
    schedule: NoiseSchedule,
    steps: int,
    on_step: OnStep,
    first: int = 0,
) -> Tensor:
    """DPM-Solver++ of second order, multistep (arXiv 2211.01095), from `noise` to clean latents.

    Time is half the log of the signal-to-noise ratio; it starts at minus infinity, where the
    step from pure noise has no weight in the extrapolation, and the last step is of first order.
    """
    times = schedule.timesteps(steps).to(noise.device)
    alpha = schedule.alphas_cumprod[times.cpu()].double()
    half_log_snr = 0.5 * (alpha / (1 - alpha)).log()
    x, before = noise, None
    for i in range(first, steps):
        t = times[i]
        now = t.expand(len(x))
        clean, _ = schedule.clean_and_noise(x, denoise(x, now), now)
        on_step(i + 1, clean)
        if i + 1 < steps:
            extrapolated = clean
            if before is not None:
                ahead, behind = (
                    half_log_snr[i + 1] - half_log_snr[i],
                    half_log_snr[i] - half_log_snr[i - 1],
                )
                extrapolated = clean + float(ahead / (2 * behind)) * (clean - before)
            x = _exact_step(extrapolated, x, alpha[i], alpha[i + 1])
            before = clean
    return clean


def _exact_step(extrapolated: Tensor, x: Tensor, now: Tensor, then: Tensor) -> Tensor:
    """One exact step of x' = (s' / s) x + (a' - a s' / s) clean between two signal powers."""
    shrink = ((1 - then) / (1 - now)).sqrt()
    return float(shrink) * x + float(then.sqrt() - now.sqrt() * shrink) * extrapolated


# DDIM is Euler's method, under both names.
SAMPLERS: dict[str, Sampler] = dict(
    zip(SAMPLER_NAMES, (sample_ddim, sample_ddim, sample_dpmpp_2m), strict=True)
)


def require_sampler(name: str) -> None:
    """Raises InputError if no sampler has this name."""
    if name not in SAMPLERS:
        raise InputError(f"The sampler must be one of {', '.join(SAMPLERS)}, not {name!r}.")
