"""Noise schedule and guidance: what a denoiser is asked, and what is made of its answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from einops import rearrange
from torch import Tensor

from .config import ScheduleConfig
from .models.conditions import Conditions

Denoiser = Callable[[Tensor, Tensor, Conditions], Tensor]
"""(noisy latents `[b f c h w]`, timesteps `[b]`, conditions) -> v of the same shape."""


@dataclass(frozen=True)
class StepInfo:
    """What a caller hears after every denoising step; raise from the callback to cancel.

    `step` counts from 1 within a segment, `segment` from 0; `denoised [b f c h w]` is the current
    guess of the clean latents.
    """

    segment: int
    segments: int
    step: int
    steps: int
    denoised: Tensor


class NoiseSchedule:
    """The one schedule of training and sampling, built from the checkpoint's config.

    Scaled-linear betas; with zero terminal SNR the last timestep is pure noise.
    """

    def __init__(self, config: ScheduleConfig) -> None:
        self.config = config
        root = torch.linspace(
            config.beta_start**0.5, config.beta_end**0.5, config.steps, dtype=torch.float64
        )
        alphas = torch.cumprod(1 - root**2, dim=0)
        if config.zero_terminal_snr:
            signal = alphas.sqrt()
            signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])
            alphas = signal**2
        self.alphas_cumprod = alphas.float()

    def _mix(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise factors at timesteps `t [b]`, shaped to broadcast over `like`."""
        alpha = self.alphas_cumprod.to(like.device)[t]
        shape = (-1,) + (1,) * (like.ndim - 1)
        signal, noise = alpha.sqrt().view(shape), (1 - alpha).sqrt().view(shape)
        return signal.to(like.dtype), noise.to(like.dtype)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Noisy latents at integer timesteps `t [b]`; `clean` and `noise` are `[b ...]`."""
        a, s = self._mix(t, clean)
        return a * clean + s * noise

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Noise `[b f c h w]` of unit variance, in part common to all frames; on the CPU."""
        own = torch.randn(shape, generator=generator)
        if not self.config.shared_noise:
            return own
        common = torch.randn((shape[0], 1, *shape[2:]), generator=generator)
        share = self.config.shared_noise
        return math.sqrt(share) * common + math.sqrt(1 - share) * own

    def velocity(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The target of v-prediction."""
        a, s = self._mix(t, clean)
        return a * noise - s * clean

    def split(self, noisy: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Clean latents and noise that `noisy` and its `v` imply."""
        a, s = self._mix(t, noisy)
        return a * noisy - s * v, a * v + s * noisy

    def timesteps(self, count: int) -> Tensor:
        """`count` timesteps from pure noise down, spaced from the end (trailing)."""
        if not 1 <= count <= self.config.steps:
            raise ValueError(f"steps must be within 1..{self.config.steps}, got {count}")
        spaced = torch.arange(self.config.steps, 0, -self.config.steps / count)
        return spaced.round().long() - 1


CONDITIONS = ("text", "music", "reference")
"""What guidance can weigh apart: "music" means music and beats together."""


@dataclass(frozen=True)
class Guidance:
    """v = v0 + scale (v_full - v0) + sum of w_c (v_full - v_full without c).

    `weights` maps names out of `CONDITIONS` to w_c; `rescale` pulls the result's spread back to
    that of v_full, which zero terminal SNR needs.
    """

    scale: float
    weights: Mapping[str, float] = field(default_factory=dict)
    rescale: float = 0.7

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(CONDITIONS))
        if unknown:
            raise ValueError(f"guidance weighs {list(CONDITIONS)}, not {unknown}")


@dataclass(frozen=True)
class ConditionSet:
    """The full conditions, none of them, and the full ones without one, by name."""

    full: Conditions
    none: Conditions
    without: Mapping[str, Conditions]


def guided_velocity(
    denoise: Denoiser, x: Tensor, t: Tensor, conditions: ConditionSet, guidance: Guidance
) -> Tensor:
    """The guided v of `x [b f c h w]` at `t [b]`: two calls plus one per non-zero weight."""
    full = denoise(x, t, conditions.full)
    v = full
    if guidance.scale != 1:
        none = denoise(x, t, conditions.none)
        v = none + guidance.scale * (full - none)
    for name, weight in guidance.weights.items():
        if weight:
            v = v + weight * (full - denoise(x, t, conditions.without[name]))
    if v is full:
        return v
    flat = "b f c h w -> b (f c h w)"
    # A network that was never trained answers zero, whose spread is no divisor.
    spread = rearrange(v, flat).std(dim=1).clamp_min(1e-8)
    ratio = rearrange(full, flat).std(dim=1) / spread
    rescaled = v * rearrange(ratio, "b -> b 1 1 1 1")
    return guidance.rescale * rescaled + (1 - guidance.rescale) * v
