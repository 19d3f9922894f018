"""The noise schedule: one for training, sampling and the denoiser's own picture skip."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..config import ScheduleConfig


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

    def alpha_sigma(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise factors at timesteps `t [b]`, shaped to broadcast over `like`."""
        alpha = self.alphas_cumprod.to(like.device)[t]
        shape = (-1,) + (1,) * (like.ndim - 1)
        signal, noise = alpha.sqrt().view(shape), (1 - alpha).sqrt().view(shape)
        return signal.to(like.dtype), noise.to(like.dtype)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Noisy latents at integer timesteps `t [b]`; `clean` and `noise` are `[b ...]`."""
        a, s = self.alpha_sigma(t, clean)
        return a * clean + s * noise

    def sample_noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Noise `[b f c h w]` of unit variance, in part common to all frames; on the CPU."""
        own = torch.randn(shape, generator=generator)
        if not self.config.shared_noise:
            return own
        common = torch.randn((shape[0], 1, *shape[2:]), generator=generator)
        share = self.config.shared_noise
        return math.sqrt(share) * common + math.sqrt(1 - share) * own

    def velocity(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The target of v-prediction."""
        a, s = self.alpha_sigma(t, clean)
        return a * noise - s * clean

    def velocity_to(self, clean: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """The v that leads from `noisy` straight to `clean`."""
        a, s = self.alpha_sigma(t, noisy)
        return (a * noisy - clean) / s

    def clean_and_noise(self, noisy: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Clean latents and noise that `noisy` and its `v` imply."""
        a, s = self.alpha_sigma(t, noisy)
        return a * noisy - s * v, a * v + s * noisy

    def timesteps(self, count: int) -> Tensor:
        """`count` timesteps from pure noise down, spaced from the end (trailing)."""
        if not 1 <= count <= self.config.steps:
            raise ValueError(f"steps must be within 1..{self.config.steps}, got {count}")
        spaced = torch.arange(self.config.steps, 0, -self.config.steps / count)
        return spaced.round().long() - 1
