"""Skinning: the layers of a figure, posed and composited frame by frame.

Cut-out animation: every pixel of a frame looks up the picture under the inverse of the cartoon warp
and of the part's affine motion. Points are continuous, a pixel's centre is at half numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F
from einops import rearrange
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
        rows, columns: the part of the frames outside which nothing is drawn in any of them.
        part_ids: int64 `[f H W]`, DensePose's first id of the part that is seen (`SUBJECT` for a
            figure in one piece), 0 where alpha is below a half; None unless asked for.
    """

    rgba: Tensor
    rows: slice
    columns: slice
    part_ids: Tensor | None = None


@dataclass(frozen=True)
class Layer:
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


@dataclass(frozen=True)
class _Places:
    """The layers `[l]` in the frames `[f]`.

    Attributes:
        boxes: int64 `[f l 4]`, left, top, right and bottom of the pixels where a layer may be;
            (W, H, 0, 0) where it is not visible.
        upright: `[f 2 3]`, affine maps from columns and rows of the canvas to points of the bent
            figure, upright and at its own size.
        look_up: `[f l 2 3]`, affine maps from columns and rows of the canvas to normalised
            coordinates of a layer's samples, where the figure is not bent.
        bend: `[f l 2]`, by how much less these coordinates are, a pixel of the bend.
    """

    boxes: Tensor
    upright: Tensor
    look_up: Tensor
    bend: Tensor

    def of(self, frames: slice) -> _Places:
        """The layers in some of the frames."""
        values = (self.boxes, self.upright, self.look_up, self.bend)
        return _Places(*(value[frames] for value in values))


@torch.no_grad()
def resample_layers(figure: LayeredFigure, scale: float) -> list[Layer]:
    """The layers of `figure` from back to front, for canvases of `scale`."""
    layers = []
    for part in figure.order:
        pixels = figure.layers[part]
        if figure.opacity is not None:
            pixels = torch.cat([pixels, pixels[3:] * figure.opacity])
        if (layer := _resample(part, pixels, scale)) is not None:
            layers.append(layer)
    return layers


@torch.no_grad()
def render(
    figure: LayeredFigure,
    posed: PosedBody,
    canvas: Canvas,
    parts: bool = False,
    layers: list[Layer] | None = None,
) -> Rendering:
    """Frames `[f]` of `figure` in the poses of `posed`, and which part is seen where if `parts`.

    Args:
        layers: those of `resample_layers`, where several calls share them.
    """
    layers = resample_layers(figure, canvas.scale) if layers is None else layers
    f, size = len(posed.transforms), (canvas.height, canvas.width)
    rgba = torch.zeros(f, 4 if figure.opacity is None else 5, *size)
    ids = torch.zeros(f, *size, dtype=torch.int64) if parts else None
    if not layers:
        return Rendering(rgba, slice(0), slice(0), ids)
    places = _place(layers, posed, canvas)
    chunk = max(1, LIMITS.chunk_pixels // (canvas.width * canvas.height))
    for start in range(0, f, chunk):
        now = slice(start, start + chunk)
        part_ids = None if ids is None else ids[now]
        _composite(layers, places.of(now), _frames_of(posed.warp, now), rgba[now], part_ids)
    if figure.opacity is not None:
        share = rgba[:, 4:] / rgba[:, 3:4].clamp_min(1e-6)
        rgba = torch.cat([rgba[:, :3] * share, rgba[:, 4:]], dim=1)
    return Rendering(rgba, *_slices(_union(places.boxes)), ids)


def _composite(
    layers: list[Layer], places: _Places, warp: CartoonWarp, rgba: Tensor, ids: Tensor | None
) -> None:
    """Draws the layers over one another into `rgba [f c H W]` and `ids [f H W]`."""
    whole = _union(places.boxes)
    if _is_empty(whole):
        return
    # The bend is found once for all layers, where any of them may be.
    rows, columns = _slices(whole)
    bent_by = warp.bent_by(_on_grid(places.upright[:, 1], whole))
    strength = None if ids is None else torch.zeros_like(bent_by)
    in_one_piece = [layer.part for layer in layers] == [PARTS.index("torso")]
    drawn = rgba[:, :, rows, columns]
    for index, layer in enumerate(layers):
        box = _union(places.boxes[:, index : index + 1])
        if _is_empty(box):
            continue
        rows, columns = _slices(box, whole[:2])
        sampled = _sample(layer, places, index, box, bent_by[:, rows, columns])
        clear = 1 - sampled[:, 3:4]
        target = drawn[:, :, rows, columns]
        torch.addcmul(sampled, target, clear, out=target)
        if ids is not None and strength is not None:
            # The part seen is the one that adds most to the pixel.
            part_id = SUBJECT if in_one_piece else DENSEPOSE[PARTS[layer.part]][0]
            below = strength[:, rows, columns].mul_(clear[:, 0])
            above = sampled[:, 3] > below
            ids[:, box[1] : box[3], box[0] : box[2]].masked_fill_(above, part_id)
            torch.maximum(below, sampled[:, 3], out=below)
    drawn.clamp_(0, 1)
    if ids is not None:
        ids.masked_fill_(rgba[:, 3] < 0.5, 0)


def _resample(part: int, pixels: Tensor, scale: float) -> Layer | None:
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
    return Layer(part, samples, (left, top, right, bottom), factor, shift)


def _place(layers: list[Layer], posed: PosedBody, canvas: Canvas) -> _Places:
    """Places of the layers, and the look-up of their pixels from the canvas."""
    transforms = posed.transforms[:, [layer.part for layer in layers]]
    visible = _determinant(transforms).abs() >= LIMITS.least_area

    # From a pixel to the point of the frame at its centre, and on to the upright figure.
    pixel = torch.tensor([[0.5 - canvas.left], [0.5 - canvas.top]]) / canvas.scale
    pixel = torch.cat([torch.eye(2) / canvas.scale, pixel], dim=-1)
    upright = _compose(posed.warp.unturned(), pixel)

    # Then to the figure at rest, and to the samples; outside of them if the layer is not visible.
    shown = rearrange(visible, "f l -> f l 1 1")
    at_rest = _inverse(torch.where(shown, transforms, torch.eye(2, 3)))
    scale = torch.stack([layer.scale for layer in layers])
    shift = torch.stack([layer.shift for layer in layers])
    samples = torch.cat([torch.diag_embed(scale), rearrange(shift, "l xy -> l xy 1")], dim=-1)
    outside = torch.tensor([[0.0, 0.0, 2.0]])
    to_samples = torch.where(shown, _compose(samples, at_rest), outside)
    look_up = _compose(to_samples, rearrange(upright, "f r c -> f 1 r c"))
    boxes = _boxes(layers, transforms, visible, posed.warp, canvas)
    return _Places(boxes, upright, look_up, to_samples[..., 0])


def _boxes(
    layers: list[Layer], transforms: Tensor, visible: Tensor, warp: CartoonWarp, canvas: Canvas
) -> Tensor:
    """`boxes` of `_Places`, of layers with affine maps `[f l 2 3]` that are `visible [f l]`."""
    outlines = torch.stack([_outline(layer.box) for layer in layers])
    points = outlines @ transforms[..., :2].mT + rearrange(transforms[..., 2], "f l xy -> f l 1 xy")
    moved = warp.forward(rearrange(points, "f l n xy -> f (l n) xy"))
    places = moved * canvas.scale + torch.tensor([canvas.left, canvas.top])
    places = rearrange(places, "f (l n) xy -> f l n xy", l=len(layers))
    # Between the points a bowed edge is a little further out.
    bow = warp.bend.abs() * (warp.height * canvas.scale * 5 / LIMITS.edge_points**2)
    margin = (2 + max(1.0, canvas.scale) + bow)[:, None, None]
    low, high = places.amin(dim=2) - margin, places.amax(dim=2) + margin
    limit = torch.tensor([canvas.width, canvas.height])
    low, high = low.floor().long().clamp_min(0), torch.minimum(high.ceil().long(), limit)
    visible = visible & (low < high).all(dim=-1)
    nowhere = torch.cat([limit, torch.zeros_like(limit)])
    return torch.where(visible[..., None], torch.cat([low, high], dim=-1), nowhere)


def _outline(box: tuple[int, int, int, int]) -> Tensor:
    """Points `[n 2]` on the four edges of a box."""
    left, top, right, bottom = box
    steps = torch.linspace(0, 1, LIMITS.edge_points)
    x, y = left + (right - left) * steps, top + (bottom - top) * steps
    edges = [(x, torch.full_like(x, end)) for end in (top, bottom)]
    edges += [(torch.full_like(y, end), y) for end in (left, right)]
    return torch.cat([torch.stack(edge, dim=-1) for edge in edges])


def _union(boxes: Tensor) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the box around `boxes [f l 4]`."""
    left, top = boxes[..., :2].amin(dim=(0, 1)).tolist()
    right, bottom = boxes[..., 2:].amax(dim=(0, 1)).tolist()
    return left, top, right, bottom


def _is_empty(box: tuple[int, int, int, int]) -> bool:
    return box[0] >= box[2]


def _slices(
    box: tuple[int, int, int, int], corner: tuple[int, int] = (0, 0)
) -> tuple[slice, slice]:
    """Rows and columns of a box in a canvas that begins at `corner`."""
    left, top = corner
    return slice(box[1] - top, box[3] - top), slice(box[0] - left, box[2] - left)


def _sample(
    layer: Layer, places: _Places, index: int, box: tuple[int, int, int, int], bent_by: Tensor
) -> Tensor:
    """The layer `[f c h w]` in the pixels of `box`, whose points are `bent_by [f h w]` pixels to
    the right of where they would be."""
    grid = torch.empty(*bent_by.shape, 2)
    for axis in (0, 1):
        coordinate = grid[..., axis]
        bend = rearrange(places.bend[:, index, axis], "f -> f 1 1")
        straight = _on_grid(places.look_up[:, index, axis], box)
        torch.addcmul(straight, bent_by, bend, value=-1, out=coordinate)
    samples = layer.samples.expand(len(grid), -1, -1, -1)
    return F.grid_sample(samples, grid, align_corners=False)


def _on_grid(affine: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """An affine function of columns and rows, with coefficients `[f 3]`, in the pixels of a box:
    `[f h w]`."""
    column, row, constant = rearrange(affine, "f k -> k f 1 1")
    x = torch.arange(box[0], box[2], dtype=torch.float32)
    y = torch.arange(box[1], box[3], dtype=torch.float32)[:, None]
    values: Tensor = column * x + (row * y + constant)
    return values


def _compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The affine maps `[... 2 3]` that apply `inner`, then `outer`."""
    linear = outer[..., :2] @ inner
    return torch.cat([linear[..., :2], linear[..., 2:] + outer[..., 2:]], dim=-1)


def _inverse(transform: Tensor) -> Tensor:
    """The inverse of affine maps `[... 2 3]`."""
    inverse = torch.linalg.inv(transform[..., :2])
    return torch.cat([inverse, -inverse @ transform[..., 2:]], dim=-1)


def _determinant(transform: Tensor) -> Tensor:
    return transform[..., 0, 0] * transform[..., 1, 1] - transform[..., 0, 1] * transform[..., 1, 0]


def _frames_of(warp: CartoonWarp, frames: slice) -> CartoonWarp:
    return CartoonWarp(
        warp.base[frames], warp.height, warp.scale[frames], warp.bend[frames], warp.turn[frames]
    )


__all__ = ["Canvas", "Layer", "Rendering", "render", "resample_layers"]
