"""The diffusion loss: what is noised, what is dropped, what is weighed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ...errors import InputError
from ...geometry import source_points
from ...models.schedule import NoiseSchedule
from ..config import LossConfig
from ..runtime.step_random import StepRandom

NEAR = 0.1
"""Errors of a warp below this share of half a picture count by their square."""


@dataclass(frozen=True)
class ConditionMask:
    """Which samples keep which condition, bool `[b]` each (section 4.2 drops them at random)."""

    text: Tensor
    reference: Tensor
    music: Tensor
    part_map: Tensor

    @classmethod
    def everything(cls, b: int, device: torch.device) -> ConditionMask:
        """Nothing dropped."""
        kept = torch.ones(b, dtype=torch.bool, device=device)
        return cls(kept, kept, kept, kept)


def require_possible(config: LossConfig, schedule: NoiseSchedule, frames: int) -> None:
    """Refuse weights that make no sense with a schedule, or with samples of so many frames.

    Raises:
        InputError: min-SNR weights or a noise offset under zero terminal SNR, where the first would
            starve the steps that decide motion and the second would move pure noise off its mean;
            a weight of motion on single frames.
    """
    if config.motion and frames < 2:
        raise InputError(f"loss.motion={config.motion} needs clips, but samples are single frames.")
    if not schedule.config.zero_terminal_snr:
        return
    for name in ("min_snr_gamma", "noise_offset"):
        if getattr(config, name):
            raise InputError(
                f"loss.{name}={getattr(config, name)} cannot be used with zero terminal SNR."
            )


def draw_condition_mask(
    config: LossConfig, draws: StepRandom, device: torch.device
) -> ConditionMask:
    """Draw for every sample: nothing, text, reference or music alone, or all of them dropped."""
    u = draws.uniform()
    edges = torch.tensor(
        [config.drop_text, config.drop_reference, config.drop_music, config.drop_all]
    ).cumsum(0)
    choice = torch.bucketize(u, edges, right=True)
    keep_map = draws.uniform() >= config.drop_map
    everything = choice == 3
    text, reference, music = (~((choice == i) | everything).to(device) for i in range(3))
    return ConditionMask(text, reference, music, keep_map.to(device))


def draw_timesteps(steps: int, config: LossConfig, draws: StepRandom) -> Tensor:
    """Timesteps `[b]` = steps * u ** power, u stratified over the global batch.

    The power is 1 for a random share of samples, so that low noise is never unlearned.
    """
    u = draws.stratified()
    uniform = draws.uniform() < config.timestep_uniform
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


def min_snr_weight(schedule: NoiseSchedule, t: Tensor, gamma: float) -> Tensor:
    """min(SNR, gamma) / (SNR + 1) `[b]`: min-SNR weighting for v-prediction."""
    alpha = schedule.alphas_cumprod.to(t.device)[t]
    snr = alpha / (1 - alpha)
    return snr.clamp(max=gamma) / (snr + 1)


def velocity_loss(v: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error per sample `[b]` of `[b f c h w]`."""
    error = (v.float() - target.float()) ** 2
    if weight is not None:
        error = error * weight
    return rearrange(error, "b f c h w -> b (f c h w)").mean(dim=1)


def body_loss(warp: Tensor, outlines: Tensor, still_outline: Tensor) -> Tensor:
    """How far from the truth warps `[b f 2 6]` say that points come from, per sample `[b]`; as much
    again how far from where they say it on average; and as much again how wrong the body's size is.

    One picture hardly tells what is rest, nor which way up a dancer is who has been turning; so a
    dance that is right but for that is better than another, and who is unsure of an angle shall not
    shrink the dancer. Half squared below `NEAR`, linear above, and in relation to how far the body
    moves, so that a dancer who spins does not outweigh those who nod; lengths are half pictures.

    Args:
        outlines: the points in the frames, `[b f n 2]`, shares of the picture.
        still_outline: the same points in the reference, `[b n 2]`.
    """
    points = outlines * 2 - 1
    still = (still_outline * 2 - 1)[:, None].expand_as(points)
    said = source_points(warp, points)
    off = said - still

    def size(error: Tensor) -> Tensor:
        zero = torch.zeros_like(error)
        each = F.smooth_l1_loss(error, zero, beta=NEAR, reduction="none")
        return each.flatten(1).mean(dim=1)

    unsteady = size(off - off.mean(dim=1, keepdim=True))
    wrong_size = size(_from_middle(said) - _from_middle(still))
    far = (points - still).abs().mean(dim=(1, 2, 3))
    return (size(off) + unsteady + wrong_size) / (far + NEAR)


def _from_middle(points: Tensor) -> Tensor:
    """How far points `[... n 2]` are from their middle, `[... n]`."""
    apart = points - points.mean(dim=-2, keepdim=True)
    return (apart.square().sum(dim=-1) + 1e-8).sqrt()


def noised(
    schedule: NoiseSchedule, latents: Tensor, t: Tensor, draws: StepRandom, offset: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Noisy latents `[b f c h w]` and the v to be predicted; `offset` shifts the noise's mean."""
    shape = (1, *latents.shape[1:])
    noise = torch.cat([schedule.sample_noise(shape, g) for g in draws.generators]).to(latents)
    if offset:
        noise = noise + offset * draws.normal(1, latents.shape[2], 1, 1).to(latents)
    return schedule.add_noise(latents, noise, t), schedule.velocity(latents, noise, t)
