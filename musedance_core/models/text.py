"""The text encoder: CLIP's text transformer, under the names of its published weights."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import TextConfig


class TextEncoder(nn.Module):
    """CLIP's text transformer without pooling; frozen when the denoiser is trained."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.config = config
        # CLIP's checkpoints hold images too, so all that belongs to text is under `text_model`.
        self.clip = nn.ModuleDict({"text_model": CLIPTextTransformer(config, ops)})

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids `[b l]`, l <= 77 -> text tokens `[b l d]`, the last hidden state."""
        return cast(Tensor, self.clip["text_model"](ids))


class CLIPTextTransformer(nn.Module):
    """Embeddings, causal transformer layers, and a normalisation."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.embeddings = CLIPTextEmbeddings(config, ops)
        layers = nn.ModuleList([CLIPTextLayer(config, ops) for _ in range(config.layers)])
        self.encoder = nn.ModuleDict({"layers": layers})
        self.final_layer_norm = ops.LayerNorm(config.width)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids `[b l]` -> `[b l d]`."""
        x = self.embeddings(ids)
        for layer in cast(nn.ModuleList, self.encoder["layers"]):
            x = layer(x)
        return cast(Tensor, self.final_layer_norm(x))


class CLIPTextEmbeddings(nn.Module):
    """Learned embeddings of tokens and of their positions."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.token_embedding = ops.Embedding(config.vocab_size, config.width)
        self.position_embedding = ops.Embedding(config.max_tokens, config.width)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids `[b l]` -> `[b l d]`."""
        positions = torch.arange(ids.shape[1], device=ids.device)
        return cast(Tensor, self.token_embedding(ids) + self.position_embedding(positions))


class CLIPTextLayer(nn.Module):
    """Causal self-attention, then a feed-forward network, both residual."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.layer_norm1 = ops.LayerNorm(config.width)
        self.self_attn = CLIPTextAttention(config, ops)
        self.layer_norm2 = ops.LayerNorm(config.width)
        self.mlp = CLIPFeedForward(config, ops)

    def forward(self, x: Tensor) -> Tensor:
        """`x [b l d]` -> `[b l d]`."""
        x = x + self.self_attn(self.layer_norm1(x))
        return cast(Tensor, x + self.mlp(self.layer_norm2(x)))


class CLIPTextAttention(nn.Module):
    """Multi-head self-attention in which no token attends to a later one."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = ops.Linear(config.width, config.width)
        self.k_proj = ops.Linear(config.width, config.width)
        self.v_proj = ops.Linear(config.width, config.width)
        self.out_proj = ops.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """`x [b l d]` -> `[b l d]`."""
        q, k, v = (
            rearrange(proj(x), "b l (k d) -> b k l d", k=self.heads)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return cast(Tensor, self.out_proj(rearrange(out, "b k l d -> b l (k d)")))


class CLIPFeedForward(nn.Module):
    """Two linear layers around the approximate GELU of the original CLIP."""

    def __init__(self, config: TextConfig, ops: Any = nn) -> None:
        super().__init__()
        self.fc1 = ops.Linear(config.width, config.width * config.ff_mult)
        self.fc2 = ops.Linear(config.width * config.ff_mult, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """`x [b l d]` -> `[b l d]`."""
        x = self.fc1(x)
        return cast(Tensor, self.fc2(x * torch.sigmoid(1.702 * x)))
