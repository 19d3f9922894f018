"""Renders dancers in their poses with batched warps in torch, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

from .choreography import Pose
from .stickers import Subject


@dataclass(frozen=True)
class Rendered:
    """Rendered frames and their exact ground truth.

    frames [b f 3 h w] in 0..1; part_map [b f h w] int64, 0 where there is background; positions
    [b f p 2] are the parts' centres in pixels (x, y), NaN where a subject has fewer than p parts.
    """

    frames: Tensor
    part_map: Tensor
    positions: Tensor


def render(
    subjects: Sequence[Subject], backgrounds: Tensor, pose: Pose, places: Tensor
) -> Rendered:
    """Renders every subject in its poses over its background.

    Args:
        subjects: b dancers with layers of one size.
        backgrounds: `[b 3 h w]` in 0..1.
        pose: fields `[b f]`.
        places: `[b 3]`, x and y of the body's centre and its height, as shares of the picture.

    Layers, backgrounds, pose and places must be on one device. A layer is rotated about its
    pivot; then the body is bent, sheared, scaled about its feet, rotated about its centre and
    translated.
    """
    b, f = pose.shape
    h, w = backgrounds.shape[-2:]
    device = backgrounds.device
    owner = torch.tensor([i for i, s in enumerate(subjects) for _ in s.part_ids], device=device)
    level = torch.tensor([p for s in subjects for p, _ in enumerate(s.part_ids)], device=device)
    ids = torch.tensor([part for s in subjects for part in s.part_ids], device=device)
    layers = torch.cat([s.layers for s in subjects])
    # Every pixel looks up its colour in each layer: undo the pose, then the layer's own rotation.
    turns, pivots = _joints(subjects, pose)
    body = _to_body(pose, places, h, w)
    local = _rotate(body[owner], -turns[..., None, None], pivots[:, None, None, None])
    premultiplied = torch.cat([layers[:, :3] * layers[:, 3:], layers[:, 3:]], dim=1)
    grid = rearrange(local * 2, "k f h w two -> k (f h) w two")
    sampled = F.grid_sample(premultiplied, grid, align_corners=False)
    sampled = rearrange(sampled, "k c (f h) w -> k f c h w", f=f)
    # Composite bottom to top.
    frames = repeat(backgrounds, "b c h w -> b f c h w", f=f).clone()
    part_map = torch.zeros(b, f, h, w, dtype=torch.long, device=device)
    for p in range(int(level.max()) + 1):
        chosen = level == p
        at, alpha = owner[chosen], sampled[chosen, :, 3:]
        frames[at] = frames[at] * (1 - alpha) + sampled[chosen, :, :3]
        mine = ids[chosen][:, None, None, None]
        part_map[at] = torch.where(alpha[:, :, 0] > 0.5, mine, part_map[at])
    points = _positions(layers, pose, places, owner, turns, pivots, (h, w))
    positions = points.new_full((b, f, int(level.max()) + 1, 2), float("nan"))
    positions[owner, :, level] = points
    return Rendered(frames.clamp(0, 1), part_map, positions)


def _joints(subjects: Sequence[Subject], pose: Pose) -> tuple[Tensor, Tensor]:
    """Returns angles `[k f]` and pivots `[k 2]` of all layers of all subjects."""
    turns, pivots = [], []
    for i, subject in enumerate(subjects):
        for drive, pivot in zip(subject.drives, subject.pivots, strict=True):
            turns.append(pose.x[i] * 0 if drive is None else getattr(pose, drive)[i])
            pivots.append(pivot)
    return torch.stack(turns), pose.x.new_tensor(pivots)


def _rotate(points: Tensor, angle: Tensor, centre: Tensor | float) -> Tensor:
    """Rotates `points [... 2]` clockwise (as seen) by `angle [...]` about `centre`."""
    x, y = (points - centre).unbind(-1)
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1) + centre


def _to_body(pose: Pose, places: Tensor, h: int, w: int) -> Tensor:
    """Returns the body coordinates `[b f h w 2]` of every pixel: the inverse of the pose."""
    rows = (torch.arange(h, device=places.device) + 0.5) / h
    columns = (torch.arange(w, device=places.device) + 0.5) / w
    x, y, size = (rearrange(v, "b -> b 1 1 1") for v in places.unbind(-1))
    aspect = w / h

    def field(name: str) -> Tensor:
        value: Tensor = getattr(pose, name)
        return rearrange(value, "b f -> b f 1 1")

    u = (columns - x) * aspect / size - field("x")
    v = (rows[:, None] - y) / size - field("y")
    flat = torch.zeros_like(u + v)
    placed = torch.stack([u + flat, v + flat], -1)
    u, v = _rotate(placed, -field("angle"), 0.0).unbind(-1)
    u = u / field("scale_x")
    v = (v - 0.5) / field("scale_y") + 0.5
    u = u - field("lean") * (0.5 - v)
    u = u - field("bend") * (pi * v.clamp(-0.5, 0.5)).cos() + field("bend") * 0.5
    return torch.stack([u, v], dim=-1)


def _positions(
    layers: Tensor,
    pose: Pose,
    places: Tensor,
    owner: Tensor,
    turns: Tensor,
    pivots: Tensor,
    shape: tuple[int, int],
) -> Tensor:
    """Returns the centre of every layer in pixels, `[k f 2]`, with the pose applied."""
    h, w = shape
    alpha = layers[:, 3]
    axis = (torch.arange(alpha.shape[-1], device=alpha.device) + 0.5) / alpha.shape[-1] - 0.5
    weight = alpha.sum((-1, -2)).clamp_min(1e-6)
    x, y = (alpha.sum(-2) * axis).sum(-1) / weight, (alpha.sum(-1) * axis).sum(-1) / weight
    rest = repeat(torch.stack([x, y], -1), "k two -> k f two", f=turns.shape[1])
    u, v = _rotate(rest, turns, pivots[:, None]).unbind(-1)

    def field(name: str) -> Tensor:
        value: Tensor = getattr(pose, name)
        return value[owner]

    u = u + field("bend") * (pi * v.clamp(-0.5, 0.5)).cos() - field("bend") * 0.5
    u = (u + field("lean") * (0.5 - v)) * field("scale_x")
    v = (v - 0.5) * field("scale_y") + 0.5
    u, v = _rotate(torch.stack([u, v], -1), field("angle"), 0.0).unbind(-1)
    x, y, size = (value[owner][:, None] for value in places.unbind(-1))
    return torch.stack([x * w + (u + field("x")) * size * h, (y + (v + field("y")) * size) * h], -1)
