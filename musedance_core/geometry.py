"""Points, pixel centres and quadratic warps of the plane; no network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

TERM_COUNT = 6


IDENTITY_WARP = ((0.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0, 0.0, 0.0))
"""The warp that leaves everything where it is."""


BENDING_STIFFNESS = 0.02
"""How much a fitted warp resists bending; points of bodies are about half a picture apart."""


def quadratic_terms(points: Tensor) -> Tensor:
    """1, x, y, x², xy, y² of points `[... 2]` in -1..1 (x right, y down): `[... 6]`."""
    x, y = points.unbind(-1)
    return torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=-1)


def pixel_centres(h: int, w: int, device: torch.device | None = None) -> Tensor:
    """Centres of h x w pixels, the picture's edges at -1 and 1, row by row: `[h*w 2]`."""
    rows = (torch.arange(h, device=device) * 2 + 1) / h - 1
    columns = (torch.arange(w, device=device) * 2 + 1) / w - 1
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([right, down], dim=-1).reshape(-1, 2)


def source_points(warp: Tensor, points: Tensor) -> Tensor:
    """Where points `[... n 2]` of frames come from in the picture, by warps `[... 2 6]`."""
    return quadratic_terms(points) @ warp.mT


def fit_warp(points: Tensor, sources: Tensor) -> Tensor:
    """The warps `[... 2 6]` by which `points [... n 2]` come from `sources [... n 2]`, as nearly as
    they can; bent as little as need be where points lie too close to tell."""
    centre = points.mean(dim=-2)
    here, there = quadratic_terms(points - centre[..., None, :]), sources - centre[..., None, :]
    stiff = BENDING_STIFFNESS * torch.eye(TERM_COUNT).to(points)[3:].expand(
        *points.shape[:-2], -1, -1
    )
    rows = torch.cat([here, stiff], dim=-2)
    wanted = torch.cat([there, torch.zeros_like(there[..., :3, :])], dim=-2)
    return recentre_warp(torch.linalg.lstsq(rows, wanted).solution.mT, centre)


def rotations(change: Tensor) -> Tensor:
    """Turns `[... 2 2]` towards (1, 0) + `change [... 2]`. However unsure of the angle, they never
    shrink, as the mean of many turns would."""
    x, y = F.normalize(change + change.new_tensor((1.0, 0.0)), dim=-1).unbind(-1)
    return torch.stack([torch.stack([x, -y], dim=-1), torch.stack([y, x], dim=-1)], dim=-2)


def recentre_warp(warp: Tensor, centre: Tensor) -> Tensor:
    """In usual coordinates, warps `[... 2 6]` that are written for frames and pictures whose middle
    is `centre [... 2]`."""
    x, y = centre.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    shifted = (
        (one, zero, zero, zero, zero, zero),
        (-x, one, zero, zero, zero, zero),
        (-y, zero, one, zero, zero, zero),
        (x * x, -2 * x, zero, one, zero, zero),
        (x * y, -y, -x, zero, one, zero),
        (y * y, zero, -2 * y, zero, zero, one),
    )
    moved = warp @ torch.stack([torch.stack(row, dim=-1) for row in shifted], dim=-2)
    return torch.cat([moved[..., :1] + centre[..., None], moved[..., 1:]], dim=-1)


def warp_images(pictures: Tensor, warp: Tensor) -> Tensor:
    """`pictures [b c h w]` by every frame's warp `[b f 2 6]`: `[(b f) c h w]`.

    Beyond its edge a picture goes on as it ends.
    """
    h, w = pictures.shape[-2:]
    frames = warp.shape[1]
    grid = source_points(warp.flatten(0, 1), pixel_centres(h, w, warp.device))
    grid = rearrange(grid, "n (h w) two -> n h w two", h=h)
    many = repeat(pictures.float(), "b c h w -> (b f) c h w", f=frames)
    last = 1 - 1 / grid.new_tensor((w, h))  # the outermost pixels' centres
    moved = F.grid_sample(many, grid.clamp(-last, last).float(), align_corners=False)
    return moved.to(pictures)
