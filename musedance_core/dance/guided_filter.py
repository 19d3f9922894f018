"""The guided filter: coarse weights snapped to the edges of a picture.

"Guided Image Filtering" (He, Sun and Tang, 2010): in small windows, weights are a linear function
of the guide's channels. Its coefficients are smooth, so they are found at a low resolution.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .fill import box_mean


def guided_coefficients(guide: Tensor, weights: Tensor, radius: int, noise: float) -> Tensor:
    """The linear functions that give `weights` from the channels of `guide`.

    Args:
        guide: `[c h w]`.
        weights: `[g h w]`.
        radius: of the windows, in pixels.
        noise: variance of the guide's channels below which the filter smooths.

    Returns:
        Slopes and, last, the offset, `[g c+1 h w]`.
    """

    def mean(values: Tensor) -> Tensor:
        return box_mean(values, radius)

    # Regression of the weights on the guide in the window around each pixel.
    c = len(guide)
    centre, level = mean(guide), mean(weights)
    products = mean(rearrange(guide[:, None] * guide[None], "a b h w -> (a b) h w"))
    covariance = rearrange(products, "(a b) h w -> h w a b", a=c) - torch.einsum(
        "ahw,bhw->hwab", centre, centre
    )
    covariance = covariance + noise * torch.eye(c)
    cross = mean(rearrange(guide[:, None] * weights[None], "a g h w -> (a g) h w"))
    cross = rearrange(cross, "(a g) h w -> h w a g", a=c) - torch.einsum(
        "ahw,ghw->hwag", centre, level
    )
    slope = rearrange(torch.linalg.solve(covariance, cross), "h w a g -> g a h w")
    offset = level - torch.einsum("gahw,ahw->ghw", slope, centre)
    return torch.stack([mean(k) for k in torch.cat([slope, offset[:, None]], dim=1)])


def apply_guide(coefficients: Tensor, guide: Tensor) -> Tensor:
    """The weight `[h w]` that `coefficients [c+1 y x]`, of any resolution, give for the full-size
    `guide [c h w]`."""
    fine = F.interpolate(coefficients[None], guide.shape[1:], mode="bilinear")[0]
    weight: Tensor = (fine[:-1] * guide).sum(dim=0) + fine[-1]
    return weight
