"""ReferenceNet: the denoiser's twin that reads pictures (section 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..config import UNetConfig
from .conditions import Conditions, MotionFeatures, ReferenceFeatures, SlotFeatures
from .unet import UNetBase


def read_slot(
    block: Any, i: int, x: Tensor, time: Tensor, conditions: Conditions
) -> tuple[Tensor, list[SlotFeatures]]:
    """Slot i of a level, `x [b c h w]` -> `[b c h w]`, and its features where it has attention."""
    x = block.resnets[i](x, time)
    if i >= len(block.attentions):
        return x, []
    attention = block.attentions[i]
    found = attention.features(x)
    return (x if attention.read_only else attention(x, conditions, 1)), [found]


class ReferenceNet(UNetBase):
    """Runs once per segment at t = 0 on clean latents; its features are returned, never kept."""

    def __init__(self, config: UNetConfig, ops: Any = nn) -> None:
        if not config.attention[0]:
            raise ValueError("ReferenceNet's last features are read at level 0; give it attention")
        super().__init__(config, None, reader=True, ops=ops)

    def forward(self, latents: Tensor, text: Tensor) -> ReferenceFeatures:
        """Features of `latents [b c h w]` under `text [b 77 d]`."""
        conditions = Conditions(text=text)
        time = self.time_embedding(latents.new_zeros(len(latents)), latents.dtype)
        slots: list[SlotFeatures] = []

        def visit(block: Any, i: int, x: Tensor) -> Tensor:
            if self.gradient_checkpointing and torch.is_grad_enabled():
                x, found = checkpoint(read_slot, block, i, x, time, conditions, use_reentrant=False)
            else:
                x, found = read_slot(block, i, x, time, conditions)
            slots.extend(found)
            return x

        self.through(self.conv_in(latents), time, visit)
        return ReferenceFeatures(tuple(slots))

    def motion_features(self, latents: Tensor, text: Tensor) -> MotionFeatures:
        """Streams of the previous frames' `latents [b m c h w]`, oldest first (section 3.3)."""
        m = latents.shape[1]
        words = repeat(text, "b l d -> (b m) l d", m=m)
        features = self(rearrange(latents, "b m c h w -> (b m) c h w"), words)
        return MotionFeatures(
            tuple(rearrange(s.stream, "(b m) n d -> b m n d", m=m) for s in features.slots)
        )
