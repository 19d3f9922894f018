"""Pixel centres and quadratic warps of the image plane; no network.

Coordinates are normalised as in `torch.nn.functional.grid_sample` with `align_corners=False`: x to
the right, y down, the image's edges at -1 and 1. A warp `[... 2 6]` holds the coefficients of
1, x, y, x², xy and y² for both coordinates. It maps backwards: from a point of the frame to the
source point in the image, as `grid_sample` takes it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

TERM_COUNT = 6
"""Coefficients of a quadratic polynomial in x and y."""

BENDING_STIFFNESS = 0.02
"""Ridge penalty on the second-order terms of a fit. The points of a body span about half the
image, so the penalty matters only where they nearly lie on a line."""


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


def source_points(warp: Tensor, points: Tensor) -> Tensor:
    """Image points `[... n 2]` that the frame's `points [... n 2]` show under `warp [... 2 6]`."""
    return quadratic_terms(points) @ warp.mT


def fit_warp(points: Tensor, sources: Tensor) -> Tensor:
    """Least-squares warps `[... 2 6]` that map `points [... n 2]` to `sources [... n 2]`.

    Second-order terms are regularised (`BENDING_STIFFNESS`), so points that nearly lie on a line
    give a finite warp.
    """
    # Centred coordinates make the penalty independent of where in the frame the points lie.
    centre = points.mean(dim=-2)
    terms = quadratic_terms(points - centre[..., None, :])
    targets = sources - centre[..., None, :]

    # Ridge regression as an ordinary least-squares problem with one more row per penalised term.
    ridge = BENDING_STIFFNESS * torch.eye(TERM_COUNT).to(points)[3:]
    ridge = ridge.expand(*points.shape[:-2], -1, -1)
    left = torch.cat([terms, ridge], dim=-2)
    right = torch.cat([targets, torch.zeros_like(targets[..., :3, :])], dim=-2)

    return recentre_warp(least_squares(left, right).mT, centre)


def least_squares(rows: Tensor, targets: Tensor) -> Tensor:
    """The solution `[... n k]` of `rows [... m n]` times it = `targets [... m k]`, bit for bit the
    same in every run on the CPU."""
    # Torch's default there, gelsy, reads pivots that torch does not initialise.
    driver = "gelsd" if rows.device.type == "cpu" else "gels"
    solution: Tensor = torch.linalg.lstsq(rows, targets, driver=driver).solution
    return solution


def rotations(offset: Tensor) -> Tensor:
    """Rotation matrices `[... 2 2]` to the direction of (1, 0) + `offset [... 2]`.

    The direction is normalised, so an uncertain prediction never scales, as a mean of rotation
    matrices would.
    """
    x, y = F.normalize(offset + offset.new_tensor((1.0, 0.0)), dim=-1).unbind(-1)
    return torch.stack([torch.stack([x, -y], dim=-1), torch.stack([y, x], dim=-1)], dim=-2)


def recentre_warp(warp: Tensor, centre: Tensor) -> Tensor:
    """The same warps in normalised coordinates, for `warp [... 2 6]` given relative to
    `centre [... 2]` in both frame and image."""
    x, y = centre.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    # Row i holds the i-th monomial of (x - cx, y - cy), expanded in the monomials of (x, y).
    expansion = (
        (one, zero, zero, zero, zero, zero),
        (-x, one, zero, zero, zero, zero),
        (-y, zero, one, zero, zero, zero),
        (x * x, -2 * x, zero, one, zero, zero),
        (x * y, -y, -x, zero, one, zero),
        (y * y, zero, -2 * y, zero, zero, one),
    )
    shifted = warp @ torch.stack([torch.stack(row, dim=-1) for row in expansion], dim=-2)
    return torch.cat([shifted[..., :1] + centre[..., None], shifted[..., 1:]], dim=-1)


def warp_images(images: Tensor, warp: Tensor) -> Tensor:
    """`images [b c h w]` resampled bilinearly by each frame's `warp [b f 2 6]`: `[(b f) c h w]`.

    Points outside an image show its nearest edge pixel.
    """
    h, w = images.shape[-2:]
    frames = warp.shape[1]
    grid = source_points(
        rearrange(warp, "b f two t -> (b f) two t"), pixel_centres(h, w, warp.device)
    )
    grid = rearrange(grid, "n (h w) two -> n h w two", h=h)
    repeated = repeat(images.float(), "b c h w -> (b f) c h w", f=frames)
    last = 1 - 1 / grid.new_tensor((w, h))  # centres of the outermost pixels
    result = F.grid_sample(repeated, grid.clamp(-last, last).float(), align_corners=False)
    return result.to(images)
