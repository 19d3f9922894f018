"""The motion alignment module: attention over time that includes previous frames (section 3.3)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import DynamicsConfig
from .conditions import Conditions
from .layers import Attention, FeedForward, index_embedding


class MotionModule(nn.Module):
    """AnimateDiff's temporal transformer over [m previous, f own] frames; the output is the last f.

    GroupNorm sees one frame at a time, as in AnimateDiff. Positions are sinusoids computed to any
    length. `attention_index` is the attention layer whose features of previous frames join; None
    where the level has no attention and so nothing joins.
    """

    def __init__(
        self,
        width: int,
        config: DynamicsConfig,
        groups: int,
        attention_index: int | None,
        ops: Any = nn,
    ) -> None:
        super().__init__()
        self.attention_index = attention_index
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
        if attention_index is not None:
            self.previous_proj = ops.Linear(width, width)

    def forward(self, x: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """`x [(b f) d h w]` -> `[(b f) d h w]`."""
        h, w = x.shape[-2:]
        own = rearrange(x, "(b f) d h w -> b f d h w", f=frames)
        joined, mask = self._prepend_previous(own, conditions)
        b, total = joined.shape[:2]

        # Normalise frame by frame, then make every position a sequence over time.
        tokens = self.norm(rearrange(joined, "b t d h w -> (b t) d h w"))
        s = self.proj_in(rearrange(tokens, "(b t) d h w -> (b h w) t d", b=b))
        position = index_embedding(total, s.shape[-1], s.device).to(s.dtype)
        for norm, attention in zip(self.attention_norms, self.attentions, strict=True):
            timed = norm(s) + position
            s = s + attention(timed, timed, mask)
        s = s + self.ff(self.ff_norm(s))
        out: Tensor = self.proj_out(s[:, -frames:])
        return x + rearrange(out, "(b h w) f d -> (b f) d h w", h=h, w=w)

    def _prepend_previous(
        self, own: Tensor, conditions: Conditions
    ) -> tuple[Tensor, Tensor | None]:
        """Frames `[b m+f d h w]` and the attention mask that hides dropped previous frames,
        `[(b n) 1 1 m+f]`."""
        if self.attention_index is None or conditions.previous is None:
            return own, None
        h, w = own.shape[-2:]
        stream = conditions.previous.layers[self.attention_index]
        previous = stream + self.previous_proj(stream)
        previous = rearrange(previous, "b m (h w) d -> b m d h w", h=h)
        joined = torch.cat([previous, own], dim=1)
        if conditions.keep_reference is None:
            return joined, None
        is_own = torch.arange(joined.shape[1], device=own.device) >= previous.shape[1]
        visible = conditions.keep_reference[:, None] | is_own
        return joined, repeat(visible, "b t -> (b n) 1 1 t", n=h * w)
