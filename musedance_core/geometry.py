"""Pixel centres, quadratic polynomials over the image plane, and least squares; no network.

Coordinates are normalised as in `torch.nn.functional.grid_sample` with `align_corners=False`: x to
the right, y down, the image's edges at -1 and 1.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor


def quadratic_terms(points: Tensor) -> Tensor:
    """The monomials 1, x, y, x², xy, y² of `points [... 2]`: `[... 6]`."""
    x, y = points.unbind(-1)
    return torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=-1)


def pixel_centres(h: int, w: int, device: torch.device | None = None) -> Tensor:
    """Normalised (x, y) of the centres of h x w pixels, row by row: `[h*w 2]`."""
    rows = (torch.arange(h, device=device) * 2 + 1) / h - 1
    columns = (torch.arange(w, device=device) * 2 + 1) / w - 1
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return rearrange(torch.stack([x, y], dim=-1), "h w xy -> (h w) xy")


def least_squares(rows: Tensor, targets: Tensor) -> Tensor:
    """The solution `[... n k]` of `rows [... m n]` times it = `targets [... m k]`, bit for bit the
    same in every run on the CPU."""
    # Torch's default there, gelsy, reads pivots that torch does not initialise.
    driver = "gelsd" if rows.device.type == "cpu" else "gels"
    solution: Tensor = torch.linalg.lstsq(rows, targets, driver=driver).solution
    return solution
