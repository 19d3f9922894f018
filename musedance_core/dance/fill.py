"""Smooth continuation of colours into hidden places."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

SMOOTHING = (2, 4, 8)
"""Radii in pixels over which continued colours are averaged, from so far away on."""


def fill_holes(values: Tensor, weight: Tensor) -> Tensor:
    """`values [c h w]` where `weight [h w]` is 1, and a smooth continuation of them where it is 0.

    Push-pull: averages of what is known, over squares that double in size, fill what is not known
    at the finer size. All is 0 if nothing is known.
    """
    levels = [(values * weight, weight[None])]
    while max(levels[-1][1].shape[1:]) > 1:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    filled, known = levels[-1]
    filled = filled / known.clamp_min(1e-12)
    for weighted, known in reversed(levels[:-1]):
        coarse = F.interpolate(
            filled[None], size=known.shape[1:], mode="bilinear", align_corners=False
        )[0]
        # An average that half of a square knows is as good as one that all of it knows.
        trust = (2 * known).clamp_max(1) if known is not levels[0][1] else known
        filled = coarse + trust * (weighted / known.clamp_min(1e-12) - coarse)
    return filled


def continued(values: Tensor, known: NDArray[np.bool_]) -> Tensor:
    """`values [c h w]` where they are `known [h w]`, elsewhere those of the nearest known pixels,
    smoother the farther away they are."""
    away, nearest = ndimage.distance_transform_edt(~known, return_indices=True)
    result = values[:, nearest[0], nearest[1]]
    far = torch.from_numpy(away).float()
    for radius in SMOOTHING:
        result = torch.where(far > radius, box_mean(result, radius), result)
    return result


def box_mean(values: Tensor, radius: int) -> Tensor:
    """The means of `values [c h w]` over squares of 2 * `radius` + 1 pixels, as far as these are in
    the picture: first along columns, then along rows, which is the same and much faster."""
    size = 2 * radius + 1
    tall = F.avg_pool2d(values[None], (size, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(tall, (1, size), 1, (0, radius), count_include_pad=False)[0]


def grow(mask: Tensor, radius: int) -> Tensor:
    """`mask [h w]` in 0..1 grown by `radius` pixels, as an octagon."""
    grown = mask[None, None]
    for step in range(radius):
        # Squares and diamonds in turn.
        if step % 3 == 1:
            grown = F.max_pool2d(grown, 3, 1, 1)
        else:
            tall = F.max_pool2d(grown, (3, 1), 1, (1, 0))
            grown = torch.maximum(tall, F.max_pool2d(grown, (1, 3), 1, (0, 1)))
    return grown[0, 0]


def _halved(values: Tensor) -> Tensor:
    """Means over squares of 2 x 2 pixels of `values [c h w]`; an odd side's last square is
    narrower."""
    return F.avg_pool2d(values[None], 2, ceil_mode=True, count_include_pad=False)[0]
