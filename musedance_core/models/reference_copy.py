"""Copying from the picture: what has been drawn is taken from there, where it is found there.

A network of a few million numbers cannot carry a picture through its layers without loss: grain and
flicker are what it loses. Most of a frame is the picture itself, moved. So every place of a drawn
frame is looked up in the picture near where it lies, and shows what is found there, as far as the
network trusts it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import ScheduleConfig, UNetConfig
from .conditions import Conditions, WarpedReference
from .layers import ResBlock
from .schedule import NoiseSchedule

FINENESS = 4
"""Displacements are multiples of a place divided by this."""
SPREAD, NEIGHBOURS, FAR = 0.3, 0.5, 0.3
"""Where training starts from: what difference of squared latents makes a match worse by a factor
of sqrt(e), how much a place's neighbours count beside itself, and what a place away costs. The best
of those tried on a denoiser of the sticker world that did not copy yet."""
UNLIKE = 0.06
"""Mean squared difference of what moved to the best that can be copied for it: turned and bent
patches, and what lies between two displacements. Measured on the sticker world."""
ALIKE, SURE = 0.7, 10.0
"""Where training starts from: how like the picture at rest a place must be, 0..1, to be taken for
it, and how sharply that is decided."""


def displacements(reach: int, device: torch.device | None = None) -> Tensor:
    """All displacements within `reach` places, row by row: `[k 2]` as (down, right) in places."""
    steps = torch.arange(-reach * FINENESS, reach * FINENESS + 1, device=device) / FINENESS
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).reshape(-1, 2)


def candidates(shifted_latents: Tensor, reach: int) -> Tensor:
    """What lies at every displacement from every place.

    Args:
        shifted_latents: latents of the picture at all fine offsets, `[b c 4h 4w]`
            (`PatchAutoencoder.shifted_latents`).
        reach: how many places away, at most; beyond its edge the picture goes on as it ends.

    Returns:
        `[b h*w k c]`, k in the order of `displacements`.
    """
    margin, window = reach * FINENESS, 2 * reach * FINENESS + 1
    padded = F.pad(shifted_latents, (margin,) * 4, mode="replicate")
    windows = padded.unfold(2, window, FINENESS).unfold(3, window, FINENESS)
    h, w = shifted_latents.shape[-2] // FINENESS, shifted_latents.shape[-1] // FINENESS
    return rearrange(windows[:, :, :h, :w], "b c h w down right -> b (h w) (down right) c")


class ReferenceCopy(nn.Module):
    """v = share * v of what is found + (1 - share) * v of the network, which has seen it.

    Where the picture was moved as one body, what is drawn has a share of that too, as `moved_out`
    says, and the network sees it from its first layer on (`shown`); and in the end places that are
    as the picture shows them anyway show it itself, as `still_out` says. Samples whose picture is
    dropped keep the v that was drawn without.
    """

    def __init__(self, config: UNetConfig, schedule: ScheduleConfig, ops: Any = nn) -> None:
        super().__init__()
        c, width, groups = config.latent_channels, config.channels[0], config.norm_groups
        self.reach, self.schedule = config.copy_reach, schedule
        if config.copy_body:
            self.moved_in = ops.Conv2d(c + width, width, 3, padding=1)
            self.moved_norm = ops.GroupNorm(groups, width, eps=1e-5)
            self.moved_out = ops.Conv2d(width, 1, 3, padding=1)
            self.still_out = ops.Conv2d(width + 1, 1, 3, padding=1)
        self.match_out = ops.Linear(width * 4, 3)
        self.found_in = ops.Conv2d(2 * c, width, 3, padding=1)
        self.redraw = ResBlock(width, width, width * 4, groups, config.dropout, ops)
        self.norm = ops.GroupNorm(groups, width, eps=1e-5)
        self.conv_out = ops.Conv2d(width, c, 3, padding=1)
        self.share_out = ops.Conv2d(width, 1, 3, padding=1)

    def forward(
        self, v: Tensor, x: Tensor, noisy: Tensor, t: Tensor, time: Tensor, conditions: Conditions
    ) -> Tensor:
        """The network's `v [(b f) c h w]` with copies of the picture in it.

        Where there is next to no noise, what is there tells more than any copy.

        Args:
            v: what was drawn.
            x: the features it was drawn from, `[(b f) d h w]`.
            noisy: what is denoised, `[(b f) c h w]`, at the timesteps `t [b]`.
            time: their embeddings, `[(b f) d]`.
            conditions: with the picture, and which samples keep it.
        """
        schedule, frames = NoiseSchedule(self.schedule), len(v) // len(t)
        times, noisy = repeat(t, "b -> (b f)", f=frames), noisy.float()
        _, noise = schedule.alpha_sigma(times, noisy)
        trust = torch.log(noise.square() / (noise.square() + UNLIKE))
        without = v
        drawn, _ = schedule.clean_and_noise(noisy, v.float(), times)
        if conditions.warped_reference is not None:
            moved = rearrange(
                conditions.warped_reference.latents, "b f c h w -> (b f) c h w"
            ).float()
            share = torch.sigmoid(self.moved_out(F.silu(self.moved_norm(x))).float() + trust)
            drawn = torch.lerp(drawn, moved, share)
            v = torch.lerp(v.float(), schedule.velocity_to(moved, noisy, times), share).to(v)
        found = self.found(drawn, time, conditions)
        to_found = schedule.velocity_to(found, noisy, times)
        x = self.redraw(x + self.found_in(torch.cat([drawn, found], dim=1).to(x)), time)
        x = F.silu(self.norm(x))
        share = torch.sigmoid(self.share_out(x).float() + trust)
        mixed = torch.lerp((v + self.conv_out(x)).float(), to_found, share)
        if conditions.warped_reference is not None:
            still = repeat(
                conditions.warped_reference.reference_latents, "b c h w -> (b f) c h w", f=frames
            ).float()
            share = self.still_share(x, schedule.clean_and_noise(noisy, mixed, times)[0], still)
            mixed = torch.lerp(mixed, schedule.velocity_to(still, noisy, times), share)
        mixed = mixed.to(v)
        if conditions.keep_reference is None:
            return mixed
        kept = repeat(conditions.keep_reference, "b -> (b f) 1 1 1", f=frames)
        return torch.where(kept, mixed, without)

    def embed_warped(self, moved: WarpedReference, kept: Tensor | None) -> Tensor:
        """What the moved picture adds to the denoiser's first features: `[(b f) d h w]`, 0 in
        samples whose picture is dropped, where `kept [b]` is False."""
        both = torch.cat([moved.latents, moved.features], dim=2)
        added: Tensor = self.moved_in(rearrange(both, "b f c h w -> (b f) c h w"))
        if kept is None:
            return added
        return added * repeat(kept, "b -> (b f) 1 1 1", f=both.shape[1])

    def still_share(self, x: Tensor, drawn: Tensor, still: Tensor) -> Tensor:
        """How much of every place is the picture at rest, `[(b f) 1 h w]`.

        Whether it is like that is judged by its most unlike neighbour.
        """
        apart = (drawn - still).square().mean(dim=1, keepdim=True)
        alike = 1 - F.max_pool2d(apart / (apart + UNLIKE), 3, stride=1, padding=1)
        learned: Tensor = self.still_out(torch.cat([x, alike.to(x)], dim=1)).float()
        return torch.sigmoid(learned + SURE * (alike - ALIKE))

    def found(self, drawn: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        """The mean of what the picture has that looks like `drawn [(b f) c h w]`, as likely;
        `time [(b f) d]`. Of the same shape.

        A place and its neighbours are looked for at one displacement, and near places first.
        """
        assert conditions.reference is not None and conditions.reference.candidates is not None
        there = conditions.reference.candidates.float()
        b, h, w = len(there), *drawn.shape[-2:]
        places = rearrange(drawn, "(b f) c h w -> b (h w) f c", b=b)
        unlike = (
            places.square().sum(dim=-1)[..., None]
            - 2 * places @ there.mT
            + there.square().sum(dim=-1)[:, :, None]
        )
        unlike = rearrange(unlike, "b (h w) f k -> (b f) k h w", h=h)
        factors = self.match_out(F.silu(time)).float().exp()
        spread, neighbours, far = rearrange(factors, "n three -> three n 1 1 1")
        around = F.avg_pool2d(unlike, 3, stride=1, padding=1, count_include_pad=False)
        away = displacements(self.reach, drawn.device).square().sum(dim=-1)[None, :, None, None]
        cost = unlike + NEIGHBOURS * neighbours * around + FAR * far * away
        likely = (-cost / (2 * SPREAD * spread)).softmax(dim=1)
        likely = rearrange(likely, "(b f) k h w -> b (h w) f k", b=b)
        out: Tensor = rearrange(likely @ there, "b (h w) f c -> (b f) c h w", h=h, w=w)
        return out
