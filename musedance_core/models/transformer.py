"""The spatial transformer: self- and reference attention, text, feed-forward (section 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from ..config import UNetConfig
from .conditions import Conditions, LayerFeatures, ReferenceKeys
from .layers import Attention, FeedForward, grid_embedding


class TransformerBlock(nn.Module):
    """norm1, self-attention, norm2, text cross-attention, norm3, feed-forward.

    With `features_only` there is norm1 alone.
    """

    def __init__(self, config: UNetConfig, width: int, features_only: bool, ops: Any = nn) -> None:
        super().__init__()
        self.norm1 = ops.LayerNorm(width)
        if features_only:
            return
        self.attn1 = Attention(width, width, config.heads, ops)
        self.norm2 = ops.LayerNorm(width)
        self.attn2 = Attention(width, config.text_width, config.heads, ops)
        self.norm3 = ops.LayerNorm(width)
        self.ff = FeedForward(width, config.ff_mult, config.dropout, ops)


class SpatialTransformer(nn.Module):
    """Attention within a frame, to the reference picture and to the text.

    The paper concatenates the feature maps of denoiser and ReferenceNet along the width, attends
    over both and keeps the first half. Queries of the second half would be thrown away, so here
    the reference joins as keys and values only; the result is the same.

    `index` numbers the attention layers of the UNet from its input to its output. ReferenceNet's
    last one is built with `features_only`: its features are read and nothing follows them.
    """

    def __init__(
        self, config: UNetConfig, width: int, index: int, features_only: bool, ops: Any = nn
    ) -> None:
        super().__init__()
        self.index, self.features_only = index, features_only
        self.positions = config.spatial_positions
        self.norm = ops.GroupNorm(config.norm_groups, width, eps=1e-6)
        self.proj_in = ops.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList(
            [TransformerBlock(config, width, features_only, ops)]
        )
        if not features_only:
            self.proj_out = ops.Conv2d(width, width, 1)

    @property
    def block(self) -> TransformerBlock:
        """The only transformer block; Stable Diffusion 1.5 has depth 1 everywhere."""
        block = self.transformer_blocks[0]
        assert isinstance(block, TransformerBlock)
        return block

    def features(self, x: Tensor) -> LayerFeatures:
        """Tokens of `x [n c h w]` before self-attention, plain and after norm1."""
        stream = rearrange(self.proj_in(self.norm(x)), "n c h w -> n (h w) c")
        return LayerFeatures(stream, self.block.norm1(stream), x.shape[-2], x.shape[-1])

    def reference_keys(self, features: LayerFeatures) -> tuple[Tensor, Tensor]:
        """This layer's keys and values `[b heads n d]` of ReferenceNet's features."""
        attention = self.block.attn1
        tokens = self._with_positions(features.normed, features.height, features.width)
        return attention.keys(tokens), attention.values(features.normed)

    def forward(self, x: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """`x [(b f) c h w]` -> `[(b f) c h w]`."""
        own, block = self.features(x), self.block
        tokens = own.stream + self._self_attention(own, conditions, frames)
        tokens = tokens + self._text_attention(block.norm2(tokens), conditions.text, frames)
        tokens = tokens + block.ff(block.norm3(tokens))
        out: Tensor = self.proj_out(
            rearrange(tokens, "n (h w) c -> n c h w", h=own.height, w=own.width)
        )
        return x + out

    def _self_attention(self, own: LayerFeatures, conditions: Conditions, frames: int) -> Tensor:
        """Self-attention of each frame over [own tokens, reference tokens]."""
        attention = self.block.attn1
        tokens = self._with_positions(own.normed, own.height, own.width)
        keys, values, mask = attention.keys(tokens), attention.values(own.normed), None
        if conditions.reference is not None:
            keys, values = self._append_reference(keys, values, conditions.reference, frames)
            # Samples whose reference is dropped see their own tokens alone.
            if conditions.keep_reference is not None:
                is_own = torch.arange(keys.shape[2], device=keys.device) < own.normed.shape[1]
                keep = repeat(conditions.keep_reference, "b -> (b f) 1 1 1", f=frames)
                mask = keep | is_own
        return attention.attend(tokens, keys, values, mask)

    def _append_reference(
        self, keys: Tensor, values: Tensor, reference: ReferenceKeys, frames: int
    ) -> tuple[Tensor, Tensor]:
        """Keys and values `[(b f) heads n d]` with the reference's behind them, for every frame."""
        pattern = "b k n d -> (b f) k n d"
        keys = torch.cat([keys, repeat(reference.keys[self.index], pattern, f=frames)], dim=2)
        values = torch.cat([values, repeat(reference.values[self.index], pattern, f=frames)], dim=2)
        return keys, values

    def _text_attention(self, tokens: Tensor, text: Tensor, frames: int) -> Tensor:
        """Cross-attention to `text [b l d]`, whose keys and values all frames share."""
        attention = self.block.attn2
        tokens = rearrange(tokens, "(b f) n d -> b (f n) d", f=frames)
        out = attention.attend(tokens, attention.keys(text), attention.values(text))
        return rearrange(out, "b (f n) d -> (b f) n d", f=frames)

    def _with_positions(self, tokens: Tensor, h: int, w: int) -> Tensor:
        """Tokens with their 2-D positions added, where the config asks for them."""
        if not self.positions:
            return tokens
        return tokens + grid_embedding(h, w, tokens.shape[-1], tokens.device).to(tokens.dtype)
