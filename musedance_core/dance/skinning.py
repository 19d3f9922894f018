"""Skinning: the layers of a figure, posed and composited frame by frame.

Cut-out animation: every pixel of a frame looks up the picture under the inverse of the cartoon warp
and of the part's affine motion. Points are continuous, a pixel's centre is at half numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor

from ..parts import SUBJECT
from .figure import LayeredFigure
from .posing import CartoonWarp, PosedBody
from .skeleton import DENSEPOSE, PARTS


@dataclass(frozen=True)
class SamplingLimits:
    """Resolution of the layers, and what of them is drawn."""

    chunk_pixels: int = 1 << 17  # composited at once: many small frames, or a large one
    # Bilinear look-ups among this many samples of a layer per pixel of the canvas, along each axis,
    # are nearly as sharp as bicubic ones in the picture, and smooth at edges of any direction.
    density: int = 2
    largest_density: int = 4  # samples per pixel of the picture, where the canvas is larger
    least_alpha: float = 0.5 / 255  # a pixel is empty below this alpha
    least_area: float = 1e-4  # a layer that is scaled to less than this area is not visible
    edge_points: int = 9  # points on each edge of a layer's box, for its place under a bend


LIMITS = SamplingLimits()


@dataclass(frozen=True)
class Canvas:
    """Size and placement of the frames: pixel of the frame = pixel of the picture * `scale` +
    (`left`, `top`)."""

    width: int
    height: int
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0


@dataclass(frozen=True)
class Rendering:
    """Frames of a dancer without a background.

    Attributes:
        rgba: `[f 4 H W]` premultiplied, in 0..1.
        part_ids: int64 `[f H W]`, DensePose's first id of the part that is seen (`SUBJECT` for a
            figure in one piece), 0 where alpha is below a half; None unless asked for.
    """

    rgba: Tensor
    part_ids: Tensor | None = None


@dataclass(frozen=True)
class _Layer:
    """The visible part of a layer, at a resolution fit for the canvas.

    Attributes:
        part: its index in `PARTS`.
        samples: premultiplied `[4 h w]`, or `[5 h w]` with alpha times the figure's opacity.
        box: left, top, right, bottom in the picture.
        scale, shift: `[2]`; normalised coordinates in `samples` = point of the picture * scale +
            shift.
    """

    part: int
    samples: Tensor
    box: tuple[int, int, int, int]
    scale: Tensor
    shift: Tensor


@torch.no_grad()
def render(
    figure: LayeredFigure, posed: PosedBody, canvas: Canvas, parts: bool = False
) -> Rendering:
    """Frames `[f]` of `figure` in the poses of `posed`, and which part is seen where if `parts`."""
    f = len(posed.transforms)
    layers = []
    for part in figure.order:
        pixels = figure.layers[part]
        if figure.opacity is not None:
            pixels = torch.cat([pixels, pixels[3:] * figure.opacity])
        if (layer := _prepare(part, pixels, canvas.scale)) is not None:
            layers.append(layer)
    in_one_piece = [layer.part for layer in layers] == [PARTS.index("torso")]
    channels = 4 if figure.opacity is None else 5
    rgba = torch.zeros(f, channels, canvas.height, canvas.width)
    ids = torch.zeros(f, canvas.height, canvas.width, dtype=torch.int64) if parts else None
    chunk = max(1, LIMITS.chunk_pixels // (canvas.width * canvas.height))
    for start in range(0, f, chunk):
        frames = slice(start, start + chunk)
        _composite(
            layers,
            posed.transforms[frames],
            _frames_of(posed.warp, frames),
            canvas,
            rgba[frames],
            None if ids is None else ids[frames],
            in_one_piece,
        )
    if figure.opacity is not None:
        share = rgba[:, 4:] / rgba[:, 3:4].clamp_min(1e-6)
        rgba = torch.cat([rgba[:, :3] * share, rgba[:, 4:]], dim=1)
    return Rendering(rgba, ids)


def _composite(
    layers: list[_Layer],
    transforms: Tensor,
    warp: CartoonWarp,
    canvas: Canvas,
    rgba: Tensor,
    ids: Tensor | None,
    in_one_piece: bool,
) -> None:
    """Draws the layers over one another into `rgba [f c H W]` and `ids [f H W]`."""
    visible = [
        (layer, box)
        for layer in layers
        if (box := _box_on_canvas(layer, transforms[:, layer.part], warp, canvas)) is not None
    ]
    if not visible:
        return
    # The warp is inverted once for all layers, where any of them may be.
    left, top = (min(box[i] for _, box in visible) for i in (0, 1))
    right, bottom = (max(box[i] for _, box in visible) for i in (2, 3))
    x, y = _unwarped(warp, canvas, (left, top, right, bottom))
    strength = torch.zeros_like(x) if ids is not None else None
    for layer, box in visible:
        rows, columns = slice(box[1] - top, box[3] - top), slice(box[0] - left, box[2] - left)
        look_up = _look_up(layer, transforms[:, layer.part])
        sampled = _sample(layer, look_up, x[:, rows, columns], y[:, rows, columns])
        clear = 1 - sampled[:, 3:4]
        target = rgba[:, :, box[1] : box[3], box[0] : box[2]]
        target.mul_(clear).add_(sampled)
        if ids is not None and strength is not None:
            # The part seen is the one that adds most to the pixel.
            part_id = SUBJECT if in_one_piece else DENSEPOSE[PARTS[layer.part]][0]
            below = strength[:, rows, columns].mul_(clear[:, 0])
            above = sampled[:, 3] > below
            ids[:, box[1] : box[3], box[0] : box[2]].masked_fill_(above, part_id)
            torch.maximum(below, sampled[:, 3], out=below)
    rgba.clamp_(0, 1)
    if ids is not None:
        ids.masked_fill_(rgba[:, 3] < 0.5, 0)


def _prepare(part: int, pixels: Tensor, scale: float) -> _Layer | None:
    """Crops a layer `[c h w]` to its visible pixels and resamples it for a canvas of `scale`."""
    h, w = pixels.shape[-2:]
    solid = pixels[3] > LIMITS.least_alpha
    rows, columns = solid.any(dim=1).nonzero()[:, 0], solid.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    # One clear sample around it lets the edges fade.
    pad = max(2, ceil(1 / (LIMITS.density * scale)) + 1)
    crop = F.pad(pixels[:, top:bottom, left:right], (pad, pad, pad, pad))
    h, w = crop.shape[-2:]
    size = torch.tensor([w, h], dtype=torch.float32)
    corner = torch.tensor([left - pad, top - pad], dtype=torch.float32)
    density = LIMITS.density * scale
    if density < 1:
        # Smaller canvases average.
        target = (max(1, round(h * density)), max(1, round(w * density)))
        samples = F.interpolate(crop[None], target, mode="bilinear", antialias=True)[0]
        factor = 2 / size
        shift = -corner * factor - 1
    else:
        # The picture's own pixels stay among the samples, so that a figure at rest is the picture.
        k = min(max(LIMITS.density, ceil(scale)), LIMITS.largest_density) if scale > 0.75 else 1
        samples = crop
        if k > 1:
            target = ((h - 1) * k + 1, (w - 1) * k + 1)
            samples = F.interpolate(crop[None], target, mode="bicubic", align_corners=True)[0]
            alpha = samples[3:4].clamp(0, 1)
            samples[4:] *= alpha / samples[3:4].clamp_min(1e-6)
            samples = torch.minimum(samples.clamp_min_(0), alpha)
        count = torch.tensor([samples.shape[2], samples.shape[1]], dtype=torch.float32)
        factor = 2 * k / count
        shift = -(corner + 0.5) * factor + 1 / count - 1
    return _Layer(part, samples, (left, top, right, bottom), factor, shift)


def _box_on_canvas(
    layer: _Layer, transform: Tensor, warp: CartoonWarp, canvas: Canvas
) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the pixels where the layer may be in any of the frames."""
    if float(_determinant(transform).abs().min()) < LIMITS.least_area:
        return None
    left, top, right, bottom = layer.box
    steps = torch.linspace(0, 1, LIMITS.edge_points)
    x, y = left + (right - left) * steps, top + (bottom - top) * steps
    edges = [(x, torch.full_like(x, end)) for end in (top, bottom)]
    edges += [(torch.full_like(y, end), y) for end in (left, right)]
    outline = torch.cat([torch.stack(edge, dim=-1) for edge in edges])
    points = outline @ transform[..., :2].mT + transform[:, None, :, 2]
    places = warp.forward(points) * canvas.scale + torch.tensor([canvas.left, canvas.top])
    # Between the points a bowed edge is a little further out.
    bow = float(warp.bend.abs().max()) * warp.height * canvas.scale * 5 / LIMITS.edge_points**2
    margin = 2 + max(1.0, canvas.scale) + bow
    low, high = places.amin(dim=(0, 1)) - margin, places.amax(dim=(0, 1)) + margin
    limit = torch.tensor([canvas.width, canvas.height])
    low, high = low.floor().long().clamp_min(0), torch.minimum(high.ceil().long(), limit)
    if bool((low >= high).any()):
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _unwarped(
    warp: CartoonWarp, canvas: Canvas, box: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor]:
    """The points of the posed figure, before the warp, that the pixels of `box` show: x and y,
    each `[f h w]`."""
    left, top, right, bottom = box
    f, h, w = len(warp.base), bottom - top, right - left
    x = (torch.arange(left, right) + (0.5 - canvas.left)) / canvas.scale
    y = (torch.arange(top, bottom) + (0.5 - canvas.top)) / canvas.scale
    grid = torch.stack([repeat(x, "w -> h w", h=h), repeat(y, "h -> h w", w=w)], dim=-1)
    points = warp.inverse(repeat(grid, "h w xy -> f (h w) xy", f=f))
    places = rearrange(points, "f (h w) xy -> xy f h w", h=h).contiguous()
    return places[0], places[1]


def _look_up(layer: _Layer, transform: Tensor) -> Tensor:
    """Affine maps `[f 2 3]` from points of the posed figure to normalised coordinates of the
    layer's samples."""
    inverse = torch.linalg.inv(transform[..., :2])
    inverse = torch.cat([inverse, -inverse @ transform[..., 2:]], dim=-1)
    inverse = inverse * layer.scale[:, None]
    inverse[..., 2] += layer.shift
    return inverse


def _sample(layer: _Layer, look_up: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The layer `[f c h w]` at points `x`, `y`, each `[f h w]`."""
    a = rearrange(look_up, "f r c -> r c f 1 1")
    grid = torch.stack([a[i, 0] * x + (a[i, 1] * y + a[i, 2]) for i in (0, 1)], dim=-1)
    samples = layer.samples.expand(len(x), -1, -1, -1)
    return F.grid_sample(samples, grid, align_corners=False)


def _determinant(transform: Tensor) -> Tensor:
    return transform[..., 0, 0] * transform[..., 1, 1] - transform[..., 0, 1] * transform[..., 1, 0]


def _frames_of(warp: CartoonWarp, frames: slice) -> CartoonWarp:
    return CartoonWarp(
        warp.base[frames], warp.height, warp.scale[frames], warp.bend[frames], warp.turn[frames]
    )


__all__ = ["Canvas", "Rendering", "render"]
