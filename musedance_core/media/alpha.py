"""Transparent pictures: colours beyond the edge, and a background behind them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

CELL, REACH = 4, 4
"""Side of the squares that transparent pixels are filled by, and pixels that colours reach beyond
the edge of the figure."""


def bleed_colours(picture: Tensor) -> Tensor:
    """Fills the transparent pixels of a picture with colours of the figure beside them.

    Codecs that share colours between neighbouring pixels, and players that scale a video, mix the
    hidden colours into the edge: black ones would give the figure a dark rim.

    Args:
        picture: uint8 `[4 h w]` with straight alpha.

    Returns:
        The same picture where alpha is above 0; elsewhere the mean colour of the figure nearby, or
        of all of it.
    """
    height, width = picture.shape[-2:]
    alpha = picture[3:].float() / 255
    weighted = torch.cat([picture[:3].float() * alpha, alpha])
    # Windows of one cell and its surroundings, weighted by alpha.
    right, below = -width % CELL + REACH, -height % CELL + REACH
    padded = F.pad(weighted, (REACH, right, REACH, below))
    near = F.avg_pool2d(padded, CELL + 2 * REACH, CELL)
    mean = rearrange(weighted.mean(dim=(1, 2)), "c -> c 1 1")
    near = torch.where(near[3:] > 0, near, mean)
    colours = near[:3] / near[3:].clamp_min(1e-6)
    fill = repeat(colours, "c h w -> c (h i) (w j)", i=CELL, j=CELL)[:, :height, :width]
    filled = torch.where(alpha > 0, picture[:3], fill.round().byte())
    return torch.cat([filled, picture[3:]])


def flatten(frames: Tensor, background: Tensor) -> Tensor:
    """Straight RGBA `frames [... 4 h w]` over a `background [... 3 h w]`, as `[... 3 h w]`."""
    alpha = frames[..., 3:, :, :]
    return frames[..., :3, :, :] * alpha + background * (1 - alpha)
