"""Arms and legs of puppets with sleeves, trousers, hands and feet."""

from __future__ import annotations

from math import pi

import numpy as np

from .builds import Build
from .drawing import (
    PLAIN,
    Colour,
    Points,
    Sketch,
    arc,
    band,
    box,
    capsule,
    ellipse,
    smooth,
    star,
    swell,
    turned,
    xy,
)
from .styles import bright, shaded
from .wardrobe import Wardrobe

Joints = tuple[Points, Points, Points]
WHITE: Colour = (250, 250, 248)
ROUND, OPEN, FLAT = "round", "open", "flat"
"""Ends of a segment: closed by the outline, round without an outline, or cut off."""


def draw_arm(
    upper: Sketch,
    lower: Sketch,
    rng: np.random.Generator,
    build: Build,
    clothes: Wardrobe,
    joints: Joints,
    sign: int,
) -> None:
    """Draws upper arm and forearm with the hand; the forearm lies over the upper arm."""
    a, b, c = joints
    wa, wb, wc = build.arm
    open_ = OPEN if clothes.open_joints else ROUND
    prop = clothes.props[0 if sign < 0 else 1]
    if build.kind == "robot" and build.tubes:
        _rings(upper, a, b, wa, wb, clothes.skin)
        _prop(lower, rng, prop, build, b, c, clothes.extra)
        _hand(lower, rng, build, clothes, b, c, sign)
        _rings(lower, b, c, wb, wc, clothes.skin)
        lower.outlined(ellipse(*xy(b), 1.25 * wb, 1.25 * wb, n=16), clothes.extra)
        return
    muscle, sleeve, material = clothes.muscle * wa, clothes.sleeve, clothes.cloth_material
    _segment(upper, a, b, wa, wb, clothes.skin, PLAIN, open_, ROUND, muscle)
    if sleeve > 0.02:
        share = min(1.0, sleeve / 0.51)
        end = a + (b - a) * share
        wide = 1.08 * (wa + (wb - wa) * share) * (clothes.flare if share < 1 else 1)
        outer = ROUND if share >= 1 else FLAT
        _segment(upper, a, end, 1.1 * wa, wide, clothes.cloth, material, open_, outer, muscle)
    _beyond(upper, a, b, wb)
    _prop(lower, rng, prop, build, b, c, clothes.extra)
    _hand(lower, rng, build, clothes, b, c, sign)
    muscle *= 0.6
    _segment(lower, b, c, wb, wc, clothes.skin, PLAIN, open_, ROUND, muscle, 0.3)
    if sleeve > 0.55:
        end = b + (c - b) * min(1.0, (sleeve - 0.51) / 0.49)
        wide = 1.1 * wc * clothes.flare
        _segment(lower, b, end, 1.08 * wb, wide, clothes.cloth, material, open_, FLAT, muscle, 0.3)
        if rng.random() < 0.3:
            d = (c - b) / np.hypot(*(c - b))
            cuff = band(end - d * 0.02, end, 1.1 * wide, 1.1 * wide)
            lower.outlined(cuff, shaded(clothes.cloth, 0.8))
    _beyond(lower, c, b, wb)


def draw_leg(
    upper: Sketch,
    lower: Sketch,
    rng: np.random.Generator,
    build: Build,
    clothes: Wardrobe,
    joints: Joints,
    sign: int,
    shin_over: bool,
    over_trunk: bool,
) -> None:
    """Draws thigh and shin with the foot. The part that lies over the other one has no outline at
    the knee, and one that lies over the trunk none at the hip."""
    a, b, c = joints
    wa, wb, wc = build.leg
    open_ = OPEN if clothes.open_joints else ROUND
    hip = open_ if over_trunk else ROUND
    thigh_end, shin_start = (ROUND, open_) if shin_over else (open_, ROUND)
    if build.kind == "robot" and build.tubes:
        _rings(upper, a, b, wa, wb, clothes.skin)
        _foot(lower, rng, build, clothes, c, sign)
        _rings(lower, b, c, wb, wc, clothes.skin)
        lower.outlined(ellipse(*xy(b), 1.25 * wb, 1.25 * wb, n=16), clothes.extra)
        return
    material, muscle, length = clothes.trouser_material, clothes.muscle * wa, clothes.trouser
    _segment(upper, a, b, wa, wb, clothes.skin, PLAIN, hip, thigh_end, 0.6 * muscle)
    if length > 0.02:
        share = min(1.0, length / 0.5)
        wide = 1.08 * (wa + (wb - wa) * share)
        outer = thigh_end if share >= 1 else FLAT
        end = a + (b - a) * share
        _segment(
            upper, a, end, 1.06 * wa, wide, clothes.trousers, material, hip, outer, 0.6 * muscle
        )
    _beyond(upper, a, b, wb)
    _beyond(upper, b, a, wa)
    _foot(lower, rng, build, clothes, c, sign)
    _segment(lower, b, c, wb, wc, clothes.skin, PLAIN, shin_start, ROUND, muscle, 0.3)
    if length > 0.52:
        end = b + (c - b) * min(0.97, (length - 0.5) / 0.5)
        wide = 1.08 * wc * clothes.trouser_flare
        _segment(
            lower,
            b,
            end,
            1.08 * wb,
            wide,
            clothes.trousers,
            material,
            shin_start,
            FLAT,
            muscle,
            0.3,
        )
    elif rng.random() < 0.3 and not build.thin:  # stockings
        start = b + (c - b) * float(rng.uniform(0.4, 0.8))
        lower.outlined(capsule(start, c, 1.05 * wc, 1.05 * wc), clothes.extra)
    if clothes.foot == "boot":
        start = b + (c - b) * float(rng.uniform(0.3, 0.7))
        lower.outlined(band(start, c, 1.2 * wc + 0.004, 1.1 * wc + 0.004), clothes.shoes)
    _beyond(lower, c, b, wb)


def _segment(
    sketch: Sketch,
    a: Points,
    b: Points,
    wa: float,
    wb: float,
    colour: Colour,
    material: int,
    start: str,
    end: str,
    bulge: float = 0.0,
    bulge_at: float = 0.4,
) -> None:
    """A limb segment from a to b with ends `ROUND`, `OPEN` or `FLAT`."""
    length = float(np.hypot(*(b - a)))
    d = (b - a) / max(1e-9, length)
    # The outlined part of the segment lacks the round cap of an open end, which is filled later.
    free = length > 0.6 * (wa + wb)
    head = 0.45 * wa if start == OPEN and free else 0.0
    foot = 0.3 * wb if end == OPEN and free else 0.0
    near, far = a + d * head, b - d * foot
    one, other = swell(near, far, wa, wb, bulge, bulge_at)
    tip = _cap(b, d, wb) if end == ROUND or (end == OPEN and not free) else far[None]
    back = _cap(a, -d, wa) if start == ROUND or (start == OPEN and not free) else near[None]
    sketch.outlined(np.concatenate([one, tip[::-1], other[::-1], back[::-1]]), colour, material)
    caps = [_cap(a, -d, wa)] if head else []
    caps += [_cap(b, d, wb)] if foot else []
    if caps or start == OPEN:
        inner, outer = swell(a, b if end != FLAT else far, wa, wb, bulge, bulge_at)
        sketch.plain([np.concatenate([inner, outer[::-1]]), *caps], colour, material)


def _cap(centre: Points, way: Points, radius: float) -> Points:
    """Half a disc on the side `way`, from its right to its left as seen along it."""
    angle = float(np.arctan2(way[1], way[0]))
    t = np.linspace(-pi / 2, pi / 2, 8) + angle
    return centre + radius * np.stack([np.cos(t), np.sin(t)], -1)


def _beyond(sketch: Sketch, a: Points, b: Points, width: float) -> None:
    """The limb goes on at b, beyond the segment from a."""
    d = (b - a) / max(1e-9, float(np.hypot(*(b - a))))
    sketch.ghost(band(b, b + d * 4 * width, width, width))


def _rings(sketch: Sketch, a: Points, b: Points, wa: float, wb: float, colour: Colour) -> None:
    """A limb of rings."""
    sketch.outlined(capsule(a, b, 0.9 * wa, 0.9 * wb), shaded(colour, 0.85))
    for k in range(5):
        p, d, w = a + (b - a) * k / 4, (b - a) / 24, wa + (wb - wa) * k / 4
        sketch.outlined(band(p - d, p + d, 1.05 * w, 1.05 * w), colour)


def _hand(
    sketch: Sketch,
    rng: np.random.Generator,
    build: Build,
    clothes: Wardrobe,
    b: Points,
    c: Points,
    sign: int,
) -> None:
    kind, r = clothes.hand, build.hand
    d = (c - b) / max(1e-6, float(np.hypot(*(c - b))))
    angle = float(np.arctan2(d[1], d[0])) - pi / 2  # turns a hand that points down
    centre = c + d * 0.6 * r
    colour = WHITE if kind == "glove" else clothes.skin

    def put(points: Points) -> Points:
        placed: Points = turned(points * (float(sign), 1.0), angle) + centre
        return placed

    if kind in ("ball", "paw", "block"):
        shape = ellipse(0, 0, r, r, n=18) if kind != "block" else box(0, 0, r, 0.9 * r, 0.2 * r)
        sketch.outlined(put(shape), colour)
        if kind == "paw" and rng.random() < 0.6:
            for k in (-0.4, 0.0, 0.4):
                toe = np.array([[k * r, 0.5 * r], [k * r, 0.9 * r]])
                sketch.line(put(toe), 0.12 * r, shaded(colour, 0.6))
    elif kind in ("mitten", "glove"):
        thumb = capsule(
            np.array([-0.3 * r, -0.2 * r]), np.array([-0.95 * r, 0.45 * r]), 0.32 * r, 0.26 * r
        )
        sketch.outlined([put(thumb), put(ellipse(0, 0.25 * r, 0.85 * r, 1.1 * r, n=18))], colour)
        if kind == "glove":
            sketch.outlined(put(box(0, -0.8 * r, 0.8 * r, 0.25 * r, 0.2 * r)), colour)
    elif kind == "flipper":
        wide = float(rng.uniform(1.0, 1.5)) * r
        sketch.outlined(put(ellipse(0, 0.2 * r, wide, 2.0 * r, n=20)), colour)
    elif kind in ("fingers", "splayed"):
        sketch.outlined([put(p) for p in _fingers(rng, r, kind == "splayed")], colour)
    elif kind == "claw":
        for way in (-1, 1):
            low, high = pi / 2 + way * 0.35, pi / 2 + way * 2.6
            outer = arc(way * 0.1 * r, 0.3 * r, 0.95 * r, 1.0 * r, low, high, 9)
            inner = arc(way * 0.1 * r, 0.3 * r, 0.5 * r, 0.6 * r, high, low, 9)
            sketch.outlined(put(np.concatenate([outer, inner])), shaded(clothes.skin, 0.7))


def _fingers(rng: np.random.Generator, r: float, splayed: bool) -> list[Points]:
    """An open hand that points down."""
    count = int(rng.choice([3, 4]))
    wide, shapes = 0.45 if splayed else 0.2, [ellipse(0, 0, 0.75 * r, 0.8 * r, n=16)]
    for k in range(count):
        at = k - (count - 1) / 2
        tip = np.array([np.sin(at * wide) + 0.2 * at, np.cos(at * wide)]) * 1.6 * r
        root = np.array([at * 0.4 * r, 0.3 * r])
        shapes.append(capsule(root, tip, 0.21 * r, 0.17 * r, n=5))
    thumb = capsule(
        np.array([-0.4 * r, -0.2 * r]), np.array([-1.1 * r, 0.6 * r]), 0.24 * r, 0.2 * r, n=5
    )
    return [*shapes, thumb]


def _prop(
    sketch: Sketch,
    rng: np.random.Generator,
    kind: str,
    build: Build,
    b: Points,
    c: Points,
    colour: Colour,
) -> None:
    """A thing in the hand at c; it belongs to the forearm."""
    if not kind:
        return
    d = (c - b) / max(1e-6, float(np.hypot(*(c - b))))
    side, at = np.array([-d[1], d[0]]) * rng.choice((-1, 1)), c + d * 0.6 * build.hand
    long = float(rng.uniform(0.12, 0.4))
    thin = float(rng.uniform(0.006, 0.014))
    grey = shaded(colour, 0.6)
    if kind == "ball":
        r = float(rng.uniform(0.04, 0.1))
        sketch.outlined(ellipse(*xy(at + d * r), r, r), colour)
    elif kind in ("sword", "wand", "bar"):
        back = at - side * long * (0.15 if kind != "bar" else 1.0)
        sketch.outlined(capsule(back, at + side * long, thin, thin * 0.7, n=5), colour)
        if kind == "wand":
            sketch.outlined(star(*xy(at + side * long), 0.04, 0.018, 5), bright(rng))
        if kind == "bar":
            for end in (back, at + side * long):
                sketch.outlined(ellipse(*xy(end), 0.05, 0.05), grey)
    elif kind in ("balloon", "flower", "flag", "umbrella"):
        up = np.array([0.0, -1.0])
        top = at + up * long + side * 0.03
        sketch.line(np.array([at, top]), 0.006, grey)
        if kind == "balloon":
            sketch.outlined(ellipse(*xy(top + up * 0.08), 0.075, 0.09), colour)
        elif kind == "flower":
            petals = [
                ellipse(*xy(top + 0.03 * np.array([np.cos(t), np.sin(t)])), 0.022, 0.022, n=10)
                for t in np.arange(5) * 2 * pi / 5
            ]
            sketch.outlined(petals, colour)
            sketch.plain(ellipse(*xy(top), 0.018, 0.018, n=10), bright(rng))
        elif kind == "flag":
            way = float(rng.choice((-1, 1)))
            corners = [(0, 0), (way * 0.16, 0.02), (way * 0.16, 0.11), (0, 0.09)]
            sketch.outlined(top + np.array(corners), colour)
        else:
            sketch.outlined(arc(*xy(top), 0.17, 0.12, pi, 2 * pi, 14), colour)
    elif kind == "bag":
        sketch.outlined(box(at[0], at[1] + 0.09, 0.06, 0.05, 0.01), colour)
        sketch.line(arc(at[0], at[1] + 0.045, 0.03, 0.04, pi, 2 * pi, 8), 0.01, grey)
    else:
        sketch.outlined(box(at[0], at[1] - 0.02, 0.028, 0.035, 0.005), colour)


def _foot(
    sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe, c: Points, sign: int
) -> None:
    """A foot under the ankle c; it points outwards, or where the figure faces."""
    kind, thick, high = clothes.foot, build.leg[2], max(build.foot, 0.012)
    way = float(np.sign(build.view)) if abs(build.view) > 0.25 else float(sign)
    long = max(thick * 1.4, high * 1.2) * float(rng.uniform(0.9, 1.35))
    long *= 1 + 0.6 * abs(build.view)
    if abs(build.view) < 0.25 and rng.random() < 0.35:
        long, way = 1.1 * thick + 0.008, way * 0.3  # seen from the toes
    x, ground = c[0], c[1] + 0.6 * high
    colour = clothes.shoes if kind in ("shoe", "boot", "block", "sneaker") else clothes.skin

    def put(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + way * u, ground + v) for u, v in points]

    heel = 0.95 * thick + 0.004
    if kind in ("shoe", "boot", "bare", "sneaker"):
        shape = [(-0.55 * thick - 0.004, -high), (0.5 * thick, -high), (0.9 * long, -0.62 * high)]
        shape += [(1.15 * long, -0.25 * high), (1.05 * long, 0.0), (-0.3 * thick, 0.0)]
        sketch.outlined(smooth(put([*shape, (-heel, -0.15 * high)]), 4), colour)
        if kind == "sneaker":
            sole = [(-heel, -0.22 * high), (1.25 * long, -0.22 * high), (1.2 * long, 0.05 * high)]
            sketch.plain(np.array(put([*sole, (-heel, 0.05 * high)])), WHITE, clipped=True)
        elif kind == "bare" and rng.random() < 0.5:
            for k in (0.75, 0.92):
                toe = np.array(put([(k * long, -0.3 * high), (k * long, 0.0)]))
                sketch.line(toe, 0.08 * high, shaded(colour, 0.7), clipped=True)
    elif kind == "heel":
        shape = [(-heel, -high), (0.4 * thick, -high), (1.3 * long, -0.1 * high), (1.2 * long, 0.0)]
        shape += [(0.6 * long, 0.0), (-0.2 * thick, -0.5 * high), (-0.7 * heel, 0.0), (-heel, 0.0)]
        sketch.outlined(np.array(put(shape)), clothes.shoes)
    elif kind == "paw":
        wide = max(0.75 * long, thick)
        middle = x + 0.25 * way * long
        sketch.outlined(ellipse(middle, ground - 0.5 * high, wide, 0.6 * high, n=18), colour)
    elif kind == "bird":
        orange = clothes.extra if rng.random() < 0.3 else (240, 150, 40)
        for t in (-0.6, 0.0, 0.6):
            end = np.array([x + (np.sin(t) * 1.1 + 0.3 * way) * long, ground])
            w = 0.3 * high + 0.003
            sketch.outlined(capsule(np.array([x, ground - high]), end, w, w, n=5), orange)
    elif kind == "block":
        wide = max(0.8 * long, 1.1 * thick)
        middle = x + 0.2 * way * long
        sketch.outlined(box(middle, ground - 0.5 * high, wide, 0.5 * high, 0.15 * high), colour)
