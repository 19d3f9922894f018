"""Copying latents from the reference picture into the denoiser's prediction.

A network of a few million parameters cannot carry a picture through its layers without grain and
flicker, but most of a frame is the picture itself, displaced. So every cell of the predicted clean
latents is matched to the picture around it, and the prediction moves towards the match as far as
the network trusts it:

    v = lerp(v of the network, v that leads to the match, share),    share in 0..1 per cell

Where the dance is planned (`choreographer.py`), the prediction first moves towards the planned
frame in the same way, and in the end towards the picture at rest where the two are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import ScheduleConfig, UNetConfig
from .conditions import Conditions, WarpedReference
from .layers import ResBlock
from .schedule import NoiseSchedule

STEPS_PER_CELL = 4
"""Displacements are multiples of a latent cell divided by this."""


@dataclass(frozen=True)
class MatchDefaults:
    """Starting point of training; the network learns factors and offsets of these.

    Squared differences are means over unit-variance latent channels. The first three are the best
    of those tried on a denoiser that did not copy yet, the fourth was measured; both on the
    procedural world.
    """

    # Softmax temperature: a cost of twice this makes a match less likely by a factor of e.
    temperature: float = 0.3
    # Weight of the mean cost in the 3 x 3 neighbourhood, beside that of the cell itself.
    neighbours: float = 0.5
    # Cost of a displacement by one cell; it grows with the square.
    distance: float = 0.3
    # Mean squared error of the best match: rotated or bent patches, offsets between two steps.
    error: float = 0.06
    # Similarity to the picture at rest, 0..1, above which a cell is taken from it ...
    rest_similarity: float = 0.7
    # ... and the slope of that decision.
    rest_sharpness: float = 10.0


DEFAULTS = MatchDefaults()


def displacements(reach: int, device: torch.device | None = None) -> Tensor:
    """All displacements within `reach` cells, row by row: `[k 2]` as (down, right) in cells."""
    steps = torch.arange(-reach * STEPS_PER_CELL, reach * STEPS_PER_CELL + 1, device=device)
    steps = steps / STEPS_PER_CELL
    grid = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)
    return rearrange(grid, "down right two -> (down right) two")


def candidates(shifted_latents: Tensor, reach: int) -> Tensor:
    """Latents of the picture at every displacement from every cell.

    Args:
        shifted_latents: the picture's latents at all fine offsets, `[b c 4h 4w]`
            (`PatchAutoencoder.shifted_latents`).
        reach: the largest displacement in cells. Beyond its edge the picture repeats its last cell.

    Returns:
        `[b h*w k c]`, k in the order of `displacements`.
    """
    margin, window = reach * STEPS_PER_CELL, 2 * reach * STEPS_PER_CELL + 1
    padded = F.pad(shifted_latents, (margin,) * 4, mode="replicate")
    windows = padded.unfold(2, window, STEPS_PER_CELL).unfold(3, window, STEPS_PER_CELL)
    h = shifted_latents.shape[-2] // STEPS_PER_CELL
    w = shifted_latents.shape[-1] // STEPS_PER_CELL
    return rearrange(windows[:, :, :h, :w], "b c h w down right -> b (h w) (down right) c")


class ReferenceCopy(nn.Module):
    """Moves a v-prediction towards latents of the picture: as planned, matched, at rest."""

    def __init__(self, config: UNetConfig, schedule: ScheduleConfig, ops: Any = nn) -> None:
        super().__init__()
        c, width, groups = config.latent_channels, config.channels[0], config.norm_groups
        self.reach, self.schedule = config.copy_reach, schedule
        if config.copy_body:
            self.moved_in = ops.Conv2d(c + 1, width, 3, padding=1)
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
        """The prediction `v` with copies of the picture in it, `[(b f) c h w]`.

        Args:
            v: the network's prediction, `[(b f) c h w]`.
            x: the features that it was predicted from, `[(b f) d h w]`.
            noisy: the noisy latents, `[(b f) c h w]`, at timesteps `t [b]`.
            time: embeddings of the timesteps, `[(b f) d]`.
            conditions: conditions of the clip. Samples whose reference is dropped keep their `v`.
        """
        schedule, frames = NoiseSchedule(self.schedule), len(v) // len(t)
        times, noisy = repeat(t, "b -> (b f)", f=frames), noisy.float()
        # At little noise the noisy latents themselves are more exact than any copy.
        _, sigma = schedule.alpha_sigma(times, noisy)
        trust = torch.log(sigma.square() / (sigma.square() + DEFAULTS.error))
        network_v = v
        clean, _ = schedule.clean_and_noise(noisy, v.float(), times)

        def towards(target: Tensor, v: Tensor, share: Tensor) -> Tensor:
            return torch.lerp(v.float(), schedule.velocity_to(target, noisy, times), share)

        # 1. Towards the planned frame.
        if conditions.warped_reference is not None:
            warped = conditions.warped_reference.latents
            warped = rearrange(warped, "b f c h w -> (b f) c h w").float()
            share = torch.sigmoid(self.moved_out(F.silu(self.moved_norm(x))).float() + trust)
            clean = torch.lerp(clean, warped, share)
            v = towards(warped, v, share).to(v)

        # 2. Towards the best match; the network sees the match and corrects its prediction too.
        match = self.match(clean, time, conditions)
        x = self.redraw(x + self.found_in(torch.cat([clean, match], dim=1).to(x)), time)
        x = F.silu(self.norm(x))
        share = torch.sigmoid(self.share_out(x).float() + trust)
        mixed = towards(match, v + self.conv_out(x), share)

        # 3. Towards the picture at rest, where the result resembles it anyway.
        if conditions.warped_reference is not None:
            rest = conditions.warped_reference.reference_latents
            rest = repeat(rest, "b c h w -> (b f) c h w", f=frames).float()
            share = self.rest_share(x, schedule.clean_and_noise(noisy, mixed, times)[0], rest)
            mixed = towards(rest, mixed, share)

        mixed = mixed.to(v)
        if conditions.keep_reference is None:
            return mixed
        keep = repeat(conditions.keep_reference, "b -> (b f) 1 1 1", f=frames)
        return torch.where(keep, mixed, network_v)

    def embed_warped(self, warped: WarpedReference, keep_reference: Tensor | None) -> Tensor:
        """The planned frames as an addition to the denoiser's first features, `[(b f) d h w]`;
        zero in samples whose reference is dropped (`keep_reference [b]` is False)."""
        both = torch.cat([warped.latents, warped.coverage], dim=2)
        added: Tensor = self.moved_in(rearrange(both, "b f c h w -> (b f) c h w"))
        if keep_reference is None:
            return added
        return added * repeat(keep_reference, "b -> (b f) 1 1 1", f=both.shape[1])

    def match(self, clean: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        """Softmax-weighted mean of the picture's latents that resemble `clean [(b f) c h w]`, of
        the same shape; `time [(b f) d]` scales the costs.

        A displacement costs the squared difference of the cell, the mean one of its neighbours and
        its own length.
        """
        assert conditions.reference is not None and conditions.reference.candidates is not None
        copies = conditions.reference.candidates.float()
        b, h, w = len(copies), *clean.shape[-2:]

        # |x - y|² = |x|² - 2 x.y + |y|², for every cell and displacement.
        cells = rearrange(clean, "(b f) c h w -> b (h w) f c", b=b)
        difference = (
            cells.square().sum(dim=-1)[..., None]
            - 2 * cells @ copies.mT
            + copies.square().sum(dim=-1)[:, :, None]
        )
        difference = rearrange(difference, "b (h w) f k -> (b f) k h w", h=h)

        factors = self.match_out(F.silu(time)).float().exp()
        temperature, neighbours, distance = rearrange(factors, "n three -> three n 1 1 1")
        around = F.avg_pool2d(difference, 3, stride=1, padding=1, count_include_pad=False)
        squared = displacements(self.reach, clean.device).square().sum(dim=-1)[None, :, None, None]
        cost = (
            difference
            + DEFAULTS.neighbours * neighbours * around
            + DEFAULTS.distance * distance * squared
        )
        weights = (-cost / (2 * DEFAULTS.temperature * temperature)).softmax(dim=1)
        weights = rearrange(weights, "(b f) k h w -> b (h w) f k", b=b)
        out: Tensor = rearrange(weights @ copies, "b (h w) f c -> (b f) c h w", h=h, w=w)
        return out

    def rest_share(self, x: Tensor, clean: Tensor, rest: Tensor) -> Tensor:
        """Share of the picture at rest in each cell, `[(b f) 1 h w]`, from features `x` and the
        clean latents of frame and picture.

        A cell is as similar as the least similar one of its 3 x 3 neighbourhood.
        """
        difference = (clean - rest).square().mean(dim=1, keepdim=True)
        dissimilar = difference / (difference + DEFAULTS.error)
        similarity = 1 - F.max_pool2d(dissimilar, 3, stride=1, padding=1)
        learned: Tensor = self.still_out(torch.cat([x, similarity.to(x)], dim=1)).float()
        return torch.sigmoid(
            learned + DEFAULTS.rest_sharpness * (similarity - DEFAULTS.rest_similarity)
        )
