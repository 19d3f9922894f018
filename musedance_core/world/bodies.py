"""Trunks and limbs of puppets with their clothes."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from .builds import Build
from .drawing import (
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
    superellipse,
    symmetric,
    turned,
)
from .heads import BLACK, WHITE
from .styles import bright, shaded

CLOTH, TROUSERS = 2, 3
"""Materials with the first and the second texture of a style."""
TOPS = ("shirt", "tee", "sleeveless", "coat", "suit", "dress", "gown", "hoodie", "overalls", "bare")
HANDS = ("mitten", "ball", "fingers", "splayed", "claw", "paw", "glove", "none")
FEET = ("shoe", "shoe", "boot", "bare", "paw", "bird", "block", "none")


@dataclass(frozen=True)
class Wardrobe:
    """Clothes of a puppet and their colours.

    Attributes:
        top: one of `TOPS`.
        sleeve: share of the arm's length that the sleeve covers, 0..1; `flare` widens its end.
        trouser: share of the leg's length that trousers cover.
        textured: whether top and trousers have a texture.
        open_joints: whether no outline crosses the limbs at their joints.
    """

    top: str
    hand: str
    foot: str
    sleeve: float
    flare: float
    trouser: float
    textured: tuple[bool, bool]
    open_joints: bool
    skin: Colour
    cloth: Colour
    trousers: Colour
    shoes: Colour
    extra: Colour

    @property
    def cloth_material(self) -> int:
        """Material of the top."""
        return CLOTH if self.textured[0] else 1

    @property
    def trouser_material(self) -> int:
        """Material of the trousers."""
        return TROUSERS if self.textured[1] else 1


def random_wardrobe(
    rng: np.random.Generator, build: Build, skin: Colour, palette: list[Colour]
) -> Wardrobe:
    """Clothes that go with a build."""
    top = str(rng.choice(TOPS, p=[0.2, 0.16, 0.08, 0.11, 0.09, 0.1, 0.04, 0.08, 0.07, 0.07]))
    hand = str(rng.choice(HANDS, p=[0.26, 0.24, 0.14, 0.1, 0.03, 0.05, 0.08, 0.1]))
    foot = str(rng.choice(FEET))
    naked = False
    if build.kind == "animal":
        naked = rng.random() < 0.6
        hand = str(rng.choice(["paw", "paw", "none", "mitten", "ball"]))
        foot = str(rng.choice(["paw", "paw", "bird", "shoe", "none", "bare"]))
    if build.kind == "robot":
        top, hand = "bare", str(rng.choice(["claw", "claw", "ball", "fingers", "block", "none"]))
        foot = str(rng.choice(["block", "block", "shoe", "boot"]))
    if build.kind == "mascot":
        top, hand = "bare", str(rng.choice(["glove", "glove", "ball", "fingers", "none"]))
        foot = str(rng.choice(["shoe", "shoe", "boot", "bare"]))
    if build.kind == "stick":
        top, hand, foot = (
            "bare",
            str(rng.choice(["none", "ball", "none"])),
            str(rng.choice(["none", "bare", "shoe"])),
        )
    if build.kind in ("armless", "legless", "limbless") and rng.random() < 0.7:
        naked = True
        foot = str(rng.choice(["bird", "bird", "paw", "shoe"]))
    if naked or build.thin:
        top = "bare" if naked or rng.random() < 0.3 else top
    one = lambda: palette[int(rng.integers(len(palette)))] if rng.random() < 0.75 else bright(rng)  # noqa: E731
    sleeve = {
        "shirt": 1.0,
        "tee": rng.uniform(0.2, 0.42),
        "sleeveless": 0.0,
        "coat": 1.0,
        "suit": 1.0,
        "dress": rng.choice([0.0, 0.25, 1.0]),
        "gown": rng.choice([0.0, 0.3, 1.0]),
        "hoodie": 1.0,
        "overalls": rng.choice([0.3, 1.0]),
        "bare": 0.0,
    }[top]
    trouser = float(rng.choice([1.0, 1.0, 1.0, 0.45, 0.55, 0.15]))
    if top == "bare":
        trouser = (
            0.0
            if naked or build.kind in ("robot", "mascot", "stick")
            else float(rng.choice([0.3, 0.5, 1.0]))
        )
    if top in ("dress", "gown"):
        trouser = float(rng.choice([0.0, 0.0, 1.0]))
    cloth = skin if top == "bare" else one()
    return Wardrobe(
        top,
        hand,
        foot,
        float(sleeve) * float(rng.uniform(0.88, 0.99)),
        float(rng.choice([1.0, 1.05, 1.15, 1.3, 1.9])),
        trouser,
        (bool(rng.random() < 0.35), bool(rng.random() < 0.2)),
        bool(rng.random() < 0.82),
        skin,
        cloth,
        one() if trouser else skin,
        one() if foot in ("shoe", "boot", "block") else skin,
        one(),
    )


def draw_arm(
    upper: Sketch,
    lower: Sketch,
    rng_state: tuple[int, ...],
    build: Build,
    clothes: Wardrobe,
    joints: tuple[Points, Points, Points],
    sign: int,
) -> None:
    """Draws upper arm and forearm with the hand. `rng_state` makes both sides alike."""
    rng = np.random.default_rng(rng_state)
    a, b, c = joints
    wa, wb, wc = build.arm
    if build.kind == "robot" and rng.random() < 0.5:
        _tube(upper, a, b, wa, wb, clothes.skin)
        _tube(lower, b, c, wb, wc, clothes.skin)
        lower.outlined(ellipse(*b, 1.25 * wb, 1.25 * wb, n=16), clothes.extra)
        _hand(lower, rng, build, clothes, b, c, sign)
        return
    sleeve, material = clothes.sleeve, clothes.cloth_material
    _segment(upper, a, b, wa, wb, clothes.skin, 1, clothes.open_joints)
    if sleeve > 0.02:
        share = min(1.0, sleeve / 0.51)
        end = a + (b - a) * share
        wide = wa + (wb - wa) * share
        flare = clothes.flare if share < 1 else 1.0
        _sleeve(
            upper,
            a,
            end,
            1.1 * wa,
            1.08 * wide * flare,
            clothes.cloth,
            material,
            share >= 1,
            clothes.open_joints,
        )
    _hand(lower, rng, build, clothes, b, c, sign)
    _segment(lower, b, c, wb, wc, clothes.skin, 1, clothes.open_joints)
    if sleeve > 0.55:
        share = min(1.0, (sleeve - 0.51) / 0.49)
        end = b + (c - b) * share
        _sleeve(
            lower,
            b,
            end,
            1.08 * wb,
            1.1 * (wb + (wc - wb) * share) * clothes.flare,
            clothes.cloth,
            material,
            False,
            clothes.open_joints,
        )
        if rng.random() < 0.3:
            d = (c - b) / np.hypot(*(c - b))
            lower.outlined(
                band(end - d * 0.02, end, 1.15 * wc * clothes.flare, 1.15 * wc * clothes.flare),
                shaded(clothes.cloth, 0.8),
            )


def draw_leg(
    upper: Sketch,
    lower: Sketch,
    rng_state: tuple[int, ...],
    build: Build,
    clothes: Wardrobe,
    joints: tuple[Points, Points, Points],
    sign: int,
) -> None:
    """Draws thigh and shin with the foot."""
    rng = np.random.default_rng(rng_state)
    a, b, c = joints
    wa, wb, wc = build.leg
    if build.kind == "robot" and rng.random() < 0.5:
        _tube(upper, a, b, wa, wb, clothes.skin)
        _foot(lower, rng, build, clothes, b, c, sign)
        _tube(lower, b, c, wb, wc, clothes.skin)
        lower.outlined(ellipse(*b, 1.25 * wb, 1.25 * wb, n=16), clothes.extra)
        return
    material = clothes.trouser_material
    _segment(upper, a, b, wa, wb, clothes.skin, 1, clothes.open_joints)
    length = clothes.trouser
    if length > 0.02:
        share = min(1.0, length / 0.5)
        _sleeve(
            upper,
            a,
            a + (b - a) * share,
            1.06 * wa,
            1.08 * (wa + (wb - wa) * share),
            clothes.trousers,
            material,
            share >= 1,
            clothes.open_joints,
        )
    _foot(lower, rng, build, clothes, b, c, sign)
    _segment(lower, b, c, wb, wc, clothes.skin, 1, clothes.open_joints)
    if length > 0.52:
        share = min(0.97, (length - 0.5) / 0.5)
        flare = float(rng.choice([1.0, 1.05, 1.2, 1.5]))
        _sleeve(
            lower,
            b,
            b + (c - b) * share,
            1.06 * wb,
            1.08 * wc * flare,
            clothes.trousers,
            material,
            False,
            clothes.open_joints,
        )
    elif rng.random() < 0.3 and not build.thin:
        start = b + (c - b) * float(rng.uniform(0.4, 0.8))
        lower.outlined(capsule(start, c, 1.05 * wc, 1.05 * wc), clothes.extra)
    if clothes.foot == "boot":
        start = b + (c - b) * float(rng.uniform(0.3, 0.7))
        lower.outlined(band(start, c, 1.2 * wc + 0.004, 1.1 * wc + 0.004), clothes.shoes)


def _segment(
    sketch: Sketch,
    a: Points,
    b: Points,
    wa: float,
    wb: float,
    colour: Colour,
    material: int,
    open_: bool,
) -> None:
    """A limb segment whose outline, if `open_`, starts beyond the inner joint."""
    if open_ and np.hypot(*(b - a)) > 0.9 * wa:
        d = (b - a) / np.hypot(*(b - a))
        sketch.outlined(_rest_of(a + d * 0.45 * wa, b, wa, wb), colour, material)
        sketch.plain(capsule(a, b, wa, wb), colour, material)
    else:
        sketch.outlined(capsule(a, b, wa, wb), colour, material)


def _sleeve(
    sketch: Sketch,
    a: Points,
    b: Points,
    wa: float,
    wb: float,
    colour: Colour,
    material: int,
    whole: bool,
    open_: bool,
) -> None:
    """Cloth around a segment, with a flat end unless it is `whole`."""
    if whole:
        _segment(sketch, a, b, wa, wb, colour, material, open_)
        return
    d = (b - a) / max(1e-6, float(np.hypot(*(b - a))))
    start = a + d * 0.45 * wa if open_ and np.hypot(*(b - a)) > wa else a
    sketch.outlined(band(start, b, wa, wb), colour, material)
    sketch.plain([ellipse(*a, wa, wa, n=16), band(a, b, wa, wb)], colour, material)


def _rest_of(a: Points, b: Points, wa: float, wb: float) -> Points:
    """A segment with a flat inner and a round outer end."""
    angle = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    t = np.linspace(-pi / 2, pi / 2, 7) + angle
    front = b + wb * np.stack([np.cos(t), np.sin(t)], -1)
    n = np.array([-np.sin(angle), np.cos(angle)]) * wa
    return np.concatenate([front, [a + n, a - n]])


def _tube(sketch: Sketch, a: Points, b: Points, wa: float, wb: float, colour: Colour) -> None:
    """A limb of rings."""
    sketch.outlined(capsule(a, b, 0.9 * wa, 0.9 * wb), shaded(colour, 0.85))
    n = 4
    for k in range(n + 1):
        p = a + (b - a) * k / n
        d = (b - a) / (6 * n)
        w = wa + (wb - wa) * k / n
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
        return turned(points * (sign * 1.0, 1.0), angle) + centre

    if kind in ("ball", "paw", "block"):
        shape = ellipse(0, 0, r, r, n=18) if kind != "block" else box(0, 0, r, 0.9 * r, 0.2 * r)
        sketch.outlined(put(shape), colour)
        if kind == "paw":
            for k in (-0.4, 0.0, 0.4):
                sketch.line(
                    put(np.array([[k * r, 0.5 * r], [k * r, 0.9 * r]])),
                    0.12 * r,
                    shaded(colour, 0.6),
                )
    elif kind in ("mitten", "glove"):
        thumb = capsule(
            np.array([-0.3 * r, -0.2 * r]), np.array([-0.95 * r, 0.45 * r]), 0.32 * r, 0.26 * r
        )
        sketch.outlined([put(thumb), put(ellipse(0, 0.25 * r, 0.85 * r, 1.1 * r, n=18))], colour)
        if kind == "glove":
            sketch.outlined(put(box(0, -0.8 * r, 0.8 * r, 0.25 * r, 0.2 * r)), colour)
    elif kind in ("fingers", "splayed"):
        count = int(rng.choice([3, 4]))
        wide = 0.25 if kind == "fingers" else 0.45
        shapes = [put(ellipse(0, 0, 0.75 * r, 0.8 * r, n=16))]
        for k in range(count):
            t = (k - (count - 1) / 2) * wide
            tip = np.array([np.sin(t), np.cos(t)]) * 1.75 * r
            root = np.array([(k - (count - 1) / 2) * 0.42 * r, 0.3 * r])
            shapes.append(put(capsule(root, tip, 0.22 * r, 0.19 * r, n=5)))
        shapes.append(
            put(
                capsule(
                    np.array([-0.4 * r, -0.2 * r]),
                    np.array([-1.2 * r, 0.5 * r]),
                    0.24 * r,
                    0.2 * r,
                    n=5,
                )
            )
        )
        sketch.outlined(shapes, colour)
    elif kind == "claw":
        for way in (-1, 1):
            claw = arc(
                way * 0.1 * r,
                0.3 * r,
                0.95 * r,
                1.0 * r,
                pi / 2 + way * 0.35,
                pi / 2 + way * 2.6,
                9,
            )
            inner = arc(
                way * 0.1 * r, 0.3 * r, 0.5 * r, 0.6 * r, pi / 2 + way * 2.6, pi / 2 + way * 0.35, 9
            )
            sketch.outlined(put(np.concatenate([claw, inner])), shaded(clothes.skin, 0.7))


def _foot(
    sketch: Sketch,
    rng: np.random.Generator,
    build: Build,
    clothes: Wardrobe,
    b: Points,
    c: Points,
    sign: int,
) -> None:
    """A foot under the ankle c; it points outwards, or where the figure faces."""
    kind = clothes.foot
    thick = build.leg[2]
    high = max(build.foot, 0.012)
    way = float(np.sign(build.view)) if abs(build.view) > 0.25 else float(sign)
    long = max(thick * 1.5, high * 1.3) * float(rng.uniform(0.9, 1.5))
    long *= 1 + 0.5 * abs(build.view)
    if abs(build.view) < 0.25 and rng.random() < 0.3:
        long, way = 1.1 * thick + 0.008, way * 0.3  # seen from the toes
    x, ground = c[0], c[1] + 0.6 * high
    colour = clothes.shoes if kind in ("shoe", "boot", "block") else clothes.skin
    if kind in ("shoe", "boot", "bare"):
        points = [
            (-0.55 * thick - 0.004, -1.0 * high),
            (0.5 * thick, -1.0 * high),
            (0.9 * long, -0.62 * high),
            (1.15 * long, -0.25 * high),
            (1.05 * long, 0.0),
            (-0.3 * thick, 0.0),
            (-0.95 * thick - 0.004, -0.15 * high),
        ]
        sketch.outlined(smooth([(x + way * u, ground + v) for u, v in points], 4), colour)
        if kind == "shoe" and rng.random() < 0.5:
            sole = shaded(colour, 0.6) if rng.random() < 0.5 else WHITE
            sketch.plain(
                np.array(
                    [
                        (x + way * u, ground + v)
                        for u, v in (
                            (-0.9 * thick, -0.2 * high),
                            (1.2 * long, -0.2 * high),
                            (1.05 * long, 0.02 * high),
                            (-0.5 * thick, 0.02 * high),
                        )
                    ]
                ),
                sole,
                clipped=True,
            )
    elif kind == "paw":
        sketch.outlined(
            ellipse(
                x + 0.25 * way * long,
                ground - 0.5 * high,
                max(0.75 * long, thick),
                0.6 * high,
                n=18,
            ),
            colour,
        )
    elif kind == "bird":
        orange = clothes.shoes if rng.random() < 0.4 else (240, 150, 40)
        for t in (-0.6, 0.0, 0.6):
            end = np.array([x + (np.sin(t) * 1.1 + 0.3 * way) * long, ground])
            sketch.outlined(
                capsule(
                    np.array([x, ground - high]), end, 0.3 * high + 0.003, 0.3 * high + 0.003, n=5
                ),
                orange,
            )
    elif kind == "block":
        sketch.outlined(
            box(
                x + 0.2 * way * long,
                ground - 0.5 * high,
                max(0.8 * long, 1.1 * thick),
                0.5 * high,
                0.15 * high,
            ),
            colour,
        )


def torso_contour(rng: np.random.Generator, build: Build) -> Points:
    """The outline of the trunk without clothes."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    s = build.shoulder * build.spread(0.45) + 0.35 * build.arm[0]
    waist, hip = (
        build.waist * build.spread(0.35),
        build.hip * build.spread(0.35) + 0.9 * build.leg[0],
    )
    if build.thin:
        hip = max(hip, 0.6 * s)
    if build.kind == "stick":
        w = build.arm[0]
        return capsule(np.array([0.0, top]), np.array([0.0, bottom]), w, w)
    if build.kind == "robot":
        power = float(rng.choice([4.0, 7.0, 12.0]))
        return superellipse(0, (top + bottom) / 2, 1.02 * s, 0.52 * t, power)
    if build.kind in ("mascot", "limbless"):
        return _mascot_contour(rng, build, s)
    low = 0.03 * t + (0.5 * build.leg[0] if build.legs else 0.0)
    kind = rng.integers(3) if build.kind != "animal" else rng.choice([1, 1, 2])
    if kind == 0:  # broad shoulders and a waist
        neck = 0.35 * build.head_width + 0.01
        right = [
            (neck, top - 0.01 * t),
            (0.75 * s, top + 0.03 * t),
            (s, top + 0.15 * t),
            (0.93 * s, top + 0.35 * t),
            (waist, top + 0.62 * t),
            (max(hip, 0.8 * waist), bottom - 0.1 * t),
            (0.9 * hip, bottom + low),
        ]
        return smooth(symmetric(right))
    if kind == 1:  # a pear or an egg
        wide = max(s, hip) * float(rng.uniform(1.0, 1.3))
        right = [
            (0.2 * s, top - 0.03 * t),
            (0.6 * s, top + 0.02 * t),
            (0.95 * s, top + 0.25 * t),
            (wide, bottom - 0.3 * t),
            (0.85 * wide, bottom - 0.02 * t),
            (0.4 * wide, bottom + low),
        ]
        return smooth(symmetric(right))
    corners = [
        (0.92 * s, top),
        (s, top + 0.1 * t),
        (max(hip, 0.85 * waist), bottom),
        (0.9 * hip, bottom + low),
    ]
    return np.array(symmetric(corners))


def _mascot_contour(rng: np.random.Generator, build: Build, s: float) -> Points:
    """A trunk that is a thing: ball, egg, box, drop, star, heart or pear."""
    y, ry = (build.neck_y + build.hip_y) / 2, build.torso / 2
    kind = rng.integers(7)
    if kind == 0:
        return ellipse(0, y, s, ry * 1.02, n=36)
    if kind == 1:
        return superellipse(0, y, s, ry * 1.02, float(rng.uniform(3, 12)))
    if kind == 2:
        return smooth(
            symmetric(
                [
                    (0.02, -2 * ry + build.hip_y),
                    (0.5 * s, y - 0.3 * ry),
                    (s, y + 0.4 * ry),
                    (0.5 * s, y + 1.02 * ry),
                ]
            )
        )
    if kind == 3:
        return (
            star(0, y, max(s, ry) * 1.05, max(s, ry) * 0.62, 5)
            if build.legs
            else ellipse(0, y, s, ry)
        )
    if kind == 4:
        return smooth(
            symmetric([(0.3 * s, y - ry), (s, y - 0.8 * ry), (0.95 * s, y), (0.75 * s, y + ry)])
        )
    if kind == 5:
        return np.array(symmetric([(0.9 * s, y - ry), (0.62 * s, y + ry)]))
    return smooth(
        symmetric(
            [(0.25 * s, y - ry), (0.55 * s, y - 0.4 * ry), (s, y + 0.4 * ry), (0.6 * s, y + ry)]
        )
    )


def draw_torso(
    sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe, contour: Points
) -> None:
    """Draws the trunk with its clothes."""
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    s = build.shoulder * build.spread(0.45)
    if build.kind == "animal" and rng.random() < 0.55:
        _tail(sketch, rng, build, clothes)
    if build.head > 0 and build.kind not in ("stick",):
        w = max(0.3 * build.head_width, 0.01)
        sketch.outlined(
            box(0, top - 0.4 * build.neck, w, 0.6 * build.neck + 0.04 * t), clothes.skin
        )
    if clothes.top in ("dress", "gown", "coat") and build.legs:
        _skirt(sketch, rng, build, clothes)
    sketch.outlined(contour, clothes.cloth, clothes.cloth_material)
    if build.kind == "robot":
        _panel(sketch, rng, build, clothes)
        return
    if clothes.top == "bare":
        if build.kind in ("animal", "armless", "legless", "limbless") and rng.random() < 0.55:
            sketch.plain(
                ellipse(0, bottom - 0.42 * t, 0.62 * s + 0.01, 0.4 * t),
                shaded(clothes.skin, 1.7),
                clipped=True,
            )
        if clothes.trouser > 0.1 and build.legs:
            sketch.plain(
                box(0, bottom + 0.1 * t, 2 * s + 0.1, 0.25 * t),
                clothes.trousers,
                clothes.trouser_material,
                clipped=True,
            )
        return
    if (
        clothes.trouser > 0.1
        and clothes.top not in ("dress", "gown", "coat", "overalls")
        and build.legs
    ):
        edge = bottom - float(rng.uniform(0.0, 0.18)) * t
        sketch.plain(
            box(0, edge + 0.25 * t, 2 * s + 0.1, 0.25 * t),
            clothes.trousers,
            clothes.trouser_material,
            clipped=True,
        )
        if rng.random() < 0.4:
            sketch.plain(
                box(0, edge, 2 * s + 0.1, 0.03 * t), shaded(clothes.trousers, 0.5), clipped=True
            )
    _decorate(sketch, rng, build, clothes, s)


def _decorate(
    sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe, s: float
) -> None:
    top, bottom, t = build.neck_y, build.hip_y, build.torso
    shift = 0.35 * build.view * s
    if clothes.top == "suit" or (clothes.top == "coat" and rng.random() < 0.5):
        shirt = np.array(
            [
                [shift - 0.35 * s, top - 0.02],
                [shift + 0.35 * s, top - 0.02],
                [shift, top + 0.55 * t],
            ]
        )
        sketch.plain(shirt, WHITE, clipped=True)
        tie = np.array(
            [
                [shift - 0.07 * s, top],
                [shift + 0.07 * s, top],
                [shift + 0.1 * s, top + 0.4 * t],
                [shift, top + 0.5 * t],
                [shift - 0.1 * s, top + 0.4 * t],
            ]
        )
        sketch.plain(tie, clothes.extra, clipped=True)
        sketch.line(
            np.array([[shift, top + 0.55 * t], [shift, bottom]]),
            0.012 * t,
            shaded(clothes.cloth, 0.5),
            clipped=True,
        )
    elif clothes.top in ("coat", "hoodie"):
        dark = shaded(clothes.cloth, 0.6)
        sketch.line(
            np.array([[shift, top], [shift, bottom + 0.2 * t]]), 0.02 * t, dark, clipped=True
        )
        if clothes.top == "hoodie":
            sketch.plain(
                ellipse(shift, top, 0.55 * s, 0.14 * t), shaded(clothes.cloth, 0.8), clipped=True
            )
            sketch.plain(
                box(0, bottom - 0.25 * t, 0.5 * s, 0.12 * t, 0.05 * t),
                shaded(clothes.cloth, 0.85),
                clipped=True,
            )
        else:
            for k in (0.3, 0.5, 0.7):
                sketch.plain(
                    ellipse(
                        shift + 0.12 * s, top + k * t, 0.05 * s + 0.003, 0.05 * s + 0.003, n=10
                    ),
                    clothes.extra,
                    clipped=True,
                )
    elif clothes.top == "overalls":
        c, m = clothes.trousers, clothes.trouser_material
        sketch.plain(box(0, bottom, 2 * s + 0.1, 0.3 * t), c, m, clipped=True)
        sketch.plain(box(shift, top + 0.5 * t, 0.55 * s, 0.25 * t), c, m, clipped=True)
        for side in (-1, 1):
            sketch.plain(
                box(shift + side * 0.45 * s, top + 0.15 * t, 0.1 * s, 0.22 * t), c, m, clipped=True
            )
    elif rng.random() < 0.5:
        kind, y = rng.integers(5), top + 0.38 * t
        if kind == 0:
            sketch.plain(star(shift, y, 0.35 * s, 0.15 * s, 5), clothes.extra, clipped=True)
        elif kind == 1:
            sketch.plain(ellipse(shift, y, 0.3 * s, 0.3 * s), clothes.extra, clipped=True)
        elif kind == 2:
            sketch.plain(box(0, y, 2 * s + 0.1, 0.1 * t), clothes.extra, clipped=True)
        elif kind == 3:
            for k in (0.15, 0.35, 0.55, 0.75):
                sketch.plain(
                    ellipse(shift, top + k * t, 0.05 * s + 0.003, 0.05 * s + 0.003, n=10),
                    clothes.extra,
                    clipped=True,
                )
        else:
            collar = np.array(
                [
                    [shift - 0.4 * s, top - 0.02],
                    [shift + 0.4 * s, top - 0.02],
                    [shift, top + 0.22 * t],
                ]
            )
            sketch.plain(collar, clothes.skin, clipped=True)


def _skirt(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    bottom, t, leg = build.hip_y, build.torso, build.leg_length
    down = {
        "dress": rng.uniform(0.25, 0.6),
        "gown": rng.uniform(0.75, 0.95),
        "coat": rng.uniform(0.2, 0.5),
    }[clothes.top]
    hem = bottom + float(down) * leg
    waist = build.waist * build.spread(0.35)
    narrow = build.hip + build.leg[0]
    wide = narrow * float(
        rng.uniform(1.1, 1.25) if clothes.top == "coat" else rng.uniform(1.15, 2.1)
    )
    y = bottom - float(rng.uniform(0.2, 0.45)) * t
    right = [
        (0.9 * waist, y),
        (0.6 * (waist + wide), (y + hem) / 2 + 0.02),
        (wide, hem),
        (0.5 * wide, hem + 0.02 * t),
    ]
    points = (
        smooth(symmetric(right), 4)
        if rng.random() < 0.5
        else np.array(symmetric(right[:1] + right[2:3]))
    )
    colour = clothes.cloth if clothes.top == "coat" or rng.random() < 0.6 else clothes.extra
    sketch.outlined(points, colour, clothes.cloth_material)
    if rng.random() < 0.4:
        sketch.plain(box(0, hem, 2 * wide, 0.06 * leg), shaded(colour, 0.7), clipped=True)


def _tail(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    side = -float(np.sign(build.view)) if build.view else float(rng.choice((-1, 1)))
    w = build.torso * float(rng.uniform(0.05, 0.16))
    root = np.array([side * 0.5 * build.hip, build.hip_y - 0.08 * build.torso])
    bend = root + np.array([side * rng.uniform(0.5, 0.9), rng.uniform(-0.1, 0.3)]) * build.torso
    tip = bend + np.array([side * rng.uniform(-0.1, 0.3), -rng.uniform(0.2, 0.7)]) * build.torso
    colour = clothes.skin
    sketch.outlined(
        [capsule(root, bend, w, w), capsule(bend, tip, w, w * float(rng.uniform(0.2, 1.3)))], colour
    )


def _panel(sketch: Sketch, rng: np.random.Generator, build: Build, clothes: Wardrobe) -> None:
    """Lights, dials and screws of a robot."""
    y, s, t = build.neck_y + 0.4 * build.torso, build.shoulder * build.spread(0.4), build.torso
    sketch.outlined(
        box(0, y, 0.6 * s, 0.2 * t, 0.04 * t), shaded(clothes.skin, float(rng.choice([0.7, 1.4])))
    )
    for k in range(int(rng.integers(1, 4))):
        sketch.plain(ellipse((k - 1) * 0.35 * s, y - 0.05 * t, 0.1 * s, 0.1 * s, n=14), bright(rng))
    if rng.random() < 0.5:
        sketch.plain(box(0, y + 0.1 * t, 0.45 * s, 0.03 * t), clothes.extra)
    if rng.random() < 0.5:
        for x in (-0.8, 0.8):
            for k in (0.08, 0.9):
                sketch.plain(
                    ellipse(x * s, build.neck_y + k * t, 0.05 * s, 0.05 * s, n=10),
                    shaded(clothes.skin, 0.5),
                )
    if rng.random() < 0.4:
        for k in (0.72, 0.8, 0.88):
            sketch.line(
                np.array([[-0.5 * s, build.neck_y + k * t], [0.5 * s, build.neck_y + k * t]]),
                0.012 * t,
                BLACK,
                clipped=True,
            )
