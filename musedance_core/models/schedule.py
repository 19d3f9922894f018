"""The noise schedule and its v-prediction formulas.

With alpha_bar from the schedule, a = sqrt(alpha_bar) and s = sqrt(1 - alpha_bar):

    noisy = a * clean + s * noise
    v     = a * noise - s * clean
    clean = a * noisy - s * v
    noise = a * v     + s * noisy
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..config import ScheduleConfig


class NoiseSchedule:
    """The noise schedule of training and sampling, built from the checkpoint's config.

    Scaled-linear betas. With zero terminal SNR the last timestep is pure noise.
    """

    def __init__(self, config: ScheduleConfig) -> None:
        self.config = config
        root = torch.linspace(
            config.beta_start**0.5, config.beta_end**0.5, config.steps, dtype=torch.float64
        )
        alphas_cumprod = torch.cumprod(1 - root**2, dim=0)
        if config.zero_terminal_snr:
            # Shift a so that its last value is zero, scale it so that its first value stays.
            a = alphas_cumprod.sqrt()
            a = (a - a[-1]) * a[0] / (a[0] - a[-1])
            alphas_cumprod = a**2
        self.alphas_cumprod = alphas_cumprod.float()

    def alpha_sigma(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise rates a and s at timesteps `t [b]`, shaped to broadcast over `like`."""
        alpha_bar = self.alphas_cumprod.to(like.device)[t]
        shape = (-1,) + (1,) * (like.ndim - 1)
        a, s = alpha_bar.sqrt().view(shape), (1 - alpha_bar).sqrt().view(shape)
        return a.to(like.dtype), s.to(like.dtype)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Noisy latents at integer timesteps `t [b]`; `clean` and `noise` are `[b ...]`."""
        a, s = self.alpha_sigma(t, clean)
        return a * clean + s * noise

    def sample_noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Noise of unit variance and `shape` (b f c h w), on the CPU, as `share_noise` makes it."""
        return self.share_noise(torch.randn(shape, generator=generator))

    def share_noise(self, noise: Tensor) -> Tensor:
        """Independent noise `[... f c h w]` of unit variance, made correlated between frames.

        The config's `shared_noise` is the share of its variance that all frames have in common:
        the mean of the frames, which is independent of their differences from it.
        """
        share, frames = self.config.shared_noise, noise.shape[-4]
        if not share or frames == 1:
            return noise
        mean = noise.mean(dim=-4, keepdim=True)
        common, own = mean * math.sqrt(frames), (noise - mean) * math.sqrt(frames / (frames - 1))
        return math.sqrt(share) * common + math.sqrt(1 - share) * own

    def velocity(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The target of v-prediction."""
        a, s = self.alpha_sigma(t, clean)
        return a * noise - s * clean

    def velocity_to(self, clean: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """The v that makes `noisy` denoise to `clean`."""
        a, s = self.alpha_sigma(t, noisy)
        return (a * noisy - clean) / s

    def clean_and_noise(self, noisy: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The clean latents and the noise that a prediction `v` implies."""
        a, s = self.alpha_sigma(t, noisy)
        return a * noisy - s * v, a * v + s * noisy

    def timesteps(self, count: int) -> Tensor:
        """`count` descending timesteps from pure noise on, with trailing spacing, `[count]`.

        Raises:
            ValueError: `count` is not within 1..steps of the config.
        """
        if not 1 <= count <= self.config.steps:
            raise ValueError(f"steps must be within 1..{self.config.steps}, got {count}")
        spaced = torch.arange(self.config.steps, 0, -self.config.steps / count)
        return spaced.round().long() - 1
