"""The Audio Spectrogram Transformer (AST), under the names of its published weights."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import MusicConfig

NORM_EPS = 1e-12


class SpectrogramTransformer(nn.Module):
    """A vision transformer on overlapping patches of a log-mel spectrogram."""

    def __init__(self, config: MusicConfig, ops: Any = nn) -> None:
        super().__init__()
        self.embeddings = PatchTokens(config, ops)
        layers = nn.ModuleList([ASTLayer(config, ops) for _ in range(config.layers)])
        self.encoder = nn.ModuleDict({"layer": layers})
        self.layernorm = ops.LayerNorm(config.width, eps=NORM_EPS)

    def forward(self, mel: Tensor) -> Tensor:
        """Normalised log-mel `[b length mel_bins]` -> `[b (2 rows*columns) d]`.

        Two special tokens come first; those of the patches are ordered by frequency, then time.
        """
        x = self.embeddings(mel)
        for layer in cast(nn.ModuleList, self.encoder["layer"]):
            x = layer(x)
        return cast(Tensor, self.layernorm(x))


class PatchTokens(nn.Module):
    """Embeddings of the patches and of two special tokens, with learned positions."""

    def __init__(self, config: MusicConfig, ops: Any = nn) -> None:
        super().__init__()
        width, count = config.width, config.rows * config.columns
        strides = (config.frequency_stride, config.time_stride)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.distillation_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, count + 2, width))
        projection = ops.Conv2d(1, width, config.patch, stride=strides)
        self.patch_embeddings = nn.ModuleDict({"projection": projection})

    def forward(self, mel: Tensor) -> Tensor:
        """Normalised log-mel `[b length mel_bins]` -> `[b (2 rows*columns) d]`."""
        spectrogram = rearrange(mel, "b t mel -> b 1 mel t")
        patches = self.patch_embeddings["projection"](spectrogram)
        tokens = rearrange(patches, "b d r c -> b (r c) d")
        special = torch.cat([self.cls_token, self.distillation_token], dim=1)
        tokens = torch.cat([special.expand(len(mel), -1, -1), tokens], dim=1)
        return tokens + self.position_embeddings


class ASTLayer(nn.Module):
    """Self-attention, then a feed-forward network, both residual."""

    def __init__(self, config: MusicConfig, ops: Any = nn) -> None:
        super().__init__()
        width, inner = config.width, config.width * config.ff_mult
        self.layernorm_before = ops.LayerNorm(width, eps=NORM_EPS)
        self.attention = ASTAttention(config, ops)
        self.layernorm_after = ops.LayerNorm(width, eps=NORM_EPS)
        self.intermediate = nn.ModuleDict({"dense": ops.Linear(width, inner)})
        self.output = nn.ModuleDict({"dense": ops.Linear(inner, width)})

    def forward(self, x: Tensor) -> Tensor:
        """`x [b l d]` -> `[b l d]`."""
        x = x + self.attention(self.layernorm_before(x))
        inner = F.gelu(self.intermediate["dense"](self.layernorm_after(x)))
        return cast(Tensor, x + self.output["dense"](inner))


class ASTAttention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, config: MusicConfig, ops: Any = nn) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention = nn.ModuleDict(
            {name: ops.Linear(config.width, config.width) for name in ("query", "key", "value")}
        )
        self.output = nn.ModuleDict({"dense": ops.Linear(config.width, config.width)})

    def forward(self, x: Tensor) -> Tensor:
        """`x [b l d]` -> `[b l d]`."""
        q, k, v = (
            rearrange(self.attention[name](x), "b l (k d) -> b k l d", k=self.heads)
            for name in ("query", "key", "value")
        )
        out = F.scaled_dot_product_attention(q, k, v)
        return cast(Tensor, self.output["dense"](rearrange(out, "b k l d -> b l (k d)")))
