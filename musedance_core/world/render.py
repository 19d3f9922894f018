"""Drawing dancers in their poses: batched warps in torch, on any device."""

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
    """Pictures and their exact truth.

    frames [b f 3 h w] in 0..1; part_map [b f h w] int64, 0 where there is background; positions
    [b f p 2] are the parts' centres in pixels (x, y), NaN where a subject has fewer than p parts.
    """

    frames: Tensor
    part_map: Tensor
    positions: Tensor


def render(
    subjects: Sequence[Subject], backgrounds: Tensor, pose: Pose, places: Tensor
) -> Rendered:
    """Draw every subject in its poses over its background.

    Args:
        subjects: b dancers with layers of one size.
        backgrounds: `[b 3 h w]` in 0..1.
        pose: fields `[b f]`.
        places: `[b 3]`, x and y of the body's centre and its height, as shares of the picture.

    Layers, backgrounds, pose and places must be on one device. A layer turns about its pivot, then
    the body bends, leans, is scaled about its feet, turned about its centre and moved.
    """
    b, f = pose.shape
    h, w = backgrounds.shape[-2:]
    most = max(len(s.part_ids) for s in subjects)
    layers = torch.stack([F.pad(s.layers, (0,) * 7 + (most - len(s.layers),)) for s in subjects])
    turns, pivots = _joints(subjects, pose, most)
    body = _to_body(pose, places, h, w)
    local = _turn(body[:, :, None], -turns[..., None, None], pivots[:, None, :, None, None])
    grid = rearrange(local * 2, "b f p h w two -> (b p) (f h) w two")
    sheets = rearrange(layers, "b p c y x -> (b p) c y x")
    premultiplied = torch.cat([sheets[:, :3] * sheets[:, 3:], sheets[:, 3:]], dim=1)
    drawn = F.grid_sample(premultiplied, grid, align_corners=False)
    drawn = rearrange(drawn, "(b p) c (f h) w -> b p f c h w", b=b, f=f)
    frames = repeat(backgrounds, "b c h w -> b f c h w", f=f)
    part_map = torch.zeros(b, f, h, w, dtype=torch.long, device=frames.device)
    for p in range(most):
        colour, alpha = drawn[:, p, :, :3], drawn[:, p, :, 3:]
        frames = frames * (1 - alpha) + colour
        ids = torch.tensor([(*s.part_ids, *[0] * most)[p] for s in subjects], device=frames.device)
        part_map = torch.where(alpha[:, :, 0] > 0.5, ids[:, None, None, None], part_map)
    return Rendered(
        frames.clamp(0, 1), part_map, _positions(subjects, layers, pose, places, turns, pivots, h, w)
    )


def _joints(subjects: Sequence[Subject], pose: Pose, most: int) -> tuple[Tensor, Tensor]:
    """Angles `[b f p]` and pivots `[b p 2]` of all layers."""
    turns = pose.x.new_zeros(*pose.shape, most)
    pivots = pose.x.new_zeros(len(subjects), most, 2)
    for i, subject in enumerate(subjects):
        for p, drive in enumerate(subject.drives):
            pivots[i, p] = torch.tensor(subject.pivots[p])
            if drive is not None:
                turns[i, :, p] = getattr(pose, drive)[i]
    return turns, pivots


def _turn(points: Tensor, angle: Tensor, centre: Tensor | float) -> Tensor:
    """`points [... 2]` turned clockwise (as seen) by `angle [...]` about `centre`."""
    x, y = (points - centre).unbind(-1)
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1) + centre


def _to_body(pose: Pose, places: Tensor, h: int, w: int) -> Tensor:
    """Body coordinates `[b f h w 2]` of every pixel: the whole pose undone."""
    rows = (torch.arange(h, device=places.device) + 0.5) / h
    columns = (torch.arange(w, device=places.device) + 0.5) / w
    x, y, size = (rearrange(v, "b -> b 1 1 1") for v in places.unbind(-1))
    aspect = w / h

    def field(name: str) -> Tensor:
        value: Tensor = getattr(pose, name)
        return rearrange(value, "b f -> b f 1 1")

    u = (columns - x) * aspect / size - field("x")
    v = (rows[:, None] - y) / size - field("y")
    u, v = torch.broadcast_tensors(u, v)
    u, v = _turn(torch.stack([u, v], -1), -field("angle"), 0.0).unbind(-1)
    u = u / field("scale_x")
    v = (v - 0.5) / field("scale_y") + 0.5
    u = u - field("lean") * (0.5 - v)
    u = u - field("bend") * (pi * v.clamp(-0.5, 0.5)).cos() + field("bend") * 0.5
    return torch.stack([u, v], dim=-1)


def _positions(
    subjects: Sequence[Subject],
    layers: Tensor,
    pose: Pose,
    places: Tensor,
    turns: Tensor,
    pivots: Tensor,
    h: int,
    w: int,
) -> Tensor:
    """Where the centre of every part is, `[b f p 2]` in pixels: the pose applied to it."""
    alpha = layers[:, :, 3]
    side = alpha.shape[-1]
    axis = (torch.arange(side, device=alpha.device) + 0.5) / side - 0.5
    weight = alpha.sum((-1, -2)).clamp_min(1e-6)
    centre_x = (alpha.sum(-2) * axis).sum(-1) / weight
    centre_y = (alpha.sum(-1) * axis).sum(-1) / weight
    rest = torch.stack([centre_x, centre_y], -1)[:, None]
    points = _turn(rest.expand(-1, turns.shape[1], -1, -1), turns, pivots[:, None])

    def field(name: str) -> Tensor:
        value: Tensor = getattr(pose, name)
        return rearrange(value, "b f -> b f 1")

    u, v = points.unbind(-1)
    u = u + field("bend") * (pi * v.clamp(-0.5, 0.5)).cos() - field("bend") * 0.5
    u = (u + field("lean") * (0.5 - v)) * field("scale_x")
    v = (v - 0.5) * field("scale_y") + 0.5
    u, v = _turn(torch.stack([u, v], -1), field("angle"), 0.0).unbind(-1)
    x, y, size = (rearrange(value, "b -> b 1 1") for value in places.unbind(-1))
    pixels = torch.stack(
        [(x * w + (u + field("x")) * size * h), (y + (v + field("y")) * size) * h], dim=-1
    )
    for i, subject in enumerate(subjects):
        pixels[i, :, len(subject.part_ids) :] = float("nan")
    return pixels
