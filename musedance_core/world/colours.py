"""Colours of puppets: skin, fur, hair and palettes of clothes."""

from __future__ import annotations

import numpy as np

from .drawing import Colour
from .styles import bright, from_hsv, shaded
from .themes import Theme

SKINS: tuple[Colour, ...] = (
    *((255, 220, 190), (240, 195, 160), (225, 170, 130), (190, 130, 90), (140, 90, 60)),
    *((95, 60, 45), (250, 225, 205)),
)
YELLOWS: tuple[Colour, ...] = ((255, 202, 40), (255, 205, 75), (252, 234, 43), (250, 193, 60))
FURS: tuple[Colour, ...] = (
    *((150, 105, 65), (205, 150, 95), (235, 160, 80), (240, 235, 225), (70, 60, 60)),
    *((130, 130, 135), (245, 190, 195), (120, 170, 90), (90, 140, 190), (250, 215, 90)),
)
HAIRS: tuple[Colour, ...] = (
    *((40, 30, 28), (75, 48, 30), (120, 75, 40), (205, 160, 80), (170, 75, 35)),
    *((200, 200, 200), (25, 25, 30)),
)
EMOJI: tuple[Colour, ...] = (
    *((255, 130, 30), (235, 90, 70), (100, 100, 105), (60, 105, 170), (70, 130, 220)),
    *((195, 45, 45), (45, 45, 50), (80, 160, 90), (235, 235, 240), (120, 75, 160)),
)
CLOTHES: tuple[Colour, ...] = (
    *((235, 235, 232), (40, 42, 48), (110, 112, 116), (55, 70, 105), (85, 105, 140)),
    *((150, 45, 45), (95, 80, 65), (180, 160, 130), (60, 85, 65), (200, 120, 130)),
)
"""Colours of clothes in photographs."""


def random_skin(rng: np.random.Generator, theme: Theme, kind: str) -> Colour:
    """Skin, fur or metal of a kind of puppet."""
    if theme.skins == "white" and rng.random() < 0.7:
        return (252, 252, 250)
    if kind == "human":
        if theme.skins == "yellow" and rng.random() < 0.8:
            return _varied(rng, YELLOWS, 6)
        natural = theme.skins in ("natural", "yellow") or rng.random() < 0.8
        return _varied(rng, SKINS, 14) if natural else bright(rng)
    if kind == "robot":
        return from_hsv(rng.random(), float(rng.choice([0.05, 0.1, 0.5])), rng.uniform(0.45, 0.95))
    if kind == "stick":
        return bright(rng) if rng.random() < 0.5 else (30, 28, 30)
    if kind == "animal" and rng.random() < 0.7:
        return _varied(rng, FURS, 14)
    return bright(rng)


def random_palette(rng: np.random.Generator, theme: Theme) -> list[Colour]:
    """Colours of clothes."""
    if theme.palette == "emoji" and rng.random() < 0.8:
        return [_varied(rng, EMOJI, 10) for _ in range(4)]
    if theme.palette == "natural":
        return [_varied(rng, CLOTHES, 25) for _ in range(5)]
    if theme.palette == "white" and rng.random() < 0.8:
        grey = from_hsv(0, 0, rng.uniform(0.2, 0.9))
        return [(250, 250, 250), (250, 250, 250), grey, (250, 250, 250), shaded(grey, 0.5)]
    if theme.palette == "few" or rng.random() < 0.25:
        hue, spread = rng.random(), rng.uniform(0.02, 0.15)
        return [
            from_hsv(hue + spread * rng.normal(), rng.uniform(0.2, 0.9), rng.uniform(0.25, 1))
            for _ in range(4)
        ]
    return [bright(rng) for _ in range(5)]


def random_hair(rng: np.random.Generator, theme: Theme, palette: list[Colour]) -> Colour:
    """Natural hair, or of a colour of the palette."""
    if theme.palette == "white" and rng.random() < 0.5:
        return (245, 245, 245)
    if not theme.natural and rng.random() < 0.25:
        return palette[-1]
    return shaded(HAIRS[int(rng.integers(len(HAIRS)))], float(rng.uniform(0.8, 1.0)))


def _varied(rng: np.random.Generator, colours: tuple[Colour, ...], spread: int) -> Colour:
    base = colours[int(rng.integers(len(colours)))]
    shift = rng.integers(-spread, spread + 1, 3)
    return tuple(int(np.clip(c + d, 0, 255)) for c, d in zip(base, shift, strict=True))  # type: ignore[return-value]
