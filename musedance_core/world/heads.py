"""Heads of puppets: faces, hair, hats, ears and snouts."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from .drawing import (
    Colour,
    Points,
    Sketch,
    arc,
    box,
    capsule,
    ellipse,
    smooth,
    star,
    superellipse,
    symmetric,
)
from .styles import shaded

BLACK: Colour = (28, 24, 32)
WHITE: Colour = (250, 250, 248)
EARS = ("cat", "bear", "rabbit", "dog", "mouse", "fox", "pig", "cow", "elephant", "horns", "tuft")
HAIRS = (
    *("short", "parted", "spiky", "bob", "long", "wavy", "bun", "tails", "ponytail", "afro"),
    *("curly", "mohawk", "bald", "fringe", "balding"),
)
HATS = ("cap", "beanie", "top hat", "wizard", "crown", "helmet", "band", "straw", "santa", "bow")


@dataclass(frozen=True)
class HeadFrame:
    """Place and size of a head: centre, half width and half height, and how far it faces to the
    picture's right, -1..1."""

    x: float
    y: float
    rx: float
    ry: float
    view: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the face in half widths and half heights from its middle, turned with it."""
        shown = x * (1 - 0.35 * abs(self.view)) + 0.5 * self.view
        return self.x + shown * self.rx, self.y + y * self.ry


@dataclass(frozen=True)
class HeadColours:
    """Colours of a head."""

    skin: Colour
    hair: Colour
    extra: Colour
    eye: Colour


def human_head(
    sketch: Sketch, rng: np.random.Generator, frame: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Draws a human head with a hair style of `HAIRS`, and with glasses, beard or hat at times."""
    hat = str(rng.choice(HATS)) if rng.random() < 0.25 else ""
    _hair_behind(sketch, rng, frame, colours, hair)
    ear = rng.random() < 0.6 and hair not in ("bob", "long", "wavy", "afro")
    if ear:
        for side in (-1, 1):
            if side * frame.view < 0.5:
                x = frame.x + side * frame.rx * 0.98 + 0.3 * frame.view * frame.rx
                sketch.outlined(
                    ellipse(x, frame.y + 0.12 * frame.ry, 0.16 * frame.rx, 0.2 * frame.ry),
                    colours.skin,
                )
    shape = _skull(rng, frame)
    if abs(frame.view) > 0.6 and rng.random() < 0.7:
        way = float(np.sign(frame.view))
        nose = ellipse(
            frame.x + way * frame.rx * 0.98,
            frame.y + 0.2 * frame.ry,
            0.2 * frame.rx,
            0.13 * frame.ry,
        )
        sketch.outlined([shape, nose], colours.skin)
    else:
        sketch.outlined(shape, colours.skin)
    if rng.random() < 0.15:
        _beard(sketch, rng, frame, colours)
    face(sketch, rng, frame, colours)
    _hair_front(sketch, rng, frame, colours, hair)
    if rng.random() < 0.12:
        _glasses(sketch, rng, frame)
    if hat:
        _hat(sketch, rng, frame, colours, hat)


def _skull(rng: np.random.Generator, f: HeadFrame) -> Points:
    kind = rng.integers(4)
    if kind == 0:
        return ellipse(f.x, f.y, f.rx, f.ry, n=32)
    if kind == 1:
        return superellipse(f.x, f.y, f.rx, f.ry, float(rng.uniform(2.2, 4)))
    jaw, chin = rng.uniform(0.55, 0.95), rng.uniform(0.15, 0.5)
    right = [(0.0, -1.0), (0.72, -0.74), (1.0, -0.05), (jaw, 0.62), (chin, 0.97), (0.0, 1.02)]
    points = smooth([(f.x + x * f.rx, f.y + y * f.ry) for x, y in symmetric(right[:-1])])
    return points


def face(
    sketch: Sketch,
    rng: np.random.Generator,
    f: HeadFrame,
    colours: HeadColours,
    snout: bool = False,
) -> None:
    """Draws eyes, brows, nose and mouth of one of many kinds, or leaves them away."""
    if rng.random() < 0.05:
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


def _hair_behind(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Hair that falls or stands behind the head."""
    way = -f.view * 0.25 * f.rx
    x, y, rx, ry, c = f.x + way, f.y, f.rx, f.ry, colours.hair
    if hair in ("long", "wavy"):
        down = float(rng.uniform(1.3, 2.6))
        wide = float(rng.uniform(1.05, 1.4))
        right = [
            (0.0, -1.12),
            (0.8, -0.9),
            (1.1, -0.1),
            (wide, down * 0.6),
            (wide * 0.8, down),
            (0, down * 0.95),
        ]
        if hair == "wavy":
            right[3:5] = [
                (wide * 1.1, 0.5),
                (wide * 0.95, 0.9),
                (wide * 1.15, down * 0.7),
                (wide * 0.9, down),
            ]
        sketch.outlined(smooth([(x + a * rx, y + b * ry) for a, b in symmetric(right[:-1])]), c)
    elif hair == "bob":
        down = float(rng.uniform(0.7, 1.2))
        right = [(0.0, -1.12), (0.8, -0.9), (1.15, -0.1), (1.2, down * 0.8), (0.9, down)]
        sketch.outlined(smooth([(x + a * rx, y + b * ry) for a, b in symmetric(right)]), c)
    elif hair == "afro":
        r = float(rng.uniform(1.25, 1.6))
        sketch.outlined(ellipse(x, y - 0.25 * ry, r * rx, r * ry * 0.95, n=32), c)
    elif hair == "curly":
        turns = np.linspace(0.85 * pi, 2.15 * pi, 9)
        circles = [
            ellipse(x + 0.95 * rx * np.cos(t), y + 0.9 * ry * np.sin(t), 0.36 * rx, 0.36 * ry, n=14)
            for t in turns
        ]
        sketch.outlined(circles, c)
    elif hair == "bun":
        sketch.outlined(ellipse(x, y - 1.15 * ry, 0.4 * rx, 0.35 * ry), c)
    elif hair == "tails":
        for side in (-1, 1):
            a = np.array([x + side * 0.9 * rx, y - 0.4 * ry])
            b = a + np.array([side * rng.uniform(0.3, 0.9) * rx, rng.uniform(0.5, 1.6) * ry])
            sketch.outlined(capsule(a, b, 0.28 * rx, 0.18 * rx), c)
    elif hair == "ponytail":
        side = -np.sign(f.view) if f.view else rng.choice((-1, 1))
        a = np.array([x + side * 0.7 * rx, y - 0.6 * ry])
        b = a + np.array([side * rng.uniform(0.4, 1.0) * rx, rng.uniform(0.3, 1.6) * ry])
        sketch.outlined(capsule(a, b, 0.25 * rx, 0.2 * rx), c)


def _hair_front(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Hair over the forehead."""
    x, y, rx, ry, c = f.x, f.y, f.rx, f.ry, colours.hair
    low = float(rng.uniform(-0.65, -0.3))
    back = -0.35 * f.view * rx
    dome = arc(x, y, 1.05 * rx, 1.08 * ry, pi + 0.1, 2 * pi - 0.1, 14)
    if hair in ("bald",):
        return
    if hair == "balding":
        for side in (-1, 1):
            sketch.outlined(ellipse(x + side * 0.95 * rx, y - 0.05 * ry, 0.2 * rx, 0.4 * ry), c)
    elif hair == "mohawk":
        sketch.outlined(
            smooth(
                [
                    (x - 0.2 * rx, y - 0.6 * ry),
                    (x - 0.25 * rx, y - 1.3 * ry),
                    (x, y - 1.55 * ry),
                    (x + 0.25 * rx, y - 1.3 * ry),
                    (x + 0.2 * rx, y - 0.6 * ry),
                ]
            ),
            c,
        )
    elif hair == "spiky":
        n = int(rng.integers(4, 8))
        ends = np.linspace(1.02 * rx, -1.02 * rx, 2 * n + 1)
        spikes = np.stack(
            [x + ends * 0.95, y + np.where(np.arange(2 * n + 1) % 2, low * ry, (low - 0.35) * ry)],
            -1,
        )
        crown = np.linspace(pi, 2 * pi, 2 * n + 1)
        radius = np.where(np.arange(2 * n + 1) % 2, 1.35, 1.0)
        top = np.stack([x + radius * rx * np.cos(crown), y + radius * ry * np.sin(crown)], -1)
        sketch.outlined(np.concatenate([top, spikes]), c)
    elif hair == "parted":
        split = float(rng.uniform(-0.5, 0.5)) * rx
        inner = np.array(
            [
                [x + rx, y - 0.05 * ry],
                [x + 0.85 * rx, y - 0.35 * ry],
                [x + split, y - 0.75 * ry],
                [x - 0.85 * rx, y - 0.35 * ry],
                [x - rx, y - 0.05 * ry],
            ]
        )
        sketch.outlined(np.concatenate([dome, inner]), c)
    elif hair == "fringe":
        inner = np.array(
            [
                [x + 1.02 * rx, y + 0.3 * ry],
                [x + 0.85 * rx, y + low * ry],
                [x, y + (low + 0.1) * ry],
                [x - 0.85 * rx, y + low * ry],
                [x - 1.02 * rx, y + 0.3 * ry],
            ]
        )
        sketch.outlined(np.concatenate([dome, inner]), c)
    else:
        inner = arc(x + back, y + low * ry, 0.98 * rx - abs(back), 0.18 * ry, 0.0, pi, 8)
        sketch.outlined(np.concatenate([dome, inner]), c)


def _beard(sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours) -> None:
    long = float(rng.uniform(1.0, 1.9))
    right = [(0.0, 0.35), (0.6, 0.25), (1.0, 0.05), (0.85, 0.7), (0.4, long)]
    points = [(f.x + a * f.rx, f.y + b * f.ry) for a, b in symmetric(right)]
    sketch.outlined(smooth(points), colours.hair)


def _glasses(sketch: Sketch, rng: np.random.Generator, f: HeadFrame) -> None:
    dark = rng.random() < 0.4
    for side in (-1, 1):
        x, y = f.at(side * 0.42, -0.05)
        if dark:
            sketch.plain(box(x, y, 0.32 * f.rx, 0.22 * f.rx, 0.1 * f.rx), BLACK)
        ring = ellipse(x, y, 0.3 * f.rx, 0.28 * f.rx, n=16)
        sketch.line(np.concatenate([ring, ring[:1]]), 0.06 * f.rx, BLACK)
    ends = np.array([f.at(-0.14, -0.05), f.at(0.14, -0.05)])
    sketch.line(ends, 0.06 * f.rx, BLACK)


def _hat(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, hat: str
) -> None:
    x, y, rx, ry, c = f.x, f.y, f.rx, f.ry, colours.extra
    brim = y - 0.45 * ry
    dome = np.concatenate([arc(x, brim, 1.1 * rx, 0.75 * ry, pi, 2 * pi, 14)])
    if hat == "cap":
        way = float(np.sign(f.view)) if abs(f.view) > 0.3 else 0.0
        sketch.outlined(dome, c)
        sketch.outlined(
            ellipse(x + way * 0.9 * rx, brim, (1.15 - 0.3 * abs(way)) * rx, 0.16 * ry),
            shaded(c, 0.8),
        )
    elif hat == "beanie":
        if rng.random() < 0.5:
            sketch.outlined(ellipse(x, brim - 0.8 * ry, 0.25 * rx, 0.25 * rx), WHITE)
        sketch.outlined(dome, c, 2)
        sketch.outlined(box(x, brim, 1.12 * rx, 0.16 * ry, 0.1 * ry), shaded(c, 0.75))
    elif hat == "top hat":
        tall = float(rng.uniform(0.6, 1.3))
        sketch.outlined(box(x, brim - tall * ry / 2, 0.8 * rx, tall * ry / 2), c)
        sketch.outlined(box(x, brim, 1.3 * rx, 0.1 * ry, 0.1 * ry), c)
        sketch.plain(box(x, brim - 0.2 * ry, 0.8 * rx, 0.1 * ry), shaded(c, 1.8))
    elif hat in ("wizard", "santa"):
        lean = float(rng.uniform(-0.6, 0.6)) * rx
        tip = np.array([[x - rx, brim], [x + lean, brim - 1.6 * ry], [x + rx, brim]])
        c = (205, 40, 45) if hat == "santa" else c
        sketch.outlined(tip, c, 2 if hat == "wizard" else 1)
        if hat == "santa":
            sketch.outlined(ellipse(x + lean, brim - 1.6 * ry, 0.25 * rx, 0.25 * rx), WHITE)
        edge = WHITE if hat == "santa" else c
        sketch.outlined(ellipse(x, brim, 1.25 * rx, 0.18 * ry), edge)
    elif hat == "crown":
        points = [
            (-0.8, 0.1),
            (-0.9, -0.7),
            (-0.4, -0.25),
            (0, -0.8),
            (0.4, -0.25),
            (0.9, -0.7),
            (0.8, 0.1),
        ]
        sketch.outlined(
            np.array([(x + a * rx, brim - 0.2 * ry + b * ry) for a, b in points]), (240, 190, 50)
        )
    elif hat == "helmet":
        sketch.outlined(
            np.concatenate([arc(x, y, 1.2 * rx, 1.2 * ry, pi - 0.2, 2 * pi + 0.2, 16)]), c
        )
        sketch.plain(
            superellipse(*f.at(0, 0.05), 0.8 * rx, 0.55 * ry, 3), shaded((120, 190, 230), 1.0)
        )
    elif hat == "band":
        sketch.plain(box(x, y - 0.45 * ry, 1.0 * rx, 0.12 * ry), c)
    elif hat == "straw":
        sketch.outlined(arc(x, brim, 0.8 * rx, 0.8 * ry, pi, 2 * pi, 12), (225, 190, 110))
        sketch.outlined(ellipse(x, brim, 1.6 * rx, 0.22 * ry), (235, 200, 120))
    else:
        side = float(rng.choice((-0.6, 0.0, 0.6)))
        at = (x + side * rx, y - 0.95 * ry)
        for way in (-1, 1):
            wing = [(0.0, 0.0), (way * 0.5, -0.3), (way * 0.5, 0.3)]
            sketch.outlined(np.array([(at[0] + a * rx, at[1] + b * rx) for a, b in wing]), c)
        sketch.outlined(ellipse(*at, 0.14 * rx, 0.14 * rx), shaded(c, 0.8))


def animal_head(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, ears: str
) -> None:
    """Draws the head of an animal with ears of `EARS` and a snout."""
    x, y, rx, ry, c = f.x, f.y, f.rx, f.ry, colours.skin
    inner = colours.extra if rng.random() < 0.5 else shaded(c, 1.6)
    _ears(sketch, rng, f, c, inner, ears)
    if ears == "tuft" and rng.random() < 0.3:
        sketch.outlined(
            np.concatenate([ellipse(x, y, 1.45 * rx, 1.4 * ry, n=18) * 1.0]), colours.hair
        )
    sketch.outlined(superellipse(x, y, rx, ry, float(rng.uniform(1.9, 2.7))), c)
    if rng.random() < 0.3:
        patch = colours.extra
        if rng.random() < 0.5:
            for side in (-1, 1):
                ex, ey = f.at(side * 0.42, -0.05)
                sketch.plain(ellipse(ex, ey, 0.3 * rx, 0.36 * ry, side * 0.5), patch, clipped=True)
        else:
            mx, my = f.at(0, 0.5)
            sketch.plain(ellipse(mx, my, 0.75 * rx, 0.6 * ry), patch, clipped=True)
    face(sketch, rng, f, colours, snout=True)
    _snout(sketch, rng, f, colours, inner, ears)


def _ears(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, c: Colour, inner: Colour, ears: str
) -> None:
    x, y, rx, ry = f.x - 0.15 * f.view * f.rx, f.y, f.rx, f.ry
    tall, wide = float(rng.uniform(0.8, 1.3)), float(rng.uniform(0.8, 1.2))
    for side in (-1, 1):
        if ears in ("cat", "fox", "pig"):
            tip = (0.95 * side, -1.15 - 0.35 * tall) if ears != "pig" else (1.05 * side, -1.1)
            points = [(0.15 * side, -0.85), tip, (1.0 * side, -0.25)]
            sketch.outlined(np.array([(x + a * rx, y + b * ry) for a, b in points]), c)
            small = [(0.4 * side, -0.85), (tip[0] * 0.93, tip[1] + 0.2), (0.9 * side, -0.5)]
            sketch.plain(np.array([(x + a * rx, y + b * ry) for a, b in small]), inner)
        elif ears in ("bear", "mouse"):
            r = (0.36 if ears == "bear" else 0.62) * wide
            ex, ey = x + side * (0.75 + 0.25 * (ears == "mouse")) * rx, y - 0.78 * ry
            sketch.outlined(ellipse(ex, ey, r * rx, r * rx), c)
            sketch.plain(ellipse(ex, ey, 0.6 * r * rx, 0.6 * r * rx), inner)
        elif ears == "rabbit":
            turn, ey = side * float(rng.uniform(0.05, 0.4)), y - (0.9 + 0.6 * tall) * ry
            sketch.outlined(ellipse(x + side * 0.45 * rx, ey, 0.24 * rx, 0.8 * tall * ry, turn), c)
            sketch.plain(ellipse(x + side * 0.45 * rx, ey, 0.11 * rx, 0.6 * tall * ry, turn), inner)
        elif ears == "dog":
            dark = shaded(c, 0.65) if rng.random() < 0.6 else c
            sketch.outlined(
                ellipse(
                    x + side * 1.02 * rx, y - 0.05 * ry, 0.28 * rx, 0.65 * tall * ry, -side * 0.25
                ),
                dark,
            )
        elif ears == "cow":
            sketch.outlined(
                ellipse(x + side * 1.15 * rx, y - 0.4 * ry, 0.36 * rx, 0.2 * ry, side * 0.3), c
            )
            horn = [(0.5 * side, -0.8), (0.75 * side, -1.4), (0.8 * side, -0.75)]
            sketch.outlined(np.array([(x + a * rx, y + b * ry) for a, b in horn]), (235, 225, 200))
        elif ears == "elephant":
            sketch.outlined(
                ellipse(x + side * 1.3 * rx, y - 0.1 * ry, 0.7 * rx, 0.8 * ry), shaded(c, 0.88)
            )
        elif ears == "horns":
            horn = smooth(
                [
                    (x + side * 0.3 * rx, y - 0.8 * ry),
                    (x + side * 0.8 * rx, y - 1.0 * ry),
                    (x + side * 1.0 * rx, y - (1.2 + 0.5 * tall) * ry),
                    (x + side * 0.55 * rx, y - 1.3 * ry),
                ]
            )
            sketch.outlined(horn, inner)
        elif side == 1:
            tuft = [(-0.25, -0.9), (-0.2, -1.3), (0.0, -1.05), (0.15, -1.4), (0.25, -0.9)]
            sketch.outlined(np.array([(x + a * rx, y + b * ry) for a, b in tuft]), c)


def _snout(
    sketch: Sketch,
    rng: np.random.Generator,
    f: HeadFrame,
    colours: HeadColours,
    inner: Colour,
    ears: str,
) -> None:
    x, y = f.at(0.15 * f.view, 0.42)
    kind = {"pig": "pig", "elephant": "trunk"}.get(ears) or str(
        rng.choice(["muzzle", "muzzle", "nose", "beak", "wide"])
    )
    if kind == "pig":
        sketch.outlined(
            ellipse(x, y - 0.1 * f.ry, 0.36 * f.rx, 0.26 * f.ry), shaded(colours.skin, 0.85)
        )
        for side in (-1, 1):
            sketch.plain(
                ellipse(x + side * 0.13 * f.rx, y - 0.1 * f.ry, 0.06 * f.rx, 0.09 * f.ry), BLACK
            )
    elif kind == "trunk":
        end = np.array([x + rng.uniform(-0.4, 0.4) * f.rx, y + 1.0 * f.ry])
        sketch.outlined(
            capsule(np.array([x, y - 0.2 * f.ry]), end, 0.26 * f.rx, 0.17 * f.rx), colours.skin
        )
    elif kind == "beak":
        orange = (245, 160, 40)
        way = 0.5 * f.view
        points = [(-0.28, -0.15), (0.28, -0.15), (0.0 + way, 0.3)]
        sketch.outlined(np.array([(x + a * f.rx, y + b * f.ry) for a, b in points]), orange)
    elif kind == "wide":
        sketch.line(
            arc(x, y - 0.3 * f.ry, 0.7 * f.rx, 0.5 * f.ry, 0.1 * pi, 0.9 * pi, 12),
            0.06 * f.rx,
            BLACK,
        )
    else:
        if kind == "muzzle":
            sketch.outlined(
                ellipse(
                    x + 0.25 * f.view * f.rx, y, float(rng.uniform(0.35, 0.55)) * f.rx, 0.34 * f.ry
                ),
                inner,
            )
        x += 0.3 * f.view * f.rx
        sketch.plain(ellipse(x, y - 0.17 * f.ry, 0.15 * f.rx, 0.1 * f.ry), BLACK)
        down = y + 0.05 * f.ry
        sketch.line(np.array([[x, y - 0.1 * f.ry], [x, down]]), 0.04 * f.rx, BLACK)
        for side in (-1, 1):
            sketch.line(
                arc(x + side * 0.14 * f.rx, down, 0.14 * f.rx, 0.1 * f.ry, 0, pi, 6),
                0.04 * f.rx,
                BLACK,
            )


def robot_head(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours
) -> None:
    """Draws the head of a robot: a box or dome with lights, visor and antennas."""
    x, y, rx, ry = f.x, f.y, f.rx, f.ry
    if rng.random() < 0.6:
        top = y - ry * float(rng.uniform(1.25, 1.6))
        lean = rx * float(rng.uniform(-0.3, 0.3))
        sketch.line(
            np.array([[x, y - 0.9 * ry], [x + lean, top]]), 0.08 * rx, shaded(colours.skin, 0.6)
        )
        sketch.outlined(ellipse(x + lean, top, 0.13 * rx, 0.13 * rx), colours.extra)
    if rng.random() < 0.5:
        for side in (-1, 1):
            sketch.outlined(
                box(x + side * 1.05 * rx, y, 0.16 * rx, 0.3 * ry, 0.05 * rx),
                shaded(colours.skin, 0.75),
            )
    power = float(rng.choice([3.0, 5.0, 9.0]))
    sketch.outlined(superellipse(x, y, rx, ry, power), colours.skin)
    kind = rng.integers(3)
    if kind == 0:
        sketch.outlined(box(*f.at(0, -0.1), 0.75 * rx, 0.32 * ry, 0.2 * ry), BLACK)
        for side in (-1, 1):
            ex, ey = f.at(side * 0.35, -0.1)
            sketch.plain(ellipse(ex, ey, 0.14 * rx, 0.14 * rx), colours.eye)
    elif kind == 1:
        for side in (-1, 1):
            ex, ey = f.at(side * 0.42, -0.15)
            sketch.outlined(ellipse(ex, ey, 0.25 * rx, 0.25 * rx), WHITE)
            sketch.plain(ellipse(ex, ey, 0.12 * rx, 0.12 * rx), BLACK)
    else:
        ex, ey = f.at(0, -0.1)
        sketch.outlined(ellipse(ex, ey, 0.4 * rx, 0.4 * rx), WHITE)
        sketch.plain(ellipse(ex, ey, 0.22 * rx, 0.22 * rx), colours.eye)
        sketch.plain(ellipse(ex, ey, 0.1 * rx, 0.1 * rx), BLACK)
    mx, my = f.at(0, 0.55)
    sketch.outlined(box(mx, my, 0.5 * rx, 0.14 * ry, 0.05 * rx), shaded(colours.skin, 0.6))
    for k in range(-2, 3):
        sketch.line(
            np.array([[mx + 0.18 * k * rx, my - 0.12 * ry], [mx + 0.18 * k * rx, my + 0.12 * ry]]),
            0.03 * rx,
            BLACK,
        )


def odd_head(sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours) -> None:
    """Draws the head of an alien, a monster, a skeleton or a plain disc."""
    x, y, rx, ry = f.x, f.y, f.rx, f.ry
    kind = rng.integers(4)
    if kind == 0:  # an alien
        right = [(0.0, -1.05), (0.85, -0.75), (1.0, -0.1), (0.4, 0.8)]
        sketch.outlined(
            smooth([(x + a * rx, y + b * ry) for a, b in symmetric(right)]), colours.skin
        )
        for side in (-1, 1):
            ex, ey = f.at(side * 0.42, 0.0)
            sketch.plain(ellipse(ex, ey, 0.32 * rx, 0.2 * ry, side * -0.6), BLACK)
        sketch.line(np.array([f.at(-0.12, 0.6), f.at(0.12, 0.6)]), 0.04 * rx, BLACK)
    elif kind == 1:  # a monster
        for side in (-1, 1):
            horn = [(0.3 * side, -0.8), (0.6 * side, -1.35), (0.75 * side, -0.6)]
            sketch.outlined(np.array([(x + a * rx, y + b * ry) for a, b in horn]), colours.extra)
        sketch.outlined(superellipse(x, y, rx, ry, 2.4), colours.skin, 2)
        ex, ey = f.at(0, -0.2)
        sketch.outlined(ellipse(ex, ey, 0.42 * rx, 0.42 * rx), WHITE)
        sketch.plain(ellipse(ex, ey, 0.2 * rx, 0.2 * rx), BLACK)
        mx, my = f.at(0, 0.45)
        sketch.plain(arc(mx, my, 0.55 * rx, 0.35 * ry, 0, pi, 10), (100, 25, 40))
        for k in (-0.3, 0.0, 0.3):
            tooth = [(k - 0.1, 0.0), (k + 0.1, 0.0), (k, 0.2)]
            sketch.plain(np.array([(mx + a * rx, my + b * ry) for a, b in tooth]), WHITE)
    elif kind == 2:  # a skull
        sketch.outlined(
            [
                ellipse(x, y - 0.15 * ry, rx, 0.85 * ry),
                box(x, y + 0.6 * ry, 0.55 * rx, 0.35 * ry, 0.1 * rx),
            ],
            colours.skin,
        )
        for side in (-1, 1):
            ex, ey = f.at(side * 0.4, -0.1)
            sketch.plain(ellipse(ex, ey, 0.26 * rx, 0.27 * ry), BLACK)
        sketch.plain(star(*f.at(0, 0.3), 0.14 * rx, 0.08 * rx, 3), BLACK)
        for k in (-0.3, -0.1, 0.1, 0.3):
            sketch.line(
                np.array([[x + k * rx, y + 0.6 * ry], [x + k * rx, y + 0.9 * ry]]), 0.04 * rx, BLACK
            )
    else:
        sketch.outlined(ellipse(x, y, rx, ry, n=32), colours.skin)
        if rng.random() < 0.5:
            face(sketch, rng, f, colours)
