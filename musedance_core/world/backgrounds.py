"""Procedural backgrounds."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def random_background(rng: np.random.Generator, size: int, flat: bool = False) -> Tensor:
    """Returns a background `[3 size size]` in 0..1; `flat` means one colour."""
    first, second = (_colour(rng) for _ in range(2))
    kind = "flat" if flat else str(rng.choice(KINDS, p=SHARES))
    y, x = torch.meshgrid(*(2 * [torch.linspace(-1, 1, size)]), indexing="ij")
    if kind == "flat":
        mixed = torch.zeros(size, size)
    elif kind == "gradient":
        angle = float(rng.uniform(0, 2 * np.pi))
        mixed = (np.cos(angle) * x + np.sin(angle) * y) / 2.8 + 0.5
    elif kind == "spot":
        mixed = torch.exp(-(x**2 + (y - 0.2) ** 2) * float(rng.uniform(0.8, 2.5)))
    elif kind == "floor":
        mixed = ((y - float(rng.uniform(0.2, 0.7))) * 12).sigmoid()
    elif kind == "stripes":
        angle, wave = float(rng.uniform(0, np.pi)), float(rng.uniform(3, 8))
        mixed = (((np.cos(angle) * x + np.sin(angle) * y) * wave * np.pi).sin() * 3).sigmoid() * 0.6
    else:
        coarse = torch.from_numpy(rng.random((1, 1, 5, 5)).astype(np.float32))
        mixed = F.interpolate(coarse, (size, size), mode="bicubic")[0, 0].clamp(0, 1)
    return torch.lerp(first[:, None, None], second[:, None, None], mixed[None].float()).clamp(0, 1)


KINDS = ("flat", "gradient", "spot", "floor", "stripes", "clouds")
SHARES = (0.25, 0.25, 0.15, 0.15, 0.05, 0.15)


def _colour(rng: np.random.Generator) -> Tensor:
    """Returns a random colour [3], mostly of low saturation."""
    base, spread = rng.uniform(0.1, 1.0), rng.uniform(0.05, 0.5)
    return torch.from_numpy(np.clip(base + spread * rng.uniform(-1, 1, 3), 0, 1).astype(np.float32))
