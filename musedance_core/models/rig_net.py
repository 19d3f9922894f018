"""The rig network: a small U-Net that finds a figure's joints and parts in a square crop.

It works with or without a mask of the figure. Joints come as heatmaps; whether a joint is there is
predicted apart, because a heatmap has a sharp peak whether or not its joint exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from torch import Tensor, nn

from ..config import RigConfig
from ..dance.skeleton import JOINTS, PARTS
from .layers import Attention, grid_embedding

IN_CHANNELS = 5
"""Red, green, blue, mask, and whether the mask is known."""
CLASSES = 1 + len(PARTS)
"""Background and parts."""
PRESENCE_WIDTH = 64
"""Width of the features from which presence is read."""
PART_CELLS = 2
"""Part logits in each direction of a cell of the widest level."""
WINDOW = 2
"""Cells around a heatmap's peak, in each direction, over whose mean a joint is located."""


@dataclass(frozen=True)
class RigPrediction:
    """The output of the network for `b` crops.

    Attributes:
        heatmaps: logits `[b 16 h w]` at a quarter of the crop's side, one softmax a joint.
        presence: logits `[b 16]`.
        parts: logits `[b 11 s s]` at the crop's side: background, then `PARTS`.
    """

    heatmaps: Tensor
    presence: Tensor
    parts: Tensor


def locate(heatmaps: Tensor) -> Tensor:
    """Joints `[b 16 2]`, x and y in 0..1 of the crop: the mean around the peak of each of the
    logits `[b 16 h w]`."""
    h, w = heatmaps.shape[-2:]
    logits = rearrange(heatmaps.float(), "b j h w -> b j (h w)")
    peak = logits.argmax(dim=-1, keepdim=True)
    cell = torch.arange(h * w, device=logits.device)
    row, column = cell // w, cell % w
    near = ((row - peak // w).abs() <= WINDOW) & ((column - peak % w).abs() <= WINDOW)
    weights = logits.masked_fill(~near, -torch.inf).softmax(dim=-1)
    places = torch.stack([(column + 0.5) / w, (row + 0.5) / h], dim=-1)
    return einsum(weights, places, "b j n, n xy -> b j xy")


class RigNet(nn.Module):
    """A U-Net with attention at its deepest level, where left is told from right.

    Heatmaps are read at the second level, part logits at the first one. Presence is read from the
    features under each heatmap and from those of the whole crop.
    """

    def __init__(self, config: RigConfig, ops: Any = nn) -> None:
        super().__init__()
        self.config = config
        widths, groups = config.channels, config.norm_groups
        pairs = list(pairwise(widths))
        deepest = widths[-1]
        self.conv_in = ops.Conv2d(IN_CHANNELS, widths[0], 4, stride=2, padding=1)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(_Block(width, width, groups, ops) for _ in range(config.layers)))
            for width in widths
        )
        self.down = nn.ModuleList(ops.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.attention_norm = ops.LayerNorm(deepest)
        self.attention = Attention(deepest, deepest, config.heads, ops)
        self.middle = _Block(deepest, deepest, groups, ops)
        self.up = nn.ModuleList(ops.Conv2d(b, a, 1) for a, b in pairs)
        self.decoder = nn.ModuleList(_Block(2 * a, a, groups, ops) for a, _ in pairs)
        self.heatmap_out = ops.Conv2d(widths[1], len(JOINTS), 1)
        self.part_out = ops.Conv2d(widths[0], PART_CELLS**2 * CLASSES, 3, padding=1)
        self.presence_crop = ops.Linear(deepest, PRESENCE_WIDTH)
        self.presence_joint = ops.Linear(widths[1], PRESENCE_WIDTH)
        self.presence_name = ops.Embedding(len(JOINTS), PRESENCE_WIDTH)
        self.presence_out = ops.Linear(PRESENCE_WIDTH, 1)

    def forward(self, crops: Tensor) -> RigPrediction:
        """Crops `[b 5 s s]` as `rig_input` makes them, with the side `s` of the config."""
        x, skips = self.conv_in(crops), []
        for level, blocks in enumerate(self.encoder):
            x = blocks(x if level == 0 else self.down[level - 1](x))
            skips.append(x)
        x = self.middle(x + self._attend(x))
        overall = x.mean(dim=(2, 3))
        features: dict[int, Tensor] = {len(skips) - 1: x}
        for level in reversed(range(len(skips) - 1)):
            x = F.interpolate(self.up[level](x), scale_factor=2.0, mode="nearest")
            x = self.decoder[level](torch.cat([x, skips[level]], dim=1))
            features[level] = x
        heatmaps: Tensor = self.heatmap_out(features[1])
        parts = rearrange(
            self.part_out(features[0]),
            "b (c y x) h w -> b c (h y) (w x)",
            y=PART_CELLS,
            x=PART_CELLS,
        )
        return RigPrediction(heatmaps, self._presence(heatmaps, features[1], overall), parts)

    def _attend(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        tokens = self.attention_norm(rearrange(x, "b d h w -> b (h w) d"))
        tokens = tokens + grid_embedding(h, w, tokens.shape[-1], x.device).to(tokens)
        out: Tensor = rearrange(self.attention(tokens, tokens), "b (h w) d -> b d h w", h=h)
        return out

    def _presence(self, heatmaps: Tensor, features: Tensor, overall: Tensor) -> Tensor:
        """Presence logits `[b 16]`."""
        # Detached: presence must not move the peaks.
        weights = rearrange(heatmaps.detach().float(), "b j h w -> b j (h w)").softmax(dim=-1)
        flat = rearrange(features, "b d h w -> b d (h w)")
        local = einsum(weights.to(flat), flat, "b j n, b d n -> b j d")
        name = self.presence_name(torch.arange(len(JOINTS), device=features.device))
        crop = rearrange(self.presence_crop(overall), "b d -> b 1 d")
        hidden = F.silu(self.presence_joint(local) + crop + name)
        logits: Tensor = rearrange(self.presence_out(hidden), "b j 1 -> b j")
        return logits


class _Block(nn.Module):
    """Two normalised convolutions and a shortcut."""

    def __init__(self, c_in: int, c_out: int, groups: int, ops: Any) -> None:
        super().__init__()
        self.norm1 = ops.GroupNorm(groups, c_in)
        self.conv1 = ops.Conv2d(c_in, c_out, 3, padding=1)
        self.norm2 = ops.GroupNorm(groups, c_out)
        self.conv2 = ops.Conv2d(c_out, c_out, 3, padding=1)
        self.conv_shortcut = ops.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """`x [b c_in h w]` -> `[b c_out h w]`."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        out: Tensor = h + self.conv_shortcut(x)
        return out


def rig_input(colours: Tensor, mask: Tensor | None) -> Tensor:
    """The network's input `[b 5 s s]`.

    Args:
        colours: `[b 3 s s]` in 0..1.
        mask: `[b 1 s s]` in 0..1, which then stands on neutral grey; None if the mask is not known.
    """
    grey = 0.5
    if mask is None:
        unknown = torch.zeros_like(colours[:, :2])
        return torch.cat([colours - grey, unknown], dim=1)
    return torch.cat([(colours - grey) * mask, mask, torch.ones_like(mask)], dim=1)
