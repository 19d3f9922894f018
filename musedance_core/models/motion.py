"""The motion alignment module: attention over time that sees the previous frames (section 3.3)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import DynamicsConfig
from .conditions import Conditions
from .layers import Attention, FeedForward, index_embedding


class MotionModule(nn.Module):
    """AnimateDiff's temporal transformer over [previous m, own f] frames; the last f are kept.

    GroupNorm works on every frame by itself, as in AnimateDiff. Positions are sinusoids computed to
    any length. `slot` is the attention slot whose previous-frame features join; None where the
    level has no attention and so no features to join.
    """

    def __init__(
        self, width: int, config: DynamicsConfig, groups: int, slot: int | None, ops: Any = nn
    ) -> None:
        super().__init__()
        self.slot = slot
        self.norm = ops.GroupNorm(groups, width, eps=1e-6)
        self.proj_in = ops.Linear(width, width)
        count = config.motion_attentions
        self.attention_norms = nn.ModuleList([ops.LayerNorm(width) for _ in range(count)])
        self.attentions = nn.ModuleList(
            [Attention(width, width, config.heads, ops) for _ in range(count)]
        )
        self.ff_norm = ops.LayerNorm(width)
        self.ff = FeedForward(width, config.motion_ff_mult, ops=ops)
        self.proj_out = ops.Linear(width, width)
        if slot is not None:
            self.previous_proj = ops.Linear(width, width)

    def forward(self, x: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """`x [(b f) d h w]` -> `[(b f) d h w]`."""
        h, w = x.shape[-2:]
        own = rearrange(x, "(b f) d h w -> b f d h w", f=frames)
        joined, mask = self._join_previous(own, conditions)
        b, total = joined.shape[:2]
        tokens = self.norm(rearrange(joined, "b t d h w -> (b t) d h w"))
        s = self.proj_in(rearrange(tokens, "(b t) d h w -> (b h w) t d", b=b))
        position = index_embedding(total, s.shape[-1], s.device).to(s.dtype)
        for norm, attention in zip(self.attention_norms, self.attentions, strict=True):
            timed = norm(s) + position
            s = s + attention(timed, timed, mask)
        s = s + self.ff(self.ff_norm(s))
        out: Tensor = self.proj_out(s[:, -frames:])
        return x + rearrange(out, "(b h w) f d -> (b f) d h w", h=h, w=w)

    def _join_previous(self, own: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor | None]:
        """`[b m+f d h w]` and the mask that hides dropped previous frames, `[(b n) 1 1 m+f]`."""
        if self.slot is None or conditions.previous is None:
            return own, None
        h, w = own.shape[-2:]
        stream = conditions.previous.slots[self.slot]
        previous = stream + self.previous_proj(stream)
        previous = rearrange(previous, "b m (h w) d -> b m d h w", h=h)
        joined = torch.cat([previous, own], dim=1)
        if conditions.keep_reference is None:
            return joined, None
        own_time = torch.arange(joined.shape[1], device=own.device) >= previous.shape[1]
        seen = conditions.keep_reference[:, None] | own_time
        return joined, repeat(seen, "b t -> (b n) 1 1 t", n=h * w)
