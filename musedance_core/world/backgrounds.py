"""Procedural backgrounds: plain, patterned, drawn and photo-like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

Picture = np.ndarray
"""float32 `[s s 3]` in 0..1."""


def random_background(rng: np.random.Generator, size: int, flat: bool = False) -> Tensor:
    """A background `[3 size size]` in 0..1; `flat` means one colour."""
    kind = "flat" if flat else str(rng.choice(list(KINDS), p=_SHARES))
    picture = np.clip(KINDS[kind](rng, size), 0, 1)
    if kind in DETAILED and rng.random() < 0.4:  # out of focus
        image = Image.fromarray((picture * 255).astype(np.uint8))
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.004, 0.03)) * size))
        picture = np.asarray(image, np.float32) / 255
    if not flat and rng.random() < 0.2:
        picture = picture + rng.normal(0, rng.uniform(0.005, 0.04), picture.shape)
    picture = np.ascontiguousarray(np.clip(picture, 0, 1), np.float32)
    return rearrange(torch.from_numpy(picture), "h w c -> c h w").contiguous()


def _flat(rng: np.random.Generator, size: int) -> Picture:
    return np.broadcast_to(_colour(rng), (size, size, 3))


def _white(rng: np.random.Generator, size: int) -> Picture:
    """Paper and screens."""
    return np.full((size, size, 3), float(rng.choice([1.0, 1.0, rng.uniform(0.85, 1)])))


def _gradient(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    angle = float(rng.uniform(0, 2 * np.pi))
    return _blend(rng, (np.cos(angle) * x + np.sin(angle) * y) / 2.8 + 0.5)


def _spot(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    middle, width = rng.uniform(-0.4, 0.4), rng.uniform(0.6, 2.5)
    return _blend(rng, np.exp(-(x**2 + (y - middle) ** 2) * width))


def _floor(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    line = rng.uniform(0.1, 0.8) + rng.normal(0, 0.05) * x
    return _blend(rng, np.clip((y - line) * float(rng.choice([4, 15, 50])) + 0.5, 0, 1))


def _stripes(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    angle, wave = float(rng.uniform(0, np.pi)), float(rng.uniform(2, 9))
    stripes = np.sin((np.cos(angle) * x + np.sin(angle) * y) * wave * np.pi)
    return _blend(rng, np.clip(0.5 + float(rng.choice([0.5, 5.0])) * stripes, 0, 1))


def _checks(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    wave = float(rng.uniform(2, 9))
    return _blend(rng, (np.sin(x * wave * np.pi) * np.sin(y * wave * np.pi) > 0) * 1.0)


def _rays(rng: np.random.Generator, size: int) -> Picture:
    y, x = _grid(size)
    turns = np.arctan2(y - rng.uniform(-0.3, 0.5), x - rng.uniform(-0.3, 0.3))
    return _blend(rng, np.clip(0.5 + 4 * np.sin(turns * int(rng.integers(5, 13))), 0, 1))


def _clouds(rng: np.random.Generator, size: int) -> Picture:
    return _blend(rng, _noise(rng, size, int(rng.integers(3, 9))))


def _marble(rng: np.random.Generator, size: int) -> Picture:
    """Noise of many scales, as of stone, grass or skies."""
    octaves = [_noise(rng, size, n) * (5.0 / n) for n in (4, 9, 20, 40) if n <= size]
    total: np.ndarray = np.sum(octaves, axis=0)
    low, high = total.min(), total.max()
    return _blend(rng, (total - low) / max(1e-6, high - low))


def _weave(rng: np.random.Generator, size: int) -> Picture:
    """Boards, bricks or tiles with seams."""
    y, x = _grid(size)
    rows, columns = rng.uniform(2, 9), rng.uniform(0.5, 6)
    shift = 0.5 * (np.floor(y * rows) % 2) if rng.random() < 0.6 else 0.0
    seam = np.minimum((y * rows) % 1, (x * columns + shift) % 1) < rng.uniform(0.04, 0.12)
    tone = (
        0.4 * _noise(rng, size, 12)
        + 0.3 * ((np.floor(y * rows) * 7 + np.floor(x * columns + shift) * 3) % 5) / 5
    )
    return _blend(rng, np.where(seam, 1.0, tone * 0.6))


def _shapes(rng: np.random.Generator, size: int) -> Picture:
    """Scattered discs, boxes, polygons and lines."""
    image, draw = _canvas(rng, size)
    for _ in range(int(rng.integers(3, 22))):
        x, y = rng.uniform(-0.1, 1.1, 2) * size
        r = float(rng.uniform(0.02, 0.28)) * size
        fill = _bytes(_colour(rng))
        kind = rng.integers(4)
        if kind == 0:
            draw.ellipse([x - r, y - r, x + r, y + r], fill)
        elif kind == 1:
            q = r * float(rng.uniform(0.3, 1.5))
            draw.rectangle([x - r, y - q, x + r, y + q], fill)
        elif kind == 2:
            points = rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * r + (x, y)
            draw.polygon(points.ravel().tolist(), fill)
        else:
            ends = rng.uniform(0, size, 4).tolist()
            draw.line(ends, fill, max(1, round(float(rng.uniform(0.004, 0.04)) * size)))
    return np.asarray(image, np.float32) / 255


def _lights(rng: np.random.Generator, size: int) -> Picture:
    """Lights out of focus on a dark ground."""
    base = np.array(_gradient(rng, size)) * float(rng.uniform(0.2, 0.7))
    y, x = _grid(size)
    for _ in range(int(rng.integers(4, 14))):
        cx, cy, r = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.05, 0.35)
        disc = np.clip((r - np.hypot(x - cx, y - cy)) * 20, 0, 1) * rng.uniform(0.2, 0.7)
        base = base + disc[..., None] * (_colour(rng) - base)
    return base


def _landscape(rng: np.random.Generator, size: int) -> Picture:
    """Sky, sun, hills, trees and ground."""
    picture = np.array(_gradient(rng, size))
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:
        x, y = rng.uniform(0, 1) * size, rng.uniform(0.05, 0.4) * size
        r = float(rng.uniform(0.04, 0.12)) * size
        draw.ellipse([x - r, y - r, x + r, y + r], _bytes(_colour(rng)))
    across = np.linspace(0, size, 13)
    for k in range(int(rng.integers(1, 4))):
        level = rng.uniform(0.35, 0.6) + 0.13 * k
        heights = size * (
            level
            + rng.uniform(0.02, 0.12)
            * np.sin(across / size * rng.uniform(2, 12) + rng.uniform(0, 6))
        )
        if rng.random() < 0.3:
            heights += rng.uniform(-0.05, 0.05, 13) * size
        points = [*np.stack([across, heights], -1).ravel().tolist(), size, size, 0, size]
        draw.polygon(points, _bytes(_colour(rng)))
    for _ in range(int(rng.integers(0, 6))):
        x, y = rng.uniform(0, 1) * size, rng.uniform(0.5, 0.9) * size
        r = float(rng.uniform(0.03, 0.12)) * size
        draw.rectangle([x - r / 6, y - r, x + r / 6, y + r], _bytes(_colour(rng)))
        draw.ellipse([x - r, y - 2.5 * r, x + r, y - 0.3 * r], _bytes(_colour(rng)))
    return np.asarray(image, np.float32) / 255


def _room(rng: np.random.Generator, size: int) -> Picture:
    """A wall, a floor, windows or pictures, furniture and a rug."""
    image, draw = _canvas(rng, size)
    line = float(rng.uniform(0.55, 0.85)) * size
    draw.rectangle([0, line, size, size], _bytes(_colour(rng)))
    if rng.random() < 0.5:
        draw.rectangle([0, line - 0.03 * size, size, line], _bytes(_colour(rng)))
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, 0.8) * size, rng.uniform(0.02, 0.35) * size
        w, h = rng.uniform(0.08, 0.35, 2) * size
        edge = max(1, round(0.02 * size))
        draw.rectangle([x, y, x + w, y + h], _bytes(_colour(rng)), _bytes(_colour(rng)), edge)
    for _ in range(int(rng.integers(0, 4))):
        x, w = rng.uniform(-0.1, 0.9) * size, rng.uniform(0.08, 0.45) * size
        h = rng.uniform(0.1, 0.5) * size
        draw.rectangle([x, line - h, x + w, line + 0.06 * size], _bytes(_colour(rng)))
    if rng.random() < 0.3:
        draw.ellipse([0.1 * size, line + 0.05 * size, 0.9 * size, size], _bytes(_colour(rng)))
    picture = np.asarray(image, np.float32) / 255
    down, _ = _grid(size)
    shaded: Picture = picture * (1 - float(rng.uniform(0, 0.3)) * down[..., None])
    return shaded


KINDS: dict[str, Callable[[np.random.Generator, int], Picture]] = {
    "flat": _flat,
    "white": _white,
    "gradient": _gradient,
    "spot": _spot,
    "floor": _floor,
    "stripes": _stripes,
    "checks": _checks,
    "rays": _rays,
    "clouds": _clouds,
    "marble": _marble,
    "weave": _weave,
    "shapes": _shapes,
    "lights": _lights,
    "landscape": _landscape,
    "room": _room,
}
_WEIGHTS = np.array([12, 10, 12, 6, 8, 4, 3, 3, 5, 7, 5, 8, 4, 8, 9], float)
_SHARES = _WEIGHTS / _WEIGHTS.sum()
DETAILED = ("marble", "weave", "shapes", "landscape", "room")
"""Backgrounds that are out of focus at times."""


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """y and x in -1..1 of every pixel."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    return np.broadcast_to(axis[:, None], (size, size)), np.broadcast_to(axis, (size, size))


def _blend(rng: np.random.Generator, share: np.ndarray) -> Picture:
    """Two colours mixed by a share `[s s]`."""
    first, second = _colour(rng), _colour(rng)
    mixed: Picture = first + np.clip(share, 0, 1)[..., None].astype(np.float32) * (second - first)
    return mixed


def _noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise `[s s]` in 0..1."""
    coarse = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
    fine = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    clipped: np.ndarray = np.clip(fine, 0, 1)
    return clipped


def _canvas(rng: np.random.Generator, size: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (size, size), _bytes(_colour(rng)))
    return image, ImageDraw.Draw(image)


def _bytes(colour: np.ndarray) -> tuple[int, int, int]:
    r, g, b = (round(255 * float(c)) for c in colour)
    return r, g, b


def _colour(rng: np.random.Generator) -> np.ndarray:
    """A random colour `[3]`, mostly of low saturation."""
    base, spread = rng.uniform(0.1, 1.0), rng.uniform(0.03, 0.45)
    return np.clip(base + spread * rng.uniform(-1, 1, 3), 0, 1).astype(np.float32)
