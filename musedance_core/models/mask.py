"""The mask encoder of part maps (equation 1)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import MaskConfig
from ..parts import palette


class MaskEncoder(nn.Module):
    """Strided convolutions that bring a coloured part map to the latent's shape."""

    def __init__(self, config: MaskConfig, latent_channels: int, ops: Any = nn) -> None:
        super().__init__()
        widths = config.channels
        self.conv_in = ops.Conv2d(3, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            [ops.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)]
        )
        self.conv_out = ops.Conv2d(widths[-1], latent_channels, 3, padding=1)

    def forward(self, part_map: Tensor, dtype: torch.dtype) -> Tensor:
        """Residual `[b c h w]` for the reference latent, from ids 0..25 `[b H W]`.

        H and W are halved by every strided convolution. `dtype` is the latent's.
        """
        colours = palette().to(part_map.device, dtype)[part_map]
        x = rearrange(colours, "b h w c -> b c h w")
        x = F.silu(self.conv_in(x))
        for conv in self.blocks:
            x = F.silu(conv(x))
        out: Tensor = self.conv_out(x)
        return out
