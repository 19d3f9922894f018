"""The diffusion loss: what is noised, what is dropped, what is weighed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from ..sampling import NoiseSchedule
from .config import LossConfig


@dataclass(frozen=True)
class Kept:
    """Which samples keep which condition, bool `[b]` each (section 4.2 drops them at random)."""

    text: Tensor
    reference: Tensor
    music: Tensor
    part_map: Tensor

    @classmethod
    def everything(cls, b: int, device: torch.device) -> Kept:
        """Nothing dropped."""
        kept = torch.ones(b, dtype=torch.bool, device=device)
        return cls(kept, kept, kept, kept)


def draw_kept(b: int, config: LossConfig, generator: torch.Generator, device: torch.device) -> Kept:
    """Draw for every sample: nothing, text, reference or music alone, or all of them dropped."""
    u = torch.rand(b, generator=generator)
    edges = torch.tensor(
        [config.drop_text, config.drop_reference, config.drop_music, config.drop_all]
    ).cumsum(0)
    choice = torch.bucketize(u, edges, right=True)
    keep_map = torch.rand(b, generator=generator) >= config.drop_map
    everything = choice == 3
    text, reference, music = (~((choice == i) | everything).to(device) for i in range(3))
    return Kept(text, reference, music, keep_map.to(device))


def draw_timesteps(b: int, steps: int, config: LossConfig, generator: torch.Generator) -> Tensor:
    """Timesteps `[b]` = steps * u ** power, stratified over the batch: one u per b-th of 0..1.

    The power is 1 for a random share of samples, so that low noise is never unlearned.
    """
    u = (torch.randperm(b, generator=generator) + torch.rand(b, generator=generator)) / b
    uniform = torch.rand(b, generator=generator) < config.timestep_uniform
    drawn = torch.where(uniform, u, u**config.timestep_power)
    return (steps * drawn).long().clamp(max=steps - 1)


def motion_weight(latents: Tensor, strength: float) -> Tensor:
    """Weights `[b f 1 h w]` of mean 1 per clip that favour places that move.

    1 + strength * |difference to the frame before|, the difference scaled to a peak of 1 per clip.
    """
    change = (latents[:, 1:] - latents[:, :-1]).abs().mean(dim=2, keepdim=True)
    change = torch.cat([change[:, :1], change], dim=1)
    peak = change.amax(dim=(1, 2, 3, 4), keepdim=True).clamp(min=1e-6)
    weight = 1 + strength * change / peak
    return weight / weight.mean(dim=(1, 2, 3, 4), keepdim=True)


def velocity_loss(v: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error per sample `[b]` of `[b f c h w]`."""
    error = (v.float() - target.float()) ** 2
    if weight is not None:
        error = error * weight
    return rearrange(error, "b f c h w -> b (f c h w)").mean(dim=1)


def noised(
    schedule: NoiseSchedule, latents: Tensor, t: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Noisy latents and the v to be predicted."""
    noise = schedule.noise(tuple(latents.shape), generator).to(latents)
    return schedule.add_noise(latents, noise, t), schedule.velocity(latents, noise, t)
