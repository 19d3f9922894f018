"""Layers that the networks share: embeddings, attention, residual blocks, resampling.

Every layer with weights comes from `ops`, a namespace with `Linear`, `Conv2d`, `GroupNorm`,
`LayerNorm` and `Embedding`: `torch.nn` by default, or a host's own layers that stream or cast
weights. Constructors never touch weights. Attribute names are diffusers' where diffusers has the
layer.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding of diffusion timesteps `t [b]`: `[b width]`, cosines first (SD 1.5)."""
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device) / half
    angles = t.float()[:, None] * torch.exp(-math.log(10000.0) * exponents)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def seconds_embedding(seconds: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding of times in seconds, `[...]` -> `[... width]`, periods 0.15 to 30 s."""
    half = width // 2
    exponents = torch.linspace(math.log10(0.15), math.log10(30.0), half, device=seconds.device)
    angles = seconds.float()[..., None] * (2 * math.pi / 10**exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def index_embedding(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """The transformer's sinusoidal positions 0..length-1: `[length width]`, sine and cosine
    interleaved."""
    position = torch.arange(length, dtype=torch.float32, device=device)[:, None]
    even = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    angles = position * torch.exp(even * (-math.log(10000.0) / width))
    return rearrange(torch.stack([angles.sin(), angles.cos()]), "two p d -> p (d two)")[:, :width]


def grid_embedding(h: int, w: int, width: int, device: torch.device | None = None) -> Tensor:
    """Sinusoidal 2-D positions `[h*w width]`: half of the channels for rows, half for columns.

    Positions are relative (0..1), so those of a reference of another size still line up.
    """
    frequency = 2.0 ** torch.linspace(0, 4, width // 4, device=device)
    rows = (torch.arange(h, device=device) + 0.5)[:, None] / h * math.pi * frequency
    columns = (torch.arange(w, device=device) + 0.5)[:, None] / w * math.pi * frequency
    row = repeat(torch.cat([rows.sin(), rows.cos()], dim=-1), "h d -> h w d", w=w)
    column = repeat(torch.cat([columns.sin(), columns.cos()], dim=-1), "w d -> h w d", h=h)
    grid = rearrange(torch.cat([row, column], dim=-1), "h w d -> (h w) d")
    return F.pad(grid, (0, width - grid.shape[-1]))


class Attention(nn.Module):
    """Multi-head attention whose keys and values can be computed apart, once for many queries."""

    def __init__(self, width: int, context_width: int, heads: int, ops: Any = nn) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = ops.Linear(width, width, bias=False)
        self.to_k = ops.Linear(context_width, width, bias=False)
        self.to_v = ops.Linear(context_width, width, bias=False)
        self.to_out = nn.ModuleList([ops.Linear(width, width)])

    def keys(self, context: Tensor) -> Tensor:
        """Keys of `context [b l d]`, split into heads: `[b heads l d/heads]`."""
        out: Tensor = rearrange(self.to_k(context), "b l (k d) -> b k l d", k=self.heads)
        return out

    def values(self, context: Tensor) -> Tensor:
        """Values of `context [b l d]`, split into heads: `[b heads l d/heads]`."""
        out: Tensor = rearrange(self.to_v(context), "b l (k d) -> b k l d", k=self.heads)
        return out

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention of queries from `x [b n d]` over keys and values; `mask` is True for the
        positions that take part and broadcasts to `[b heads n l]`."""
        q = rearrange(self.to_q(x), "b n (k d) -> b k n d", k=self.heads)
        out = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        result: Tensor = self.to_out[0](rearrange(out, "b k n d -> b n (k d)"))
        return result

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention of `x [b n d]` over `context [b l d]`: `[b n d]`."""
        return self.attend(x, self.keys(context), self.values(context), mask)


class GEGLU(nn.Module):
    """Linear layer with one half gated by the GELU of the other."""

    def __init__(self, width: int, inner: int, ops: Any = nn) -> None:
        super().__init__()
        self.proj = ops.Linear(width, inner * 2)

    def forward(self, x: Tensor) -> Tensor:
        """`x [... width]` -> `[... inner]`."""
        x, gate = self.proj(x).chunk(2, dim=-1)
        return x * F.gelu(gate)


class FeedForward(nn.Module):
    """GEGLU, dropout, linear."""

    def __init__(self, width: int, mult: int, dropout: float = 0.0, ops: Any = nn) -> None:
        super().__init__()
        inner = width * mult
        self.net = nn.Sequential(
            GEGLU(width, inner, ops), nn.Dropout(dropout), ops.Linear(inner, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`x [... width]` -> `[... width]`."""
        out: Tensor = self.net(x)
        return out


class ResBlock(nn.Module):
    """Two convolutions with the timestep embedding added in between, and a shortcut."""

    def __init__(
        self, c_in: int, c_out: int, time_width: int, groups: int, dropout: float, ops: Any = nn
    ) -> None:
        super().__init__()
        self.norm1 = ops.GroupNorm(groups, c_in, eps=1e-5)
        self.conv1 = ops.Conv2d(c_in, c_out, 3, padding=1)
        self.time_emb_proj = ops.Linear(time_width, c_out)
        self.norm2 = ops.GroupNorm(groups, c_out, eps=1e-5)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = ops.Conv2d(c_out, c_out, 3, padding=1)
        self.conv_shortcut = ops.Conv2d(c_in, c_out, 1) if c_in != c_out else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """`x [n c_in h w]`, `time [n time_width]` -> `[n c_out h w]`."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(time))[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        out: Tensor = h + (x if self.conv_shortcut is None else self.conv_shortcut(x))
        return out


class TimeEmbedding(nn.Module):
    """Two-layer network on the sinusoids of the timestep."""

    def __init__(self, width: int, ops: Any = nn) -> None:
        super().__init__()
        self.width = width
        self.linear_1 = ops.Linear(width, width * 4)
        self.linear_2 = ops.Linear(width * 4, width * 4)

    def forward(self, t: Tensor, dtype: torch.dtype) -> Tensor:
        """Timesteps `t [b]` -> `[b 4*width]`, computed in `dtype`."""
        out: Tensor = self.linear_2(
            F.silu(self.linear_1(timestep_embedding(t, self.width).to(dtype)))
        )
        return out


class Downsample(nn.Module):
    """Strided convolution that halves height and width."""

    def __init__(self, channels: int, ops: Any = nn) -> None:
        super().__init__()
        self.conv = ops.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`x [n c h w]` -> `[n c ceil(h/2) ceil(w/2)]`."""
        out: Tensor = self.conv(x)
        return out


class Upsample(nn.Module):
    """Nearest-neighbour enlargement followed by a convolution."""

    def __init__(self, channels: int, ops: Any = nn) -> None:
        super().__init__()
        self.conv = ops.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """`x [n c h w]` -> `[n c *size]`; `size` is (height, width)."""
        out: Tensor = self.conv(F.interpolate(x, size=size, mode="nearest"))
        return out


class ConditionedTemporalBlock(nn.Module):
    """Cross-attention to timed tokens, then self-attention over time (section 3.3).

    Both are residual, and their output projections start at zero. The time of each frame is added
    to queries and, in the temporal attention, to keys and values.
    """

    def __init__(self, width: int, token_width: int, heads: int, ops: Any = nn) -> None:
        super().__init__()
        self.width = width
        self.cross_norm = ops.LayerNorm(width)
        self.cross = Attention(width, token_width, heads, ops)
        self.temporal_norm = ops.LayerNorm(width)
        self.temporal = Attention(width, width, heads, ops)

    def forward(self, x: Tensor, tokens: Tensor, seconds: Tensor, frames: int) -> Tensor:
        """`x [(b f) d h w]`, `tokens [b l d]`, `seconds [f]` into the clip -> `[(b f) d h w]`."""
        b, h, w = len(x) // frames, x.shape[-2], x.shape[-1]
        now = seconds_embedding(seconds, self.width).to(x.dtype)

        # Every position of every frame attends to the clip's tokens ...
        s = rearrange(x, "(b f) d h w -> (b h w) f d", f=frames)
        query = rearrange(self.cross_norm(s) + now, "(b n) f d -> b (n f) d", b=b)
        s = s + rearrange(self.cross(query, tokens), "b (n f) d -> (b n) f d", f=frames)

        # ... and then to the same position of the other frames.
        timed = self.temporal_norm(s) + now
        s = s + self.temporal(timed, timed)
        out: Tensor = rearrange(s, "(b h w) f d -> (b f) d h w", h=h, w=w)
        return out
