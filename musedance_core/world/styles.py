"""Styles of drawings: outlines, finishes, textures, and those that only the test split has."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from .drawing import PLAIN, Colour, Tile
from .themes import Theme

Field = np.ndarray
Pattern = Callable[[Field, Field, np.ndarray], Field]
NOISE = 128
"""Side of a style's table of smooth noise, which repeats."""
CELL = 4
"""Entries of the table for each cell of noise, along each axis."""
FINE_STEP = 0.12
"""Entries a pixel, below which noise is interpolated."""


def _noise(table: np.ndarray, u: Field, v: Field, rate: float) -> Field:
    """Smooth noise in 0..1 at a rate of cells a body height."""
    x, y = u * (rate * CELL), v * (rate * CELL)
    left, top = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    rows, columns = top & (NOISE - 1), left & (NOISE - 1)
    found: Field = table[rows, columns]
    if x.shape[1] > 1 and abs(float(x[0, 1] - x[0, 0])) + abs(float(y[0, 1] - y[0, 0])) < FINE_STEP:
        # Entries are wider than pixels: interpolate, or their edges show.
        below, right = (rows + 1) & (NOISE - 1), (columns + 1) & (NOISE - 1)
        across, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
        upper = found + across * (table[rows, right] - found)
        lower = table[below, columns]
        lower = lower + across * (table[below, right] - lower)
        found = upper + down * (lower - upper)
    return found


def _wave(phase: Field, sharp: float = 6.0) -> Field:
    return np.clip(0.5 + sharp * np.sin(2 * np.pi * phase), 0, 1)


def _dots(u: Field, v: Field, rate: float, radius: float) -> Field:
    row = np.floor(v * rate)
    x, y = (u * rate + 0.5 * (row % 2)) % 1 - 0.5, (v * rate) % 1 - 0.5
    return np.clip((radius - np.hypot(x, y)) * 12, 0, 1)


PATTERNS: dict[str, Pattern] = {
    "stripes": lambda u, v, n: _wave(v * 16),
    "wide stripes": lambda u, v, n: _wave(v * 8),
    "pinstripes": lambda u, v, n: np.clip(_wave(u * 26) - 0.4, 0, 1),
    "diagonal": lambda u, v, n: _wave((u + v) * 14),
    "checks": lambda u, v, n: np.abs(_wave(u * 14) - _wave(v * 14)),
    "plaid": lambda u, v, n: 0.4 * _wave(u * 12) + 0.4 * _wave(v * 12) + 0.2 * _wave(u * 36),
    "dots": lambda u, v, n: _dots(u, v, 14, 0.26),
    "large dots": lambda u, v, n: _dots(u, v, 8, 0.3),
    "camouflage": lambda u, v, n: (_noise(n, u, v, 4) > 0.52) * 1.0,
    "mottled": lambda u, v, n: _noise(n, u, v, 9),
    "denim": lambda u, v, n: 0.5 * _noise(n, u + v, v, 30) + 0.3 * _wave((u + v) * 60, 1),
    "knit": lambda u, v, n: _wave(v * 40 + 0.3 * np.sin(u * 250), 2) * 0.6,
    "scales": lambda u, v, n: np.clip(1.4 - 2.4 * _dots(u, v, 16, 0.5), 0, 1),
    "zigzag": lambda u, v, n: _wave(v * 14 + 0.5 * np.abs((u * 14) % 2 - 1)),
    "halftone": lambda u, v, n: _dots(u, v, 30, 0.3),
    "hatching": lambda u, v, n: np.clip(_wave((u - v) * 34) - 0.3, 0, 1),
    "flowers": lambda u, v, n: np.maximum(
        _dots(u, v, 9, 0.1), 0.7 * _dots(u, v, 9, 0.3) * _wave(np.arctan2(v % 0.11, u % 0.11))
    ),
}
FINISHES = {
    "flat": 0.32,
    "cel": 0.17,
    "soft": 0.14,
    "gradient": 0.12,
    "painted": 0.10,
    "crayon": 0.06,
    "glossy": 0.07,
    "photo": 0.09,
}
"""Fillings of surfaces, with weights."""
OUTLINES = {
    "none": 0.36,
    "thin": 0.2,
    "middle": 0.18,
    "thick": 0.1,
    "heavy": 0.03,
    "coloured": 0.13,
}
OUTLINE_WIDTHS = {
    "none": (0.0, 0.0),
    "thin": (0.003, 0.007),
    "middle": (0.007, 0.013),
    "thick": (0.013, 0.020),
    "heavy": (0.020, 0.030),
    "coloured": (0.005, 0.012),
}
"""Ranges of the width of outlines in body heights."""
HELD_OUT_PATTERNS = ("plaid", "zigzag", "scales")
HELD_OUT_FINISHES = ("watercolour",)
"""Only characters of the test split have these, half of them at least one."""


@dataclass(frozen=True)
class Texture:
    """A pattern of `colour` on a material."""

    pattern: str
    colour: Colour
    strength: float
    scale: float


@dataclass(frozen=True)
class Style:
    """The drawing style of a figure.

    Attributes:
        outline: width in body heights, 0 for none, and colour.
        finish: of `FINISHES` or `HELD_OUT_FINISHES`.
        textures: those of materials 2, 3 ...
        light: direction that the light comes from, x and y.
        depth: strength of the shading in 0..1.
        noise: `[NOISE NOISE]` smooth noise in 0..1.
        wobble: how far an unsteady hand moves points, in body heights.
    """

    outline: tuple[float, Colour]
    finish: str
    textures: tuple[Texture, ...]
    light: tuple[float, float]
    depth: float
    noise: np.ndarray
    wobble: float

    def line(self, unit: float) -> tuple[float, Colour] | None:
        """Outline in pixels where a body height has `unit` of them."""
        width, colour = self.outline
        return (max(0.5, width * unit), colour) if width > 0 else None

    def shade(self, tile: Tile, unit: float, to_body: np.ndarray) -> np.ndarray:
        """Colours uint8 `[h w 3]` of a tile with textures and shading.

        `to_body [2 3]` takes pixels of the canvas to body units of the part at rest.
        """
        if self.finish == "flat" and tile.material.max() <= PLAIN:
            return tile.colour
        h, w = tile.mask.shape
        colour = tile.colour.astype(np.float32)
        x = (np.arange(w, dtype=np.float32) + tile.left)[None, :]
        y = (np.arange(h, dtype=np.float32) + tile.top)[:, None]
        u, v = (r[0] * x + r[1] * y + r[2] for r in to_body.astype(np.float32))
        for i, texture in enumerate(self.textures):
            chosen = tile.material == i + PLAIN + 1
            if chosen.any():
                pattern = PATTERNS[texture.pattern](
                    u / texture.scale, v / texture.scale, self.noise
                )
                share = (chosen * pattern * texture.strength)[..., None].astype(np.float32)
                colour += share * (np.array(texture.colour, np.float32) - colour)
        factor = self._light(tile, unit, u, v)
        if factor is not None:
            filled = (tile.material > 0)[..., None]
            colour = np.where(filled, colour * factor, colour)
        return np.clip(colour, 0, 255).astype(np.uint8)

    def _light(self, tile: Tile, unit: float, u: Field, v: Field) -> Field | None:
        """Factor `[h w 1 or 3]` of brightness."""
        if self.finish == "flat":
            return None
        depth, noise = self.depth, self.noise
        if self.finish == "cel":
            lit = _shifted(tile.whole, self.light, 0.022 * unit)
            return np.where(lit, 1.0, 1 - 0.55 * depth)[..., None].astype(np.float32)
        if self.finish == "gradient":
            along = self.light[0] * u * 2 - self.light[1] * (v + 0.5)
            return (1 + depth * np.clip(along, -0.6, 0.6))[..., None]
        if self.finish == "crayon":
            grain = 0.6 * _noise(noise, u + 0.5 * v, v, 50) + 0.4 * _noise(noise, u - v, v, 12)
            return (1 + depth * (1.2 * grain - 0.5))[..., None]
        round_ = self._round(tile, unit)
        if self.finish == "watercolour":
            rim = 1 - 0.5 * depth * (1 - round_)
            wash: Field = rim + 0.5 * depth * (_noise(noise, u, v, 4) - 0.4)
            return wash[..., None]
        if self.finish == "painted":
            strokes = _noise(noise, u * 0.4 + v * 0.2, v, 12)
            steps: Field = np.round(4 * (round_ + 0.6 * strokes)) / 4
            return (1 + depth * (steps - 1.1))[..., None]
        soft: Field = 1 + depth * (1.5 * round_ - 1.2)
        if self.finish == "glossy":
            spot = np.clip(4 * self._round(tile, unit, 0.035) - 3, 0, 1)
            soft = soft + 1.2 * depth * spot
        elif self.finish == "photo":
            soft = (
                soft
                + 0.25 * (_noise(noise, u, v, 3) - 0.5)
                + 0.12 * (_noise(noise, v, u, 28) - 0.5)
            )
        return soft[..., None]

    def _round(self, tile: Tile, unit: float, shift: float = 0.02) -> Field:
        """Brightness of a rounded surface in 0..1: how deep inside the part a pixel is, moved by
        `shift` body heights towards the light."""
        radius = 0.03 * unit
        inside = Image.fromarray(tile.whole.view(np.uint8) * np.uint8(255))
        blurred = np.asarray(inside.filter(ImageFilter.BoxBlur(radius))) / np.float32(255)
        dx, dy = (round(a * shift * unit) for a in self.light)
        return _shift(blurred, dx, dy)


def random_style(
    rng: np.random.Generator, split: str, theme: Theme, palette: list[Colour]
) -> Style:
    """A style of a theme and a split; `palette` gives colours of outlines and textures."""
    held_out = split == "test" and rng.random() < 0.5
    finish = str(rng.choice(theme.finishes) if theme.finishes else _free(rng, FINISHES))
    if held_out and rng.random() < 0.5:
        finish = str(rng.choice(HELD_OUT_FINISHES))
    usual = [name for name in PATTERNS if name not in HELD_OUT_PATTERNS]
    names = HELD_OUT_PATTERNS if held_out else usual
    textures = tuple(
        Texture(
            str(rng.choice(names)),
            palette[int(rng.integers(len(palette)))] if rng.random() < 0.6 else bright(rng),
            float(rng.uniform(0.3, 1.0)),
            float(rng.uniform(0.6, 1.6)),
        )
        for _ in range(2)
    )
    angle = float(rng.uniform(-2.6, -0.5))
    wobble = theme.wobble if rng.random() < 0.7 else float(rng.choice([0, 0, 0, 0.002, 0.004]))
    return Style(
        _outline(rng, theme, palette),
        finish,
        textures,
        (float(np.cos(angle)), float(np.sin(angle))),
        float(rng.uniform(0.3, 0.75)),
        smooth_noise(rng),
        wobble,
    )


def _free(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """A name by its weight."""
    weights = np.array(list(shares.values()))
    return str(rng.choice(list(shares), p=weights / weights.sum()))


def smooth_noise(rng: np.random.Generator) -> np.ndarray:
    """Noise float32 `[NOISE NOISE]` in 0..1 of cells of four entries, which repeats."""
    coarse = rng.random((NOISE // CELL, NOISE // CELL)).astype(np.float32)
    wrapped = np.pad(coarse, 2, mode="wrap")
    side = NOISE + 16
    fine = np.asarray(Image.fromarray(wrapped).resize((side, side), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(fine[8:-8, 8:-8])


def _outline(rng: np.random.Generator, theme: Theme, palette: list[Colour]) -> tuple[float, Colour]:
    kind = str(rng.choice(theme.outlines) if theme.outlines else _free(rng, OUTLINES))
    dark: Colour = (0, 0, 0)
    if rng.random() < 0.6:
        dark = tuple(int(x) for x in rng.integers(0, 60, 3))  # type: ignore[assignment]
    if kind == "coloured":
        dark = shaded(palette[int(rng.integers(len(palette)))], 0.5)
    return float(rng.uniform(*OUTLINE_WIDTHS[kind])), dark


def shaded(colour: Colour, factor: float) -> Colour:
    """A darker (below 1) or lighter colour."""
    if factor <= 1:
        return tuple(round(c * factor) for c in colour)  # type: ignore[return-value]
    return tuple(round(255 - (255 - c) / factor) for c in colour)  # type: ignore[return-value]


def from_hsv(h: float, s: float, v: float) -> Colour:
    """A colour of hue, saturation and value in 0..1."""
    r, g, b = colorsys.hsv_to_rgb(h % 1, min(1, s), min(1, v))
    return (round(255 * r), round(255 * g), round(255 * b))


def bright(rng: np.random.Generator) -> Colour:
    """A colour of any hue; one of four is nearly grey, black or white."""
    if rng.random() < 0.25:
        return from_hsv(rng.random(), rng.uniform(0, 0.15), rng.uniform(0.08, 1.0))
    return from_hsv(rng.random(), rng.uniform(0.3, 1.0), rng.uniform(0.35, 1.0))


def _shift(values: Field, dx: int, dy: int) -> Field:
    """Values moved by whole pixels, the edges repeated."""
    h, w = values.shape
    rows = np.clip(np.arange(h) - dy, 0, h - 1)
    columns = np.clip(np.arange(w) - dx, 0, w - 1)
    return values[rows[:, None], columns[None]]


def _shifted(mask: np.ndarray, light: tuple[float, float], distance: float) -> np.ndarray:
    """Pixels that still belong to the mask when it moves towards the light."""
    h, w = mask.shape
    dx = int(np.clip(round(light[0] * distance), -w, w))
    dy = int(np.clip(round(light[1] * distance), -h, h))
    result = np.zeros_like(mask)
    result[max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)] = mask[
        max(0, -dy) : h + min(0, -dy), max(0, -dx) : w + min(0, -dx)
    ]
    both: np.ndarray = result & mask
    return both
