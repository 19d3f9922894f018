"""Puppets: figures of many builds and styles, drawn from a few random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..dance.figure import LayeredFigure
from ..dance.posing import Body
from ..dance.rig import Rig
from ..dance.skeleton import DRAW_ORDER, INDEX, PART_INDEX, PARTS
from .bodies import Wardrobe, draw_arm, draw_leg, draw_torso, random_wardrobe, torso_contour
from .builds import KIND_SHARES, KINDS, Build, random_build
from .drawing import Colour, Shape, Sketch, rasterise
from .heads import (
    EARS,
    HAIRS,
    HeadColours,
    HeadFrame,
    animal_head,
    face,
    human_head,
    odd_head,
    robot_head,
)
from .styles import Style, bright, from_hsv, random_style, shaded

FINE = 3
"""Supersampling factor of layers."""
FILL = 0.94
"""Share of a layer's side that the figure fills."""
SKINS: tuple[Colour, ...] = (
    *((255, 220, 190), (240, 195, 160), (225, 170, 130), (190, 130, 90), (140, 90, 60)),
    *((95, 60, 45), (255, 205, 60), (250, 225, 205)),
)
FURS: tuple[Colour, ...] = (
    *((150, 105, 65), (205, 150, 95), (235, 160, 80), (240, 235, 225), (70, 60, 60)),
    *((130, 130, 135), (245, 190, 195), (120, 170, 90), (90, 140, 190), (250, 215, 90)),
)


@dataclass(frozen=True)
class Puppet:
    """A figure as shapes, in body units, in an A or T pose.

    Attributes:
        joints: `[16 2]`, NaN where absent.
        parts: the shapes of each part that is there.
        order: parts from bottom to top.
        style: how it is drawn.
        box: left, top, right and bottom of all shapes.
        facing: how far it faces to the picture's right, -1..1.
    """

    joints: np.ndarray
    parts: Mapping[str, tuple[Shape, ...]]
    order: tuple[int, ...]
    style: Style
    box: tuple[float, float, float, float]
    facing: float

    def body(self, scale: float, left: float, top: float) -> Body:
        """Its body in pixels: body units times `scale` plus (left, top)."""
        shift = np.array([left, top])
        joints = torch.from_numpy((self.joints * scale + shift).astype(np.float32))
        size = (max(1, round(scale)), max(1, round(scale)))
        rig = Rig(size, joints, torch.isfinite(joints).all(-1).float())
        x0, y0, x1, y1 = self.box
        feet = y1 if self.has_feet else max(0.0, y1)
        return Body.of(
            rig, (x0 * scale + left, y0 * scale + top, x1 * scale + left, feet * scale + top)
        )

    @property
    def has_feet(self) -> bool:
        """Whether there is a leg to stand on."""
        return bool(np.isfinite(self.joints[INDEX["right_ankle"]]).all())

    def draw(
        self, size: tuple[int, int], scale: float, left: float, top: float, fine: int = FINE
    ) -> Tensor:
        """Layers `[p 4 h w]`, premultiplied, at rest, of width and height `size`."""
        layers = np.zeros((len(PARTS), size[1], size[0], 4), np.float32)
        at = np.array([left, top])
        for name, shapes in self.parts.items():
            places = [(s.points * scale + at) * fine for s in shapes]
            layers[PART_INDEX[name]] = self._layer(shapes, places, size, scale, at, fine)
        return rearrange(torch.from_numpy(layers), "p h w c -> p c h w")

    def _layer(
        self,
        shapes: tuple[Shape, ...],
        places: list[np.ndarray],
        size: tuple[int, int],
        scale: float,
        at: np.ndarray,
        fine: int,
    ) -> np.ndarray:
        w, h = size
        unit = scale * fine
        tile = rasterise(shapes, places, unit, self.style.line(unit), (w * fine, h * fine))
        if tile is None:
            return np.zeros((h, w, 4), np.float32)
        to_body = np.array([[1 / unit, 0, -at[0] / scale], [0, 1 / unit, -at[1] / scale]])
        colour = self.style.shade(tile, unit, to_body)
        # The rectangle grows to whole pixels of the layer before it is averaged down.
        th, tw = tile.mask.shape
        x0, y0 = tile.left // fine, tile.top // fine
        x1, y1 = -(-(tile.left + tw) // fine), -(-(tile.top + th) // fine)
        full = np.zeros(((y1 - y0) * fine, (x1 - x0) * fine, 4), np.float32)
        dy, dx = tile.top - y0 * fine, tile.left - x0 * fine
        full[dy : dy + th, dx : dx + tw, :3] = colour * (tile.mask[..., None] / np.float32(255))
        full[dy : dy + th, dx : dx + tw, 3] = tile.mask
        layer = np.zeros((h, w, 4), np.float32)
        small = full.reshape(y1 - y0, fine, x1 - x0, fine, 4).mean((1, 3))
        layer[y0:y1, x0:x1] = small[: h - y0, : w - x0]
        return layer

    def figure(self, size: int) -> LayeredFigure:
        """The puppet as layers of `size` x `size` pixels."""
        x0, y0, x1, y1 = self.box
        scale = FILL * size / max(x1 - x0, y1 - y0)
        left = size / 2 - scale * (x0 + x1) / 2
        top = size * (1 + FILL) / 2 - scale * y1
        layers = self.draw((size, size), scale, left, top)
        return LayeredFigure(layers, self.body(scale, left, top), self.order)


def random_puppet(rng: np.random.Generator, size: int, split: str = "train") -> LayeredFigure:
    """A puppet of a split's styles, with layers of `size` x `size` pixels."""
    return design_puppet(rng, split).figure(size)


def design_puppet(
    rng: np.random.Generator, split: str = "train", kinds: Mapping[str, float] | None = None
) -> Puppet:
    """A random puppet of a split's styles; `kinds` weighs `KINDS`."""
    shares = np.array(KIND_SHARES if kinds is None else [kinds.get(k, 0.0) for k in KINDS])
    kind = str(rng.choice(KINDS, p=shares / shares.sum()))
    build = random_build(rng, kind)
    skin = _skin(rng, kind)
    palette = _palette(rng)
    clothes = random_wardrobe(rng, build, skin, palette)
    style = random_style(rng, split, palette)
    hair = _hair_colour(rng, palette)
    if rng.random() < 0.05:  # one colour
        clothes, hair = _monochrome(clothes, skin), skin

    arm_angle = float(rng.uniform(0.35, 1.5))
    joints = build.joints(arm_angle, float(rng.uniform(0.02, 0.12)))
    sketches = {name: Sketch() for name in PARTS}
    seeds = tuple(int(x) for x in rng.integers(0, 2**31, 2))
    draw_torso(sketches["torso"], rng, build, clothes, torso_contour(rng, build))
    for side, sign in (("right", -1), ("left", 1)):
        at = {
            n: joints[INDEX[f"{side}_{n}"]]
            for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        }
        if build.arms:
            draw_arm(
                sketches[f"{side}_upper_arm"],
                sketches[f"{side}_forearm"],
                seeds,
                build,
                clothes,
                (at["shoulder"], at["elbow"], at["wrist"]),
                sign,
            )
        if build.legs:
            draw_leg(
                sketches[f"{side}_thigh"],
                sketches[f"{side}_shin"],
                seeds,
                build,
                clothes,
                (at["hip"], at["knee"], at["ankle"]),
                sign,
            )
    colours = HeadColours(skin, hair, palette[0], bright(rng))
    long_hair = _draw_head(sketches, rng, build, colours)
    parts = {
        n: tuple(_unsteady(s.shapes, rng, style.wobble)) for n, s in sketches.items() if s.shapes
    }
    return Puppet(
        joints, parts, _order(rng, build, long_hair), style, _box(parts, style), build.view
    )


def _draw_head(
    sketches: Mapping[str, Sketch], rng: np.random.Generator, build: Build, colours: HeadColours
) -> bool:
    """Draws the head, or the face of a trunk without one; true if hair falls behind the trunk."""
    if build.head == 0:
        y = build.neck_y + build.torso * float(rng.uniform(0.35, 0.5))
        r = build.shoulder * float(rng.uniform(0.55, 0.85))
        face(
            sketches["torso"],
            rng,
            HeadFrame(0, y, r, min(r, 0.4 * build.torso), build.view),
            colours,
        )
        return False
    y = build.neck_y - build.neck - build.head / 2
    frame = HeadFrame(
        0.15 * build.view * build.head_width, y, build.head_width, build.head / 2, build.view
    )
    sketch = sketches["head"]
    kind = build.kind
    if kind in ("armless", "legless"):
        kind = str(rng.choice(["human", "animal", "animal", "odd", "robot"]))
    hair = ""
    if kind == "human":
        hair = str(rng.choice(HAIRS))
        human_head(sketch, rng, frame, colours, hair)
    elif kind == "animal":
        animal_head(sketch, rng, frame, colours, str(rng.choice(EARS)))
    elif kind == "robot":
        robot_head(sketch, rng, frame, colours)
    else:
        odd_head(sketch, rng, frame, colours)
    return hair in ("long", "wavy", "bob") and rng.random() < 0.6


def _order(rng: np.random.Generator, build: Build, head_behind: bool) -> tuple[int, ...]:
    """Parts from bottom to top; the far arm of a turned figure lies behind the trunk."""
    order = list(DRAW_ORDER)
    if head_behind or rng.random() < 0.15:
        order.remove(PART_INDEX["head"])
        order.insert(order.index(PART_INDEX["torso"]), PART_INDEX["head"])
    behind: list[str] = []
    if abs(build.view) > 0.3 or rng.random() < 0.12:
        behind = (
            ["left"] if build.view > 0 or (build.view == 0 and rng.random() < 0.5) else ["right"]
        )
    elif rng.random() < 0.12:
        behind = ["left", "right"]
    for side in behind:
        for name in (f"{side}_forearm", f"{side}_upper_arm"):
            order.remove(PART_INDEX[name])
            order.insert(0, PART_INDEX[name])
    if rng.random() < 0.2:  # shins over thighs
        for side in ("right", "left"):
            i, j = order.index(PART_INDEX[f"{side}_shin"]), order.index(PART_INDEX[f"{side}_thigh"])
            order[i], order[j] = order[j], order[i]
    return tuple(order)


def _box(parts: Mapping[str, tuple[Shape, ...]], style: Style) -> tuple[float, float, float, float]:
    points = np.concatenate([s.points for shapes in parts.values() for s in shapes])
    low, high = points.min(0) - style.outline[0], points.max(0) + style.outline[0]
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _unsteady(shapes: list[Shape], rng: np.random.Generator, wobble: float) -> list[Shape]:
    """Shapes as an unsteady hand draws them."""
    if wobble == 0:
        return shapes
    waves = rng.uniform(20, 60, (2, 2))
    phase = rng.uniform(0, 6, 2)
    return [
        Shape(
            s.points + wobble * np.sin(s.points @ waves + phase),
            *(s.fill, s.group, s.outlined, s.material, s.width, s.clipped),
        )
        for s in shapes
    ]


def _skin(rng: np.random.Generator, kind: str) -> Colour:
    if kind == "human":
        base = SKINS[int(rng.integers(len(SKINS)))] if rng.random() < 0.85 else bright(rng)
    elif kind == "robot":
        base = from_hsv(rng.random(), rng.choice([0.05, 0.1, 0.5]), rng.uniform(0.45, 0.95))
    elif kind == "stick":
        base = bright(rng) if rng.random() < 0.5 else (30, 28, 30)
    elif kind == "animal":
        base = FURS[int(rng.integers(len(FURS)))] if rng.random() < 0.7 else bright(rng)
    else:
        base = bright(rng)
    jitter = rng.integers(-14, 15, 3)
    return tuple(int(np.clip(c + j, 0, 255)) for c, j in zip(base, jitter, strict=True))  # type: ignore[return-value]


def _palette(rng: np.random.Generator) -> list[Colour]:
    """Four or five colours, at times of near hues."""
    if rng.random() < 0.3:
        hue, spread = rng.random(), rng.uniform(0.02, 0.15)
        return [
            from_hsv(hue + spread * rng.normal(), rng.uniform(0.2, 0.9), rng.uniform(0.25, 1))
            for _ in range(4)
        ]
    return [bright(rng) for _ in range(5)]


def _hair_colour(rng: np.random.Generator, palette: list[Colour]) -> Colour:
    if rng.random() < 0.3:
        return palette[-1]
    natural: tuple[Colour, ...] = (
        (40, 30, 28),
        (75, 48, 30),
        (120, 75, 40),
        (205, 160, 80),
        (170, 75, 35),
        (200, 200, 200),
        (25, 25, 30),
    )
    return shaded(natural[int(rng.integers(len(natural)))], float(rng.uniform(0.8, 1.0)))


def _monochrome(clothes: Wardrobe, colour: Colour) -> Wardrobe:
    return replace(clothes, cloth=colour, trousers=colour, shoes=colour, extra=colour, skin=colour)
