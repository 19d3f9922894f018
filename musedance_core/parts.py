"""Ids of body parts and the palette that colours them in part maps."""

from __future__ import annotations

import colorsys

import torch
from einops import rearrange
from torch import Tensor

SUBJECT = 25
"""Part id of "the subject, whatever part": what a plain mask says."""


def palette() -> Tensor:
    """Colours `[26 3]` in 0..1: 0 background (black), 1..24 DensePose parts, 25 subject (white)."""
    hues = [colorsys.hsv_to_rgb(i / 24, 0.9 if i % 2 else 0.55, 0.95) for i in range(24)]
    return torch.tensor([(0.0, 0.0, 0.0), *hues, (1.0, 1.0, 1.0)])


def part_ids(colours: Tensor) -> Tensor:
    """Ids `[h w]` of a map `[3 h w]` in 0..1: those of the nearest colours of the palette."""
    away = torch.cdist(rearrange(colours, "c h w -> (h w) c"), palette().to(colours))
    return rearrange(away.argmin(dim=1), "(h w) -> h w", h=colours.shape[1])
