"""Training losses of the denoiser, and random timesteps and conditions for them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from ...errors import InputError
from ...models.schedule import NoiseSchedule
from ..config import LossConfig
from ..runtime.step_random import StepRandom


@dataclass(frozen=True)
class ConditionMask:
    """The conditions that each sample keeps, bool `[b]` each.

    Dropping conditions at random (section 4.2) is what makes classifier-free guidance possible.
    """

    text: Tensor
    reference: Tensor
    music: Tensor
    part_map: Tensor

    @classmethod
    def keep_all(cls, b: int, device: torch.device) -> ConditionMask:
        """Returns a mask that drops nothing."""
        keep = torch.ones(b, dtype=torch.bool, device=device)
        return cls(keep, keep, keep, keep)


def check_loss_config(config: LossConfig, schedule: NoiseSchedule, frames: int) -> None:
    """Refuses loss weights that do not suit the noise schedule or samples of `frames` frames.

    Raises:
        InputError: min-SNR weighting or a noise offset with zero terminal SNR (the first would
            starve the steps that decide the motion, the second would move pure noise off its
            mean); or a motion weight on single frames.
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


def draw_condition_mask(config: LossConfig, rng: StepRandom, device: torch.device) -> ConditionMask:
    """Samples which conditions to drop.

    Each sample loses the text, the reference, the music, or all three, or none of them, with the
    probabilities `drop_*` of the config; and independently its part map.
    """
    u = rng.uniform()
    edges = torch.tensor(
        [config.drop_text, config.drop_reference, config.drop_music, config.drop_all]
    ).cumsum(0)
    choice = torch.bucketize(u, edges, right=True)
    keep_map = rng.uniform() >= config.drop_map
    drop_all = choice == 3
    text, reference, music = (~((choice == i) | drop_all).to(device) for i in range(3))
    return ConditionMask(text, reference, music, keep_map.to(device))


def draw_timesteps(steps: int, config: LossConfig, rng: StepRandom) -> Tensor:
    """Samples timesteps `[b]` in 0..steps-1, with u stratified over the global batch.

        t = steps * u ** timestep_power

    A share `timestep_uniform` of the samples has the power 1, so that low noise is not forgotten.
    """
    u = rng.stratified()
    uniform = rng.uniform() < config.timestep_uniform
    position = torch.where(uniform, u, u**config.timestep_power)
    return (steps * position).long().clamp(max=steps - 1)


def motion_weight(latents: Tensor, strength: float) -> Tensor:
    """Returns loss weights `[b f 1 h w]` that favour moving places, with mean 1 in each clip.

        weight ~ 1 + strength * |x_k - x_(k-1)| / max |x_k - x_(k-1)|

    Args:
        latents: `[b f c h w]`.
        strength: weight of the place that moves most, relative to one at rest, minus 1.
    """
    change = (latents[:, 1:] - latents[:, :-1]).abs().mean(dim=2, keepdim=True)
    change = torch.cat([change[:, :1], change], dim=1)
    peak = change.amax(dim=(1, 2, 3, 4), keepdim=True).clamp(min=1e-6)
    weight = 1 + strength * change / peak
    return weight / weight.mean(dim=(1, 2, 3, 4), keepdim=True)


def min_snr_weight(schedule: NoiseSchedule, t: Tensor, gamma: float) -> Tensor:
    """Returns min-SNR weights for v-prediction, min(SNR, gamma) / (SNR + 1), `[b]`."""
    alpha = schedule.alphas_cumprod.to(t.device)[t]
    snr = alpha / (1 - alpha)
    return snr.clamp(max=gamma) / (snr + 1)


def velocity_loss(v: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Returns the mean squared error of `v` `[b f c h w]` per sample, `[b]`."""
    error = (v.float() - target.float()) ** 2
    if weight is not None:
        error = error * weight
    return rearrange(error, "b f c h w -> b (f c h w)").mean(dim=1)


def noise_latents(
    schedule: NoiseSchedule, latents: Tensor, t: Tensor, rng: StepRandom, offset: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Returns noisy latents `[b f c h w]` at timesteps `t [b]` and the velocity to predict.

    Args:
        offset: standard deviation of a shift of the noise's mean, per clip and channel.
    """
    shape = (1, *latents.shape[1:])
    noise = torch.cat([schedule.sample_noise(shape, g) for g in rng.generators]).to(latents)
    if offset:
        noise = noise + offset * rng.normal(1, latents.shape[2], 1, 1).to(latents)
    return schedule.add_noise(latents, noise, t), schedule.velocity(latents, noise, t)
