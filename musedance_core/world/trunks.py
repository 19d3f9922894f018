"""Trunks of puppets with their clothes, tails, wings and capes."""

from __future__ import annotations

from math import pi

import numpy as np

from .builds import Build
from .drawing import (
    Colour,
    Points,
    Sketch,
    box,
    capsule,
    ellipse,
    smooth,
    star,
    superellipse,
    symmetric,
    xy,
)
from .faces import BLACK, WHITE
from .styles import bright, shaded
from .wardrobe import SKIRTS, Wardrobe


def trunk_contour(rng: np.random.Generator, build: Build) -> Points:
    """The outline of the trunk."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    s = build.shoulder * build.spread(0.45) + 0.35 * build.arm[0]
    if build.kind == "stick":
        return capsule(np.array([0.0, top]), np.array([0.0, bottom]), build.arm[0], build.arm[0])
    if build.kind == "robot":
        return superellipse(
            0, (top + bottom) / 2, 1.02 * s, 0.52 * t, float(rng.choice([4, 7, 12]))
        )
    if build.head == 0:
        return _thing(rng, build, s)
    if not build.legs:
        return _standing_trunk(rng, build, s)
    waist, hip = build.waist * build.spread(0.35), build.hip * build.spread(0.35)
    hip += 0.85 * build.leg[0]
    if build.thin:
        hip = max(hip, 0.6 * s)
    low = 0.03 * t + 0.45 * build.leg[0]
    kind = rng.integers(3) if build.kind != "animal" else rng.choice([1, 1, 2])
    if kind == 0:  # shoulders and a waist
        neck = 0.35 * build.head_width + 0.01
        right = [(neck, top - 0.01 * t), (0.75 * s, top + 0.03 * t), (s, top + 0.15 * t)]
        right += [(0.93 * s, top + 0.35 * t), (waist, top + 0.62 * t)]
        right += [(max(hip, 0.8 * waist), bottom - 0.1 * t), (0.9 * hip, bottom + low)]
        return smooth(symmetric(right))
    if kind == 1:  # a pear or an egg
        wide = max(s, hip) * float(rng.uniform(0.95, 1.25))
        right = [(0.2 * s, top - 0.03 * t), (0.6 * s, top + 0.02 * t), (0.95 * s, top + 0.25 * t)]
        right += [(wide, bottom - 0.3 * t), (0.9 * wide, bottom - 0.02 * t)]
        return smooth(symmetric([*right, (0.4 * wide, bottom + low)]))
    corners = [(0.92 * s, top), (s, top + 0.1 * t), (max(hip, 0.85 * waist), bottom)]
    return np.array(symmetric([*corners, (0.9 * hip, bottom + low)]))


def _thing(rng: np.random.Generator, build: Build, s: float) -> Points:
    """A trunk that is a thing: ball, box, drop, star, bean, cup or pear."""
    y, ry = (build.neck_y + build.hip_y) / 2, build.torso / 2
    kind = rng.integers(9)
    if kind == 0:
        return ellipse(0, y, s, ry * 1.02, n=36)
    if kind == 1:
        return superellipse(0, y, s, ry * 1.02, float(rng.uniform(3, 12)))
    if kind == 2:
        right = [(0.02, y - ry), (0.5 * s, y - 0.3 * ry), (s, y + 0.4 * ry)]
        return smooth(symmetric([*right, (0.5 * s, y + 1.02 * ry)]))
    if kind == 3 and build.legs:
        return star(0, y, max(s, ry) * 1.05, max(s, ry) * float(rng.uniform(0.5, 0.7)), 5)
    if kind == 4:
        right = [(0.3 * s, y - ry), (s, y - 0.8 * ry), (0.95 * s, y), (0.75 * s, y + ry)]
        return smooth(symmetric(right))
    if kind == 5:
        return np.array(symmetric([(0.9 * s, y - ry), (0.62 * s, y + ry)]))
    if kind == 6:  # a heart
        right = [
            (0.0, y - 0.65 * ry),
            (0.5 * s, y - ry),
            (s, y - 0.5 * ry),
            (0.5 * s, y + 0.4 * ry),
        ]
        return smooth(symmetric([*right, (0.02, y + ry)]), 4)
    if kind == 7:  # a cloud or a tuft
        t = np.arange(10) * 2 * pi / 10 + 0.3
        return smooth(
            [(s * np.cos(a) * (0.85 + 0.15 * (i % 2)), y + ry * np.sin(a)) for i, a in enumerate(t)]
        )
    right = [(0.25 * s, y - ry), (0.55 * s, y - 0.4 * ry), (s, y + 0.4 * ry), (0.6 * s, y + ry)]
    return smooth(symmetric(right))


def _standing_trunk(rng: np.random.Generator, build: Build, s: float) -> Points:
    """A trunk without legs under a head: robe, bell, ghost, balls of snow, or the tail of a
    fish."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    kind = rng.integers(5)
    wide = s * float(rng.uniform(1.0, 1.7))
    if kind == 0:
        return smooth(
            symmetric(
                [
                    (0.4 * s, top),
                    (s, top + 0.25 * t),
                    (wide, bottom - 0.1 * t),
                    (0.6 * wide, bottom),
                ]
            )
        )
    if kind == 1:
        return np.array(symmetric([(0.7 * s, top), (s, top + 0.15 * t), (wide, bottom)]))
    if kind == 2:  # a hem of waves
        n = int(rng.integers(4, 8))
        x = np.linspace(wide, -wide, 2 * n + 1)
        hem = [(a, bottom - (0.1 * t if i % 2 else 0.0)) for i, a in enumerate(x)]
        return smooth(
            [(0.5 * s, top), (s, top + 0.3 * t), *hem, (-s, top + 0.3 * t), (-0.5 * s, top)], 4
        )
    if kind == 3:  # balls
        middle = top + 0.4 * t
        right = [
            (0.6 * s, top),
            (0.9 * s, top + 0.2 * t),
            (0.7 * s, middle),
            (wide, bottom - 0.3 * t),
        ]
        return smooth(symmetric([*right, (0.5 * wide, bottom)]))
    fin = 0.9 * s  # a fish
    right = [
        (0.5 * s, top),
        (s, top + 0.12 * t),
        (0.8 * s, top + 0.4 * t),
        (0.9 * s, top + 0.55 * t),
    ]
    right += [(0.25 * s, bottom - 0.15 * t), (fin, bottom - 0.04 * t), (0.8 * fin, bottom)]
    return smooth(symmetric([*right, (0.12 * fin, bottom - 0.06 * t)]))


def draw_trunk(
    sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe, contour: Points
) -> None:
    """Draws the trunk with its clothes, and the things behind it."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    sketch.behind = True
    _behind(sketch, rng, build, clothes)
    sketch.behind = False
    if build.head > 0 and build.kind != "stick":
        w = max(0.3 * build.head_width, 0.01)
        sketch.outlined(
            box(0, top - 0.4 * build.neck, w, 0.6 * build.neck + 0.04 * t), clothes.skin
        )
    skirt = _skirt(rng, build, clothes) if clothes.top in SKIRTS and build.legs else None
    if skirt is None:
        sketch.outlined(contour, clothes.cloth, clothes.cloth_material)
    elif clothes.top == "dress" and rng.random() < 0.35:
        sketch.outlined(
            skirt, clothes.trousers if clothes.trouser else clothes.extra, clothes.trouser_material
        )
        sketch.outlined(contour, clothes.cloth, clothes.cloth_material)
    else:
        sketch.outlined([skirt, contour], clothes.cloth, clothes.cloth_material)
    if build.kind == "robot":
        _panel(sketch, rng, build, clothes)
        return
    wide = 2 * build.shoulder + 0.1
    pants = clothes.trouser > 0.1 and build.legs
    if clothes.top == "bare":
        if build.kind not in ("human", "stick") and rng.random() < 0.5:
            belly = ellipse(0, bottom - 0.42 * t, 0.62 * build.shoulder + 0.01, 0.4 * t)
            sketch.plain(belly, shaded(clothes.skin, 1.7), clipped=True)
        if pants:
            seat = box(0, bottom + 0.1 * t, wide, 0.25 * t)
            sketch.plain(seat, clothes.trousers, clothes.trouser_material, clipped=True)
        return
    if pants and clothes.top not in (*SKIRTS, "overalls"):
        edge = bottom - float(rng.uniform(0.0, 0.18)) * t
        seat = box(0, edge + 0.25 * t, wide, 0.25 * t)
        sketch.plain(seat, clothes.trousers, clothes.trouser_material, clipped=True)
        if rng.random() < 0.4:
            sketch.plain(box(0, edge, wide, 0.03 * t), shaded(clothes.trousers, 0.5), clipped=True)
    _decorate(sketch, rng, build, clothes)


def _decorate(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    """Collars, ties, buttons, bibs and emblems."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    s = build.shoulder * build.spread(0.45)
    x, dark = 0.35 * build.view * s, shaded(clothes.cloth, 0.6)

    def put(points: list[tuple[float, float]]) -> Points:
        """Points in half widths from the middle and in heights from the top."""
        return np.array([(x + a * s, top + b * t) for a, b in points])

    kind = clothes.top
    if kind == "suit" or (kind == "coat" and rng.random() < 0.5):
        sketch.plain(put([(-0.35, -0.05), (0.35, -0.05), (0, 0.55)]), WHITE, clipped=True)
        tie = [(-0.07, 0.0), (0.07, 0.0), (0.1, 0.4), (0.0, 0.5), (-0.1, 0.4)]
        sketch.plain(put(tie), clothes.extra, clipped=True)
        sketch.line(put([(0, 0.55), (0, 1.0)]), 0.012 * t, dark, clipped=True)
    elif kind in ("coat", "hoodie", "robe"):
        sketch.line(put([(0, 0), (0, 1.3)]), 0.02 * t, dark, clipped=True)
        if kind == "hoodie":
            sketch.plain(
                ellipse(x, top, 0.55 * s, 0.14 * t), shaded(clothes.cloth, 0.8), clipped=True
            )
            pocket = box(0, bottom - 0.25 * t, 0.5 * s, 0.12 * t, 0.05 * t)
            sketch.plain(pocket, shaded(clothes.cloth, 0.85), clipped=True)
        elif kind == "robe":
            sketch.plain(box(0, top + 0.7 * t, 2 * s + 0.1, 0.05 * t), clothes.extra, clipped=True)
        else:
            _buttons(sketch, x + 0.12 * s, build, s, clothes.extra)
    elif kind == "overalls":
        c, m = clothes.trousers, clothes.trouser_material
        sketch.plain(box(0, bottom, 2 * s + 0.1, 0.3 * t), c, m, clipped=True)
        sketch.plain(box(x, top + 0.5 * t, 0.55 * s, 0.25 * t), c, m, clipped=True)
        for side in (-1, 1):
            strap = box(x + side * 0.45 * s, top + 0.15 * t, 0.1 * s, 0.22 * t)
            sketch.plain(strap, c, m, clipped=True)
    elif kind == "hero":
        sketch.plain(put([(-0.4, 0.2), (0.4, 0.2), (0, 0.6)]), clothes.extra, clipped=True)
        sketch.plain(box(0, bottom - 0.06 * t, 2 * s, 0.05 * t), clothes.extra, clipped=True)
    elif rng.random() < 0.55:
        _emblem(sketch, rng, build, clothes, x, s)
    if rng.random() < 0.06:  # a scarf or a bow
        colour = bright(rng)
        if rng.random() < 0.5:
            sketch.outlined(ellipse(0, top + 0.02 * t, 0.6 * s, 0.09 * t), colour)
            sketch.outlined(box(0.3 * s, top + 0.2 * t, 0.12 * s, 0.2 * t), colour)
        else:
            for side in (-1, 1):
                sketch.outlined(put([(0, 0.08), (side * 0.3, 0.0), (side * 0.3, 0.16)]), colour)


def _emblem(
    sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe, x: float, s: float
) -> None:
    top, t, colour = build.neck_y, build.torso, clothes.extra
    kind, y = rng.integers(6), top + 0.38 * t
    if kind == 0:
        sketch.plain(star(x, y, 0.35 * s, 0.15 * s, 5), colour, clipped=True)
    elif kind == 1:
        sketch.plain(ellipse(x, y, 0.3 * s, 0.3 * s), colour, clipped=True)
    elif kind == 2:
        sketch.plain(box(0, y, 2 * s + 0.1, 0.1 * t), colour, clipped=True)
    elif kind == 3:
        _buttons(sketch, x, build, s, colour)
    elif kind == 4:
        collar = [(x - 0.4 * s, top - 0.02), (x + 0.4 * s, top - 0.02), (x, top + 0.22 * t)]
        sketch.plain(np.array(collar), clothes.skin, clipped=True)
    else:  # a jacket that is open
        for side in (-1, 1):
            half = [(side * 0.3, 0.0), (side * 1.5, -0.1), (side * 1.5, 1.2), (side * 0.45, 1.0)]
            points = np.array([(x + a * s, top + b * t) for a, b in half])
            sketch.plain(points, colour, clipped=True)


def _buttons(sketch: Sketch, x: float, build: Build, s: float, colour: Colour) -> None:
    r = 0.05 * s + 0.003
    for k in (0.25, 0.45, 0.65):
        y = build.neck_y + k * build.torso
        sketch.plain(ellipse(x, y, r, r, n=10), colour, clipped=True)


def _skirt(rng: np.random.Generator, build: Build, clothes: Wardrobe) -> Points:
    """From the waist over the thighs."""
    bottom, t, leg = build.hip_y, build.torso, build.leg_length
    down = {"dress": (0.2, 0.6), "gown": (0.7, 0.95), "coat": (0.15, 0.5), "robe": (0.7, 0.97)}
    hem = bottom + float(rng.uniform(*down[clothes.top])) * leg
    waist = max(build.waist, 0.6 * build.shoulder) * build.spread(0.35)
    narrow = (build.hip + build.leg[0]) * build.spread(0.2)
    wide = narrow * float(
        rng.uniform(1.1, 1.3) if clothes.top in ("coat", "robe") else rng.uniform(1.15, 2.2)
    )
    y = bottom - float(rng.uniform(0.2, 0.45)) * t
    kind = rng.random()
    if kind < 0.4:
        return np.array(symmetric([(0.9 * waist, y), (wide, hem)]))
    if kind < 0.75 or clothes.top == "robe":
        right = [(0.9 * waist, y), (0.6 * (waist + wide), (y + hem) / 2 + 0.02), (wide, hem)]
        return smooth(symmetric([*right, (0.5 * wide, hem + 0.02 * t)]), 4)
    # A hem of waves, swung to one side.
    swing = float(rng.normal(0, 0.5)) * wide
    x = np.linspace(wide, -wide, 9)
    folds = [
        (a + swing, hem + 0.02 * (i % 2) - 0.3 * abs(swing) * (a * swing > 0))
        for i, a in enumerate(x)
    ]
    return smooth([(0.9 * waist, y), *folds, (-0.9 * waist, y)], 3)


def _behind(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    """Tail, cape, wings or a pack."""
    top, bottom, t, s = build.neck_y, build.hip_y, build.torso, build.shoulder
    lean = -0.3 * build.view * s
    if build.kind == "animal" and rng.random() < 0.5:
        _tail(sketch, rng, build, clothes)
    if clothes.back == "cape":
        down = bottom + float(rng.uniform(0.0, 0.7)) * build.leg_length
        wide, swing = s * float(rng.uniform(1.2, 2.2)), float(rng.normal(0, 0.4)) * s
        points = [
            (0.8 * s, top),
            (wide + swing, down),
            (swing, down - 0.04),
            (-wide + swing, down),
            (-0.8 * s, top),
        ]
        sketch.outlined(np.array(points), bright(rng))
    elif clothes.back == "wings":
        colour, high = bright(rng), float(rng.uniform(0.6, 1.1))
        for side in (-1, 1):
            wing = [
                (0.1, 0.3),
                (1.2, -0.4 * high),
                (2.4, -0.3 * high),
                (2.1, 0.4),
                (1.3, 0.5),
                (1.7, 1.0),
                (0.6, 0.9),
            ]
            sketch.outlined(smooth([(side * a * s * 0.9, top + b * t) for a, b in wing], 4), colour)
    elif clothes.back == "pack":
        sketch.outlined(box(lean, top + 0.45 * t, 1.25 * s, 0.4 * t, 0.1 * t), clothes.extra)


def _tail(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    side = -float(np.sign(build.view)) if build.view else float(rng.choice((-1, 1)))
    t = build.torso
    w = t * float(rng.uniform(0.04, 0.13))
    root = np.array([side * 0.5 * build.hip, build.hip_y - 0.08 * t])
    bend = root + np.array([side * rng.uniform(0.5, 0.9), rng.uniform(-0.1, 0.3)]) * t
    tip = bend + np.array([side * rng.uniform(-0.1, 0.3), -rng.uniform(0.2, 0.7)]) * t
    end = w * float(rng.uniform(0.2, 1.3))
    sketch.outlined([capsule(root, bend, w, w), capsule(bend, tip, w, end)], clothes.skin)
    if rng.random() < 0.3:
        sketch.plain(ellipse(*xy(tip), 1.0 * end, 1.0 * end, n=14), clothes.extra)


def _panel(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    """Lights, dials and screws of a robot."""
    y, s, t = build.neck_y + 0.4 * build.torso, build.shoulder * build.spread(0.4), build.torso
    plate = shaded(clothes.skin, float(rng.choice([0.7, 1.4])))
    sketch.outlined(box(0, y, 0.6 * s, 0.2 * t, 0.04 * t), plate)
    for k in range(int(rng.integers(1, 4))):
        sketch.plain(ellipse((k - 1) * 0.35 * s, y - 0.05 * t, 0.1 * s, 0.1 * s, n=14), bright(rng))
    if rng.random() < 0.5:
        sketch.plain(box(0, y + 0.1 * t, 0.45 * s, 0.03 * t), clothes.extra)
    if rng.random() < 0.5:
        for x in (-0.8, 0.8):
            for down in (0.08, 0.9):
                screw = ellipse(x * s, build.neck_y + down * t, 0.05 * s, 0.05 * s, n=10)
                sketch.plain(screw, shaded(clothes.skin, 0.5))
    if rng.random() < 0.4:
        for down in (0.72, 0.8, 0.88):
            y = build.neck_y + down * t
            slit = np.array([[-0.5 * s, y], [0.5 * s, y]])
            sketch.line(slit, 0.012 * t, BLACK, clipped=True)
