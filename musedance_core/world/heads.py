"""Heads of puppets: people, animals, robots and odd ones."""

from __future__ import annotations

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
from .faces import BLACK, WHITE, HeadColours, HeadFrame, face
from .hair import HATS, beard, glasses, hair_behind, hair_front, put_hat
from .styles import shaded

EARS = ("cat", "bear", "rabbit", "dog", "mouse", "fox", "pig", "cow", "elephant", "horns", "tuft")


def human_head(
    sketch: Sketch, rng: np.random.Generator, frame: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Draws a human head with a hair style of `HAIRS`, and with glasses, beard, mask or hat at
    times."""
    hat = str(rng.choice(HATS)) if rng.random() < 0.25 else ""
    hair_behind(sketch, rng, frame, colours, hair)
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
        beard(sketch, rng, frame, colours)
    if rng.random() < 0.03:
        _visor(sketch, frame)
    else:
        face(sketch, rng, frame, colours)
    hair_front(sketch, rng, frame, colours, hair)
    if rng.random() < 0.12:
        glasses(sketch, rng, frame)
    if hat:
        put_hat(sketch, rng, frame, colours, hat)


def _skull(rng: np.random.Generator, f: HeadFrame) -> Points:
    kind = rng.integers(4)
    if kind == 0:
        return ellipse(f.x, f.y, f.rx, f.ry, n=32)
    if kind == 1:
        return superellipse(f.x, f.y, f.rx, f.ry, float(rng.uniform(2.2, 4)))
    jaw, chin = rng.uniform(0.55, 0.95), rng.uniform(0.15, 0.5)
    right = [(0.3, -0.97), (0.74, -0.72), (1.0, -0.05), (jaw, 0.62), (chin, 0.97)]
    points = smooth([(f.x + x * f.rx, f.y + y * f.ry) for x, y in symmetric(right)])
    return points


def _visor(sketch: Sketch, f: HeadFrame) -> None:
    """A helmet with a dark visor."""
    sketch.outlined(superellipse(f.x, f.y, 1.12 * f.rx, 1.08 * f.ry, 2.5), (225, 228, 235))
    x, y = f.at(0, 0)
    sketch.plain(superellipse(x, y, 0.8 * f.rx, 0.6 * f.ry, 3), (45, 60, 90))
    sketch.plain(ellipse(x - 0.3 * f.rx, y - 0.25 * f.ry, 0.2 * f.rx, 0.1 * f.ry), (150, 175, 210))


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
            curve = smooth(
                [
                    (x + side * 0.3 * rx, y - 0.8 * ry),
                    (x + side * 0.8 * rx, y - 1.0 * ry),
                    (x + side * 1.0 * rx, y - (1.2 + 0.5 * tall) * ry),
                    (x + side * 0.55 * rx, y - 1.3 * ry),
                ]
            )
            sketch.outlined(curve, inner)
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
        right = [(0.4, -1.0), (0.85, -0.75), (1.0, -0.1), (0.4, 0.8)]
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


def plain_head(
    sketch: Sketch, rng: np.random.Generator, f: HeadFrame, colours: HeadColours, hair: str
) -> None:
    """Draws a head without a face: a disc, with hair half the time."""
    if rng.random() < 0.5:
        sketch.outlined(ellipse(f.x, f.y, f.rx, f.ry, n=32), colours.skin)
        return
    hair_behind(sketch, rng, f, colours, hair)
    sketch.outlined(_skull(rng, f), colours.skin)
    hair_front(sketch, rng, f, colours, hair)
