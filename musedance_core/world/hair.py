"""Hair, beards, glasses and hats of puppets."""

from __future__ import annotations

from math import pi

import numpy as np

from .drawing import (
    Colour,
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
from .faces import BLACK, WHITE, HeadColours, HeadFrame
from .styles import bright, shaded

HAIRS = (
    *("short", "parted", "spiky", "bob", "long", "wavy", "bun", "tails", "ponytail", "afro"),
    *("curly", "mohawk", "bald", "fringe", "balding", "short", "parted", "locks", "locks"),
)
HATS = (
    "cap",
    "beanie",
    "top hat",
    "wizard",
    "crown",
    "helmet",
    "band",
    "straw",
    "santa",
    "bow",
    "hood",
    "scarf",
    "headphones",
    "halo",
    "police",
    "chef",
    "flowers",
    "horned",
)


def hair_behind(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Hair that falls or stands behind the head."""
    way = -f.view * 0.25 * f.rx
    x, y, rx, ry, c = f.x + way, f.y, f.rx, f.ry, colours.hair
    if hair in ("long", "wavy"):
        down = float(rng.uniform(1.3, 2.6))
        wide = float(rng.uniform(1.05, 1.4))
        right = [
            (0.35, -1.08),
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
        right = [(0.35, -1.08), (0.8, -0.9), (1.15, -0.1), (1.2, down * 0.8), (0.9, down)]
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
        side = int(-np.sign(f.view) if f.view else rng.choice((-1, 1)))
        a = np.array([x + side * 0.7 * rx, y - 0.6 * ry])
        b = a + np.array([side * rng.uniform(0.4, 1.0) * rx, rng.uniform(0.3, 1.6) * ry])
        sketch.outlined(capsule(a, b, 0.25 * rx, 0.2 * rx), c)


def hair_front(
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
    elif hair == "locks":
        ends = np.linspace(0.98, -0.98, int(rng.integers(4, 7)))
        lift = (low + 0.35) * ends**2 + low
        locks = [
            ellipse(x + a * rx + back, y + b * ry, 0.34 * rx, 0.24 * ry, n=14)
            for a, b in zip(ends, lift, strict=True)
        ]
        rim = np.linspace(pi, 2 * pi, 7)
        locks += [
            ellipse(x + rx * np.cos(t), y + ry * np.sin(t) * 0.95, 0.3 * rx, 0.27 * ry, n=14)
            for t in rim
        ]
        sketch.outlined(
            [np.concatenate([dome, arc(x, y + low * ry, rx, 0.1 * ry, 0.0, pi, 8)]), *locks], c
        )
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


def beard(sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours) -> None:
    long = float(rng.uniform(1.0, 1.9))
    right = [(0.0, 0.35), (0.6, 0.25), (1.0, 0.05), (0.85, 0.7), (0.4, long)]
    points = [(f.x + a * f.rx, f.y + b * f.ry) for a, b in symmetric(right)]
    sketch.outlined(smooth(points), colours.hair)


def glasses(sketch: Sketch, rng: np.random.Generator, f: HeadFrame) -> None:
    dark = rng.random() < 0.4
    for side in (-1, 1):
        x, y = f.at(side * 0.42, -0.05)
        if dark:
            sketch.plain(box(x, y, 0.32 * f.rx, 0.22 * f.rx, 0.1 * f.rx), BLACK)
        ring = ellipse(x, y, 0.3 * f.rx, 0.28 * f.rx, n=16)
        sketch.line(np.concatenate([ring, ring[:1]]), 0.06 * f.rx, BLACK)
    ends = np.array([f.at(-0.14, -0.05), f.at(0.14, -0.05)])
    sketch.line(ends, 0.06 * f.rx, BLACK)


def put_hat(
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
    elif hat == "bow":
        side = float(rng.choice((-0.6, 0.0, 0.6)))
        at = (x + side * rx, y - 0.95 * ry)
        for way in (-1, 1):
            wing = [(0.0, 0.0), (way * 0.5, -0.3), (way * 0.5, 0.3)]
            sketch.outlined(np.array([(at[0] + a * rx, at[1] + b * rx) for a, b in wing]), c)
        sketch.outlined(ellipse(*at, 0.14 * rx, 0.14 * rx), shaded(c, 0.8))
    else:
        _more_hats(sketch, rng, f, c, hat)


def _more_hats(sketch: Sketch, rng: np.random.Generator, f: HeadFrame, c: Colour, hat: str) -> None:
    x, y, rx, ry = f.x, f.y, f.rx, f.ry
    brim = y - 0.45 * ry
    if hat in ("hood", "scarf"):
        # A ring of cloth around the face.
        down = 1.2 if hat == "hood" else 1.5
        outer = ellipse(x, y + 0.02 * ry, 1.18 * rx, 1.16 * ry, n=28)
        inner = ellipse(*f.at(0, 0.12), 0.78 * rx, 0.82 * ry, n=28)
        ring = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
        sketch.outlined(ring, c)
        if hat == "scarf":
            chin = [
                (x - 0.9 * rx, y + 0.7 * ry),
                (x + 0.9 * rx, y + 0.7 * ry),
                (x + 0.7 * rx, y + down * ry),
            ]
            sketch.outlined(np.array([*chin, (x - 0.7 * rx, y + down * ry)]), c)
    elif hat == "headphones":
        bow = arc(x, y, 1.12 * rx, 1.15 * ry, pi, 2 * pi, 14)
        sketch.line(bow, 0.12 * rx, shaded(c, 0.6))
        for side in (-1, 1):
            sketch.outlined(ellipse(x + side * 1.08 * rx, y + 0.05 * ry, 0.24 * rx, 0.34 * ry), c)
    elif hat == "halo":
        ring = ellipse(x, y - 1.35 * ry, 0.75 * rx, 0.16 * ry)
        sketch.line(np.concatenate([ring, ring[:1]]), 0.12 * rx, (250, 215, 70))
    elif hat == "police":
        sketch.outlined(ellipse(x, brim - 0.45 * ry, 1.25 * rx, 0.4 * ry), c)
        sketch.outlined(box(x, brim - 0.1 * ry, 1.0 * rx, 0.18 * ry), shaded(c, 0.7))
        sketch.outlined(ellipse(x, brim + 0.1 * ry, 0.8 * rx, 0.14 * ry), BLACK)
        sketch.plain(star(x, brim - 0.4 * ry, 0.2 * rx, 0.1 * rx, 6), (245, 200, 60))
    elif hat == "chef":
        puffs = [
            ellipse(x + a * rx, brim - 0.75 * ry, 0.55 * rx, 0.45 * ry) for a in (-0.5, 0.0, 0.5)
        ]
        sketch.outlined([*puffs, box(x, brim - 0.25 * ry, 0.8 * rx, 0.3 * ry)], WHITE)
    elif hat == "flowers":
        for a in np.linspace(-0.85, 0.85, 5):
            at = (x + a * rx, y - (0.95 - 0.45 * a * a) * ry)
            sketch.outlined(ellipse(*at, 0.2 * rx, 0.2 * rx, n=12), bright(rng))
            sketch.plain(ellipse(*at, 0.08 * rx, 0.08 * rx, n=8), (250, 220, 80))
    else:
        for side in (-1, 1):
            horn = [
                (0.75 * side, -0.75),
                (1.3 * side, -0.9),
                (1.35 * side, -1.5),
                (1.05 * side, -1.1),
            ]
            sketch.outlined(smooth([(x + a * rx, y + b * ry) for a, b in horn], 4), (235, 225, 200))
        sketch.outlined(arc(x, brim, 1.08 * rx, 0.75 * ry, pi, 2 * pi, 14), shaded(c, 0.8))
