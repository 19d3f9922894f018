"""Vector drawing of a figure's parts: shapes in body units, rasterised under any motion of points.

Coordinates are in body heights: x to the right from the middle, y down from the ground, so that a
figure stands between y = -1 and y = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]
Points = np.ndarray
PLAIN = 1
"""Material of pixels without a texture; 0 is an outline or nothing."""
BEHIND = 128
"""Added to the material of what lies behind a part, where nothing is clipped to."""
WIDE = 5
"""Pixels; wider outlines need rounded corners."""


@dataclass(frozen=True)
class Shape:
    """A filled polygon, or a line if `width` is positive.

    Attributes:
        points: `[n 2]` in body units.
        fill: its colour.
        group: shapes of one group share one outline around all of them.
        outlined: whether its group has an outline.
        material: `PLAIN`, or the index of a texture + 2.
        width: thickness of a line in body heights.
        clipped: drawn only where the part is filled already, and not over what lies behind it.
        ghost: not drawn: where the figure goes on beyond the part, so that shading is even there.
    """

    points: Points
    fill: Colour
    group: int
    outlined: bool
    material: int = PLAIN
    width: float = 0.0
    clipped: bool = False
    ghost: bool = False


class Sketch:
    """The shapes of one part, from bottom to top.

    Shapes that are added while `behind` is true lie behind the part itself, as a tail does.
    """

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self.behind = False
        self._group = 0

    def outlined(
        self, points: Points | Sequence[Points], fill: Colour, material: int = PLAIN
    ) -> None:
        """Adds polygons with one outline around all of them."""
        self._add(points, fill, material, outlined=True)

    def plain(
        self,
        points: Points | Sequence[Points],
        fill: Colour,
        material: int = PLAIN,
        clipped: bool = False,
    ) -> None:
        """Adds polygons without an outline, with `clipped` only inside filled places."""
        self._add(points, fill, material, outlined=False, clipped=clipped)

    def line(self, points: Points, width: float, fill: Colour, clipped: bool = False) -> None:
        """Adds a line of a `width` in body heights."""
        self._group += 1
        self.shapes.append(
            Shape(np.asarray(points, float), fill, self._group, False, PLAIN, width, clipped)
        )

    def ghost(self, points: Points) -> None:
        """Adds a place where the figure goes on beyond the part."""
        self._group += 1
        self.shapes.append(Shape(points, (0, 0, 0), self._group, False, ghost=True))

    def _add(
        self,
        points: Points | Sequence[Points],
        fill: Colour,
        material: int,
        outlined: bool,
        clipped: bool = False,
    ) -> None:
        self._group += 1
        several = [points] if isinstance(points, np.ndarray) else points
        material += BEHIND * self.behind
        for one in several:
            self.shapes.append(Shape(one, fill, self._group, outlined, material, clipped=clipped))


@dataclass(frozen=True)
class Tile:
    """A part drawn into a rectangle of a canvas.

    Attributes:
        left, top: place of the rectangle on the canvas, in pixels.
        colour: uint8 `[h w 3]`.
        mask: bool `[h w]`, the drawn pixels.
        whole: bool `[h w]`, those and where the figure goes on.
        material: uint8 `[h w]`, see `Shape`; 0 in outlines.
    """

    left: int
    top: int
    colour: np.ndarray
    mask: np.ndarray
    whole: np.ndarray
    material: np.ndarray


def rasterise(
    shapes: Sequence[Shape],
    places: Sequence[Points],
    unit: float,
    outline: tuple[float, Colour] | None,
    canvas: tuple[int, int],
) -> Tile | None:
    """Draws shapes whose points are at `places` (pixels of a canvas of width and height `canvas`).

    `unit` is a body height in pixels. `outline` holds a width in pixels and a colour. None if
    nothing falls on the canvas.
    """
    every = np.concatenate([p for p, s in zip(places, shapes, strict=True) if not s.ghost])
    margin = 3 + (outline[0] if outline else 0)
    margin += max((s.width * unit for s in shapes), default=0.0)
    low = np.maximum(np.floor(every.min(0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(every.max(0) + margin), canvas).astype(int)
    if (high <= low).any():
        return None
    w, h = (high - low).tolist()
    picture, ids = Image.new("RGBA", (w, h)), Image.new("L", (w, h))
    draw, draw_ids = ImageDraw.Draw(picture), ImageDraw.Draw(ids)
    flat = [(p - low).ravel().tolist() for p in places]
    last = -1
    for i, shape in enumerate(shapes):
        if shape.ghost:
            continue
        # The outline of a whole group lies under all its shapes.
        if outline and shape.outlined and shape.group != last:
            thick, colour = max(1, round(2 * outline[0] + 1)), (*outline[1], 255)
            joint = "curve" if thick >= WIDE else None
            for j, other in enumerate(shapes):
                if other.group == shape.group:
                    ring = [*flat[j], *flat[j][:4]]
                    draw.line(ring, colour, thick, joint)
                    draw_ids.line(ring, 0, thick, joint)
        last = shape.group
        fill = (*shape.fill, 255)
        if shape.clipped:
            _draw_clipped(picture, ids, flat[i], shape, unit)
        elif shape.width > 0:
            thick = max(1, round(shape.width * unit))
            draw.line(flat[i], fill, thick, "curve" if thick >= WIDE else None)
            _round_ends(draw, flat[i], thick, fill)
            draw_ids.line(flat[i], 0, thick)
        else:
            draw.polygon(flat[i], fill)
            draw_ids.polygon(flat[i], shape.material)
    pixels = np.asarray(picture)
    mask = pixels[..., 3] > 0
    ghosts = [flat[i] for i, shape in enumerate(shapes) if shape.ghost]
    return Tile(
        int(low[0]),
        int(low[1]),
        pixels[..., :3],
        mask,
        _with_ghosts(mask, ghosts) if ghosts else mask,
        np.asarray(ids) & (BEHIND - 1),
    )


def _with_ghosts(mask: np.ndarray, ghosts: Sequence[list[float]]) -> np.ndarray:
    whole = Image.fromarray(mask.view(np.uint8))
    for flat in ghosts:
        ImageDraw.Draw(whole).polygon(flat, 1)
    return np.asarray(whole).view(bool)


def _draw_clipped(
    picture: Image.Image, ids: Image.Image, flat: list[float], shape: Shape, unit: float
) -> None:
    mask = Image.new("L", picture.size)
    if shape.width > 0:
        ImageDraw.Draw(mask).line(flat, 255, max(1, round(shape.width * unit)), joint="curve")
    else:
        ImageDraw.Draw(mask).polygon(flat, 255)
    mask = ImageChops.multiply(mask, ids.point(_OPAQUE))
    picture.paste((*shape.fill, 255), mask=mask)
    if shape.width == 0:
        ids.paste(shape.material, mask=mask)


_OPAQUE = [255 * (0 < value < BEHIND) for value in range(256)]


def _round_ends(
    draw: ImageDraw.ImageDraw, flat: list[float], thick: int, fill: tuple[int, ...]
) -> None:
    if thick >= 4:
        r = thick / 2
        for x, y in (flat[:2], flat[-2:]):
            draw.ellipse([x - r, y - r, x + r, y + r], fill)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, n: int = 24) -> Points:
    """An ellipse around (x, y), turned clockwise by `turn`."""
    t = np.arange(n) * (2 * pi / n)
    outline: Points = turned(np.stack([rx * np.cos(t), ry * np.sin(t)], -1), turn)
    outline += np.array([x, y])
    return outline


def superellipse(x: float, y: float, rx: float, ry: float, power: float, n: int = 32) -> Points:
    """Between an ellipse (`power` 2) and a box (large)."""
    t = np.arange(n) * (2 * pi / n)
    c, s = np.cos(t), np.sin(t)
    e = 2 / power
    return np.stack(
        [x + rx * np.sign(c) * np.abs(c) ** e, y + ry * np.sign(s) * np.abs(s) ** e], -1
    )


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, n: int = 12) -> Points:
    """Part of an ellipse; angles clockwise from the right."""
    t = np.linspace(start, end, n)
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], -1)


def box(x: float, y: float, rx: float, ry: float, corner: float = 0.0) -> Points:
    """A rectangle around (x, y) with round corners of radius `corner`."""
    if corner <= 0:
        return np.array([[x - rx, y - ry], [x + rx, y - ry], [x + rx, y + ry], [x - rx, y + ry]])
    r = min(corner, rx, ry)
    centres = ((rx - r, ry - r), (r - rx, ry - r), (r - rx, r - ry), (rx - r, r - ry))
    return np.concatenate(
        [
            arc(x + cx, y + cy, r, r, k * pi / 2, (k + 1) * pi / 2, 5)
            for k, (cx, cy) in enumerate(centres)
        ]
    )


def smooth(points: Iterable[tuple[float, float]], steps: int = 5) -> Points:
    """A closed Catmull-Rom curve through `points`."""
    p = np.array(list(points), float)
    a, b, c, d = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = (np.arange(steps) / steps)[:, None, None]
    curve: Points = (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    ) / 2
    return curve.swapaxes(0, 1).reshape(-1, 2)


def symmetric(right: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A contour that is the mirror image of itself, from its right half, top to bottom."""
    return [*right, *((-x, y) for x, y in reversed(right))]


def swell(
    a: Points, b: Points, wa: float, wb: float, bulge: float, at: float = 0.4
) -> tuple[Points, Points]:
    """Both sides of a segment from a to b, `[n 2]` each from a to b, of half widths `wa` and `wb`,
    wider by `bulge` at the share `at` of its length."""
    d = b - a
    n = np.array([-d[1], d[0]]) / max(1e-9, float(np.hypot(*d)))
    t = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    # One smooth hill over the segment, highest at `at`.
    hill = np.sin(np.pi * t ** (np.log(0.5) / np.log(at)))
    half = wa + (wb - wa) * t + bulge * hill
    middle, side = a + t[:, None] * d, half[:, None] * n
    return middle + side, middle - side


def capsule(a: Points, b: Points, wa: float, wb: float, n: int = 7) -> Points:
    """A segment from a to b with round ends, of half widths `wa` and `wb`."""
    angle = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    t = np.linspace(-pi / 2, pi / 2, n) + angle
    front = np.stack([np.cos(t), np.sin(t)], -1)
    return np.concatenate([b + wb * front, a - wa * front])


def band(a: Points, b: Points, wa: float, wb: float) -> Points:
    """A segment from a to b with flat ends, of half widths `wa` and `wb`."""
    d = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
    n = np.array([-d[1], d[0]])
    return np.stack([a + n * wa, b + n * wb, b - n * wb, a - n * wa])


def xy(point: Points) -> tuple[float, float]:
    """A single point as two numbers."""
    return float(point[0]), float(point[1])


def turned(points: Points, angle: float) -> Points:
    """`points` about the origin, clockwise as seen."""
    if angle == 0:
        return points
    c, s = float(np.cos(angle)), float(np.sin(angle))
    result: Points = points @ np.array([[c, s], [-s, c]])
    return result


def star(x: float, y: float, outer: float, inner: float, spikes: int, turn: float = 0.0) -> Points:
    """A star around (x, y), its first spike up."""
    t = np.arange(2 * spikes) * (pi / spikes) - pi / 2 + turn
    r = np.where(np.arange(2 * spikes) % 2 == 0, outer, inner)
    return np.stack([x + r * np.cos(t), y + r * np.sin(t)], -1)
