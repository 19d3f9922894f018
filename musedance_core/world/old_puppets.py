"""Articulated puppets: people, animals and robots drawn from a few random numbers."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from .stickers import Subject

FINE = 4
"""Supersampling factor for smooth edges."""
TORSO, HEAD = 2, 24
ARMS = {"arm_left": 16, "arm_right": 15}
LEGS = {"leg_left": 9, "leg_right": 10}
Colour = tuple[int, int, int]


class Layer:
    """A transparent drawing in body units: x, y in -0.5..0.5, feet at the bottom."""

    def __init__(self, size: int) -> None:
        self.pixels = size * FINE
        self.image = Image.new("RGBA", (self.pixels, self.pixels))
        self.draw = ImageDraw.Draw(self.image)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return ((x + 0.5) * self.pixels, (y + 0.5) * self.pixels)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Draws an ellipse centred at (x, y)."""
        self.draw.ellipse([self._at(x - rx, y - ry), self._at(x + rx, y + ry)], fill=fill)

    def box(self, x: float, y: float, rx: float, ry: float, fill: Colour, round_: float) -> None:
        """Draws a rounded rectangle centred at (x, y)."""
        corners = [self._at(x - rx, y - ry), self._at(x + rx, y + ry)]
        self.draw.rounded_rectangle(corners, radius=round_ * self.pixels, fill=fill)

    def limb(self, points: list[tuple[float, float]], width: float, fill: Colour) -> None:
        """Draws a thick line with round ends."""
        self.draw.line(
            [self._at(*p) for p in points],
            fill=fill,
            width=round(width * self.pixels),
            joint="curve",
        )
        for x, y in points:
            self.ellipse(x, y, width / 2, width / 2, fill)

    def polygon(self, points: list[tuple[float, float]], fill: Colour) -> None:
        """Draws a filled polygon."""
        self.draw.polygon([self._at(*p) for p in points], fill=fill)

    def tensor(self) -> Tensor:
        """Returns the drawing at its final size, `[4 s s]` in 0..1."""
        size = self.pixels // FINE
        small = self.image.convert("RGBa").resize((size, size), Image.Resampling.BOX)
        pixels = np.asarray(small.convert("RGBA")).copy()
        return rearrange(torch.from_numpy(pixels).float() / 255, "h w c -> c h w")


def random_puppet(rng: np.random.Generator, size: int) -> Subject:
    """Returns a puppet with layers of `size` x `size` pixels."""
    skin, cloth, trousers, extra = (_colour(rng) for _ in range(4))
    animal, robot = rng.random() < 0.45, rng.random() < 0.2
    if animal:
        cloth = skin if rng.random() < 0.6 else cloth
        trousers = cloth
    width = float(rng.uniform(0.055, 0.10))
    half = float(rng.uniform(0.10, 0.17))
    head = float(rng.uniform(0.14, 0.20))
    hip, shoulder = 0.20, -0.10
    arm, leg = float(rng.uniform(0.22, 0.30)), 0.5 - hip - width / 2
    layers: list[tuple[int, str | None, tuple[float, float], Layer]] = []

    for sign, name in ((-1, "leg_left"), (1, "leg_right")):
        sheet, x = Layer(size), sign * half * 0.55
        sheet.limb([(x, hip), (x, hip + leg - 0.01)], width * 1.15, trousers)
        sheet.ellipse(x + sign * 0.02, hip + leg, width * 0.85, width * 0.5, extra)
        layers.append((LEGS[name], name, (x, hip), sheet))
    body = Layer(size)
    if robot:
        body.box(0, (hip + shoulder) / 2, half, 0.19, cloth, 0.03)
        body.box(0, (hip + shoulder) / 2, half * 0.6, 0.08, extra, 0.02)
    else:
        body.ellipse(0, (hip + shoulder) / 2, half, 0.20, cloth)
        if rng.random() < 0.5:
            body.ellipse(0, (hip + shoulder) / 2 + 0.03, half * 0.6, 0.12, extra)
    layers.append((TORSO, None, (0.0, 0.0), body))
    for sign, name in ((-1, "arm_left"), (1, "arm_right")):
        sheet, x = Layer(size), sign * half * 0.85
        hand = (x + sign * 0.05, shoulder + arm)
        sheet.limb([(x, shoulder + 0.03), hand], width, cloth)
        sheet.ellipse(*hand, width * 0.65, width * 0.65, skin)
        layers.append((ARMS[name], name, (x, shoulder + 0.03), sheet))
    layers.append(
        (HEAD, "head", (0.0, shoulder), _head(rng, size, head, skin, extra, animal, robot))
    )
    return Subject(
        torch.stack([sheet.tensor() for *_, sheet in layers]),
        tuple(part for part, *_ in layers),
        tuple(drive for _, drive, *_ in layers),
        tuple(pivot for _, _, pivot, _ in layers),
    )


def _head(
    rng: Any, size: int, r: float, skin: Colour, extra: Colour, animal: bool, robot: bool
) -> Layer:
    """Draws the head with ears or hair, eyes and mouth."""
    sheet, y = Layer(size), -0.49 + r + 0.04
    if animal:
        tall = float(rng.uniform(0.05, 0.11))
        for sign in (-1, 1):
            if tall > 0.08:
                x = sign * r * 0.6
                sheet.polygon(
                    [
                        (x - 0.06, y - r * 0.6),
                        (x + 0.06, y - r * 0.6),
                        (x + sign * 0.02, y - r - 0.03),
                    ],
                    skin,
                )
            else:
                sheet.ellipse(sign * r * 0.8, y - r * 0.65, tall, tall, skin)
    if robot:
        sheet.box(0, y, r, r * 0.85, skin, 0.03)
    else:
        sheet.ellipse(0, y, r, r * float(rng.uniform(0.85, 1.0)), skin)
    if not animal and not robot and rng.random() < 0.7:
        sheet.draw.pieslice(
            [sheet._at(-r, y - r), sheet._at(r, y + r)], start=180, end=360, fill=extra
        )
    white, black = (250, 250, 250), (25, 20, 30)
    for sign in (-1, 1):
        sheet.ellipse(sign * r * 0.4, y + 0.01, r * 0.22, r * 0.25, white)
        sheet.ellipse(sign * r * 0.4, y + 0.015, r * 0.12, r * 0.14, black)
    if animal:
        sheet.ellipse(0, y + r * 0.45, r * 0.3, r * 0.2, extra)
    sheet.ellipse(0, y + r * 0.55, r * 0.22, r * 0.07, black)
    return sheet


def _colour(rng: np.random.Generator) -> Colour:
    """Returns a saturated colour of any hue."""
    r, g, b = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.9), rng.uniform(0.45, 1.0))
    return (round(255 * r), round(255 * g), round(255 * b))
