"""Faces of puppets: eyes, brows, noses and mouths."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from .drawing import (
    Colour,
    Sketch,
    arc,
    ellipse,
)
from .styles import shaded

BLACK: Colour = (28, 24, 32)
WHITE: Colour = (250, 250, 248)


@dataclass(frozen=True)
class HeadFrame:
    """Place and size of a head.

    Attributes:
        x, y: its centre.
        rx, ry: half its width and height.
        view: how far it faces to the picture's right, -1..1.
        blank: whether it has no face.
        natural: whether the face is like that of a person in a photograph.
    """

    x: float
    y: float
    rx: float
    ry: float
    view: float
    blank: bool = False
    natural: bool = False

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the face in half widths and half heights from its middle, turned with it."""
        turned = x * (1 - 0.35 * abs(self.view)) + 0.5 * self.view
        return self.x + turned * self.rx, self.y + y * self.ry


@dataclass(frozen=True)
class HeadColours:
    """Colours of a head."""

    skin: Colour
    hair: Colour
    extra: Colour
    eye: Colour


def face(
    sketch: Sketch,
    rng: np.random.Generator,
    f: HeadFrame,
    colours: HeadColours,
    snout: bool = False,
) -> None:
    """Draws eyes, brows, nose and mouth of one of many kinds, or leaves them away."""
    if f.blank:
        return
    if f.natural:
        _natural_face(sketch, rng, f, colours)
        return
    apart, height = float(rng.uniform(0.3, 0.5)), float(rng.uniform(-0.25, 0.15))
    size = float(rng.uniform(0.09, 0.26))
    kind = str(rng.choice(["dot", "dot", "oval", "white", "white", "shiny", "closed", "line"]))
    for side in (-1, 1):
        if abs(f.view) > 0.75 and side * f.view > 0:
            continue
        x, y = f.at(side * apart, height)
        _eye(sketch, rng, (x, y), size * f.rx, kind, colours, f.view)
        if rng.random() < 0.45:
            lift = y - (0.2 + 1.3 * size) * f.rx
            slope = float(rng.uniform(-0.05, 0.05)) * f.rx * side
            half = 0.16 * f.rx
            brow = np.array(
                [[x - half, lift + slope], [x, lift - 0.03 * f.rx], [x + half, lift - slope]]
            )
            sketch.line(brow, 0.05 * f.rx, shaded(colours.hair, 0.8))
    blush = rng.random() < 0.2
    if blush:
        for side in (-1, 1):
            x, y = f.at(side * 0.6, height + 0.38)
            sketch.plain(ellipse(x, y, 0.15 * f.rx, 0.1 * f.rx), (240, 140, 140), clipped=True)
    if not snout:
        _nose(sketch, rng, f, colours)
        _mouth(sketch, rng, f, f.at(0, float(rng.uniform(0.42, 0.6))), colours)


def _eye(
    sketch: Sketch,
    rng: np.random.Generator,
    at: tuple[float, float],
    r: float,
    kind: str,
    colours: HeadColours,
    view: float,
) -> None:
    x, y = at
    if kind == "dot":
        sketch.plain(ellipse(x, y, 0.6 * r, 0.65 * r), BLACK)
    elif kind == "oval":
        sketch.plain(ellipse(x, y, 0.55 * r, 1.1 * r), BLACK)
    elif kind == "white":
        sketch.outlined(ellipse(x, y, r, 1.15 * r), WHITE)
        sketch.plain(ellipse(x + 0.3 * view * r, y + 0.1 * r, 0.5 * r, 0.55 * r), BLACK)
    elif kind == "shiny":
        sketch.plain(ellipse(x, y, r, 1.35 * r), BLACK)
        sketch.plain(ellipse(x, y + 0.3 * r, 0.75 * r, 0.9 * r), colours.eye)
        sketch.plain(ellipse(x, y + 0.1 * r, 0.4 * r, 0.5 * r), BLACK)
        sketch.plain(ellipse(x - 0.3 * r, y - 0.5 * r, 0.3 * r, 0.35 * r), WHITE)
    elif kind == "closed":
        sketch.line(arc(x, y, 0.9 * r, 0.6 * r, pi, 2 * pi, 7), 0.3 * r, BLACK)
    else:
        sketch.line(np.array([[x - r, y], [x + r, y]]), 0.35 * r, BLACK)


def _nose(sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours) -> None:
    x, y = f.at(0.06 * np.sign(f.view), 0.2)
    dark, kind = shaded(colours.skin, 0.75), rng.integers(6)
    if kind == 0:
        sketch.plain(ellipse(x, y, 0.1 * f.rx, 0.08 * f.rx), dark)
    elif kind == 1:
        sketch.line(
            np.array([[x, y - 0.15 * f.rx], [x + 0.08 * f.rx, y], [x, y]]), 0.04 * f.rx, dark
        )
    elif kind == 2:
        sketch.outlined(ellipse(x, y, 0.14 * f.rx, 0.12 * f.rx), shaded(colours.skin, 0.9))
    elif kind == 3 and rng.random() < 0.3:
        sketch.outlined(ellipse(x, y, 0.17 * f.rx, 0.17 * f.rx), (220, 50, 45))


def _mouth(
    sketch: Sketch,
    rng: np.random.Generator,
    f: HeadFrame,
    at: tuple[float, float],
    colours: HeadColours,
) -> None:
    (x, y), r = at, f.rx * float(rng.uniform(0.14, 0.36))
    kind = rng.integers(6)
    if kind <= 1:
        sketch.line(arc(x, y - 0.3 * r, r, 0.6 * r, 0.15 * pi, 0.85 * pi, 8), 0.05 * f.rx, BLACK)
    elif kind == 2:
        points = np.concatenate([arc(x, y - 0.2 * r, r, 0.9 * r, 0, pi, 10)])
        sketch.plain(points, (120, 30, 40))
        sketch.plain(ellipse(x, y + 0.4 * r, 0.5 * r, 0.25 * r), (230, 100, 110), clipped=True)
    elif kind == 3:
        sketch.line(np.array([[x - r, y], [x + r, y]]), 0.05 * f.rx, BLACK)
    elif kind == 4:
        sketch.plain(ellipse(x, y, 0.4 * r, 0.5 * r), (110, 30, 40))
    else:
        sketch.plain(
            np.array([[x - r, y], [x, y - 0.2 * r], [x + r, y], [x, y + 0.35 * r]]), (190, 70, 80)
        )


def _natural_face(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours
) -> None:
    """A face of small features and soft shadows."""
    skin, height, r = colours.skin, float(rng.uniform(-0.2, 0.0)), f.rx
    dark = shaded(skin, 0.72)
    for side in (-1, 1):
        if abs(f.view) > 0.75 and side * f.view > 0:
            continue
        x, y = f.at(side * 0.4, height)
        sketch.plain(ellipse(x, y, 0.24 * r, 0.14 * r), shaded(skin, 0.85), clipped=True)
        sketch.plain(ellipse(x, y, 0.16 * r, 0.08 * r), (235, 232, 228))
        sketch.plain(ellipse(x + 0.05 * f.view * r, y, 0.075 * r, 0.08 * r), (60, 40, 30))
        brow = np.array([[x - 0.2 * r, y - 0.2 * r], [x, y - 0.26 * r], [x + 0.2 * r, y - 0.2 * r]])
        sketch.line(brow, 0.06 * r, shaded(colours.hair, 0.9), clipped=True)
    x, y = f.at(0.05 * np.sign(f.view), 0.18)
    sketch.plain(ellipse(x, y, 0.13 * r, 0.07 * r), dark, clipped=True)
    sketch.line(
        np.array([[x + 0.06 * r, y - 0.4 * r], [x + 0.1 * r, y]]), 0.05 * r, dark, clipped=True
    )
    x, y = f.at(0, float(rng.uniform(0.46, 0.56)))
    lips = (int(0.75 * skin[0] + 30), int(0.5 * skin[1]), int(0.5 * skin[2]))
    wide = float(rng.uniform(0.24, 0.36)) * r
    if rng.random() < 0.4:
        sketch.plain(arc(x, y - 0.02 * r, wide, 0.2 * r, 0, pi, 8), (240, 236, 230))
    sketch.plain(ellipse(x, y, wide, 0.05 * r), lips, clipped=True)
    sketch.plain(
        ellipse(x, f.y + 1.0 * f.ry, 0.9 * r, 0.22 * f.ry), shaded(skin, 0.82), clipped=True
    )
