"""The spatial attention block: self-attention that sees the picture, text, feed-forward."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import UNetConfig
from .conditions import Conditions, ReferenceKeys, SlotFeatures
from .layers import Attention, FeedForward, grid_embedding


class TransformerBlock(nn.Module):
    """norm1 - self-attention - norm2 - text cross-attention - norm3 - feed-forward."""

    def __init__(self, config: UNetConfig, width: int, read_only: bool, ops: Any = nn) -> None:
        super().__init__()
        self.norm1 = ops.LayerNorm(width)
        if read_only:
            return
        self.attn1 = Attention(width, width, config.heads, ops)
        self.norm2 = ops.LayerNorm(width)
        self.attn2 = Attention(width, config.text_width, config.heads, ops)
        self.norm3 = ops.LayerNorm(width)
        self.ff = FeedForward(width, config.ff_mult, config.dropout, ops)


class SpatialTransformer(nn.Module):
    """One attention slot.

    The queries come from the denoiser alone; keys and values are its own tokens followed by the
    picture's, which is exactly the half that the paper keeps of its attention over the two feature
    maps side by side (section 3.2). `read_only` builds no more than what ReferenceNet's last slot
    is read for.
    """

    def __init__(
        self, config: UNetConfig, width: int, slot: int, read_only: bool, ops: Any = nn
    ) -> None:
        super().__init__()
        self.slot, self.read_only = slot, read_only
        self.positions = config.spatial_positions
        self.norm = ops.GroupNorm(config.norm_groups, width, eps=1e-6)
        self.proj_in = ops.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(config, width, read_only, ops)])
        if not read_only:
            self.proj_out = ops.Conv2d(width, width, 1)

    @property
    def block(self) -> TransformerBlock:
        """The one block inside (Stable Diffusion 1.5 has depth 1 everywhere)."""
        block = self.transformer_blocks[0]
        assert isinstance(block, TransformerBlock)
        return block

    def features(self, x: Tensor) -> SlotFeatures:
        """What this slot gives when ReferenceNet reads `x [b c h w]`."""
        stream = rearrange(self.proj_in(self.norm(x)), "b c h w -> b (h w) c")
        return SlotFeatures(stream, self.block.norm1(stream), x.shape[-2], x.shape[-1])

    def reference_keys(self, slot: SlotFeatures) -> tuple[Tensor, Tensor]:
        """Keys and values `[b heads n d]` of the picture, by the denoiser's own projections."""
        attention = self.block.attn1
        placed = self._placed(slot.normed, slot.height, slot.width)
        return attention.keys(placed), attention.values(slot.normed)

    def forward(self, x: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """`x [(b f) c h w]` -> `[(b f) c h w]`."""
        own = self.features(x)
        tokens = self._attend(own, conditions, frames)
        block = self.block
        tokens = tokens + self._read(block.norm2(tokens), conditions.text, frames)
        tokens = tokens + block.ff(block.norm3(tokens))
        out: Tensor = self.proj_out(
            rearrange(tokens, "b (h w) c -> b c h w", h=own.height, w=own.width)
        )
        return x + out

    def _read(self, tokens: Tensor, text: Tensor, frames: int) -> Tensor:
        """Cross-attention to the sentence, whose keys and values are the same for all frames."""
        attention = self.block.attn2
        tokens = rearrange(tokens, "(b f) n d -> b (f n) d", f=frames)
        heard = attention.attend(tokens, attention.keys(text), attention.values(text))
        return rearrange(heard, "b (f n) d -> (b f) n d", f=frames)

    def _attend(self, own: SlotFeatures, conditions: Conditions, frames: int) -> Tensor:
        """Self-attention over [own tokens, the picture's tokens]."""
        attention = self.block.attn1
        placed = self._placed(own.normed, own.height, own.width)
        keys, values, mask = attention.keys(placed), attention.values(own.normed), None
        if conditions.reference is not None:
            reference = conditions.reference
            keys, values = self._join(keys, values, reference, frames)
            if conditions.keep_reference is not None:
                own_keys = torch.arange(keys.shape[2], device=keys.device) < own.normed.shape[1]
                keep = repeat(conditions.keep_reference, "b -> (b f) 1 1 1", f=frames)
                mask = keep | own_keys
        return own.stream + attention.attend(placed, keys, values, mask)

    def _join(
        self, keys: Tensor, values: Tensor, reference: ReferenceKeys, frames: int
    ) -> tuple[Tensor, Tensor]:
        pattern = "b k n d -> (b f) k n d"
        keys = torch.cat([keys, repeat(reference.keys[self.slot], pattern, f=frames)], dim=2)
        values = torch.cat([values, repeat(reference.values[self.slot], pattern, f=frames)], dim=2)
        return keys, values

    def _placed(self, tokens: Tensor, h: int, w: int) -> Tensor:
        """Tokens with their place added, where the preset asks for it."""
        if not self.positions:
            return tokens
        return tokens + grid_embedding(h, w, tokens.shape[-1], tokens.device).to(tokens.dtype)
