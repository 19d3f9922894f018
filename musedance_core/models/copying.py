"""Copying from the picture: a place of a frame says where in the picture it comes from.

A network of a few million numbers cannot carry a picture through its layers without loss: grain and
flicker are what it loses. Most of a frame is the picture itself, moved. So the denoiser sees the
picture's latents where they lie, names for every place the displacement at which its content is
found there, and draws by itself what no displacement explains.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import ScheduleConfig, UNetConfig
from ..schedule import NoiseSchedule
from .conditions import Conditions, ReferenceKeys
from .layers import ResBlock

FINENESS = 4
"""Displacements are multiples of a place divided by this."""
UNLIKE = 0.06
"""Mean squared difference of what moved to the best that can be copied for it: turned and bent
patches, and what lies between two displacements. Measured on the sticker world."""


def displacements(reach: int, device: torch.device | None = None) -> Tensor:
    """All displacements within `reach` places, row by row: `[k 2]` as (down, right) in places."""
    steps = torch.arange(-reach * FINENESS, reach * FINENESS + 1, device=device) / FINENESS
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).reshape(-1, 2)


def sources(views: Tensor, reach: int) -> Tensor:
    """What lies at every displacement from every place.

    Args:
        views: latents of the picture at all fine offsets, `[b c 4h 4w]` (`PatchAutoencoder.views`).
        reach: how many places away, at most; beyond its edge the picture goes on as it ends.

    Returns:
        `[b h*w k c]`, k in the order of `displacements`.
    """
    margin, window = reach * FINENESS, 2 * reach * FINENESS + 1
    padded = F.pad(views, (margin,) * 4, mode="replicate")
    windows = padded.unfold(2, window, FINENESS).unfold(3, window, FINENESS)
    h, w = views.shape[-2] // FINENESS, views.shape[-1] // FINENESS
    return rearrange(windows[:, :, :h, :w], "b c h w down right -> b (h w) (down right) c")


class PictureCopy(nn.Module):
    """v = share * v of what is copied + (1 - share) * v of the network, which has seen the copy.

    Samples whose picture is dropped have neither sight nor copy.
    """

    def __init__(self, config: UNetConfig, schedule: ScheduleConfig, ops: Any = nn) -> None:
        super().__init__()
        c, width, groups = config.latent_channels, config.channels[0], config.norm_groups
        self.reach, self.schedule = config.copy_reach, schedule
        self.picture_in = ops.Conv2d(c, width, 3, padding=1, bias=False)
        self.norm = ops.GroupNorm(groups, width, eps=1e-5)
        self.where_out = ops.Conv2d(width, len(displacements(self.reach)), 1)
        self.copy_in = ops.Conv2d(c, width, 3, padding=1, bias=False)
        self.redraw = ResBlock(width, width, width * 4, groups, config.dropout, ops)
        self.share_out = ops.Conv2d(width, 1, 3, padding=1)

    def seen(self, conditions: Conditions, frames: int) -> Tensor:
        """What the first layer sees of the picture, `[(b f) d h w]`."""
        seen = self.picture_in(_picture(conditions).latents)
        out: Tensor = repeat(seen, "b d h w -> (b f) d h w", f=frames) * _kept(conditions, frames)
        return out

    def where(self, x: Tensor, noisy: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Log-odds of the `displacements` for every place, `[b h*w f k]`.

        By Bayes: what the network expects, from features `x [(b f) d h w]`, and how likely it makes
        what is there, `noisy [(b f) c h w]` at `t [b]`.
        """
        expected = self.where_out(F.silu(self.norm(x)))
        expected = rearrange(expected, "(b f) k h w -> b (h w) f k", b=len(t))
        there = rearrange(noisy, "(b f) c h w -> b (h w) f c", b=len(t)).float()
        signal, noise = NoiseSchedule(self.schedule).rates(t, there)
        found = signal * _sources(conditions).float()
        spread = noise.square() + signal.square() * UNLIKE
        nearness = there @ found.mT - found.square().sum(dim=-1)[:, :, None] / 2
        out: Tensor = expected.float() + nearness / spread
        return out

    def copied(self, where: Tensor, conditions: Conditions, height: int) -> Tensor:
        """The mean of what may have come to places of `where [b h*w f k]`, `[(b f) c h w]`."""
        found = _sources(conditions)
        mean = where.softmax(dim=-1).to(found.dtype) @ found
        out: Tensor = rearrange(mean, "b (h w) f c -> (b f) c h w", h=height)
        return out

    def redrawn(self, x: Tensor, time: Tensor, copied: Tensor, conditions: Conditions) -> Tensor:
        """Features `x [(b f) d h w]` that have seen the copy."""
        frames = len(x) // len(conditions.text)
        out: Tensor = self.redraw(x + self.copy_in(copied) * _kept(conditions, frames), time)
        return out

    def mixed(
        self, v: Tensor, x: Tensor, copied: Tensor, noisy: Tensor, t: Tensor, conditions: Conditions
    ) -> Tensor:
        """The network's `v [(b f) c h w]` and the one that leads to the copy, mixed by place.

        `x` are the features that say how much of each, `noisy` is what is denoised at `t [b]`.
        """
        frames = len(v) // len(t)
        share = torch.sigmoid(self.share_out(x)) * _kept(conditions, frames)
        times = repeat(t, "b -> (b f)", f=frames)
        to_copy = NoiseSchedule(self.schedule).velocity_to(copied.float(), noisy.float(), times)
        return torch.lerp(v.float(), to_copy, share.float()).to(v.dtype)


def _picture(conditions: Conditions) -> ReferenceKeys:
    assert conditions.reference is not None, "without a picture there is nothing to copy"
    return conditions.reference


def _sources(conditions: Conditions) -> Tensor:
    found = _picture(conditions).sources
    assert found is not None, "a picture that is copied from comes with its views"
    return found


def _kept(conditions: Conditions, frames: int) -> Tensor:
    """1 where a sample keeps its picture, else 0: `[(b f) 1 1 1]`."""
    keep, like = conditions.keep_reference, conditions.text
    kept = like.new_ones(len(like)) if keep is None else keep.to(like.dtype)
    return repeat(kept, "b -> (b f) 1 1 1", f=frames)
