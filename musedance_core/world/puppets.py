"""Puppets: figures of many builds and styles, drawn from a few random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..dance.figure import LayeredFigure
from ..dance.posing import Body
from ..dance.rig import Rig
from ..dance.skeleton import DRAW_ORDER, INDEX, PART_INDEX, PARTS
from .builds import KIND_SHARES, KINDS, Build, random_build
from .colours import random_hair, random_palette, random_skin
from .drawing import Shape, Sketch, rasterise
from .faces import HeadColours, HeadFrame, face
from .hair import HAIRS
from .heads import EARS, animal_head, human_head, odd_head, plain_head, robot_head
from .limbs import draw_arm, draw_leg
from .styles import Style, bright, random_style
from .themes import random_theme
from .trunks import draw_trunk, trunk_contour
from .wardrobe import SKIRTS, Wardrobe, random_wardrobe

FINE = 3
"""Supersampling factor of layers."""
ROOT_INSIDE = 0.96
"""Distance of shoulders and hips from the middle, at most, in half widths of the trunk there."""
FILL = 0.94
"""Share of a layer's side that the figure fills."""


@dataclass(frozen=True)
class Puppet:
    """A figure as shapes, in body units, in an A or T pose.

    Attributes:
        joints: `[16 2]`, NaN where absent.
        parts: the shapes of each part that is there.
        order: parts from bottom to top.
        style: how it is drawn.
        box: left, top, right and bottom of all shapes.
        top, ground: y of the highest point without what hands hold, and of the soles, or of the
            lowest point of a figure without legs.
        facing: how far it faces to the picture's right, -1..1.
    """

    joints: np.ndarray
    parts: Mapping[str, tuple[Shape, ...]]
    order: tuple[int, ...]
    style: Style
    box: tuple[float, float, float, float]
    top: float
    ground: float
    facing: float

    def body(self, scale: float, left: float, top: float) -> Body:
        """Its body in pixels: body units times `scale` plus (left, top)."""
        shift = np.array([left, top])
        joints = torch.from_numpy((self.joints * scale + shift).astype(np.float32))
        size = (max(1, round(scale)), max(1, round(scale)))
        rig = Rig(size, joints, torch.isfinite(joints).all(-1).float())
        x0, x1 = self.box[0], self.box[2]
        left_x, right_x = x0 * scale + left, x1 * scale + left
        return Body.of(rig, (left_x, self.top * scale + top, right_x, self.ground * scale + top))

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
    """A random puppet of a split's styles; `kinds` weighs `builds.KINDS`."""
    theme = random_theme(rng)
    shares = kinds or theme.kinds or dict(zip(KINDS, KIND_SHARES, strict=True))
    weights = np.array(list(shares.values()))
    build = random_build(
        rng, str(rng.choice(list(shares), p=weights / weights.sum())), theme.figures
    )
    skin, palette = random_skin(rng, theme, build.kind), random_palette(rng, theme)
    clothes = random_wardrobe(rng, build, theme, skin, palette)
    style = random_style(rng, split, theme, palette)
    hair = random_hair(rng, theme, palette)
    if rng.random() < theme.one_colour:
        clothes, hair = clothes.in_one_colour(skin), skin
    colours = HeadColours(clothes.skin, hair, clothes.extra, bright(rng))
    blank, hair_style = bool(rng.random() > theme.faces), str(rng.choice(HAIRS))
    order = _order(rng, build, clothes, hair_style)

    joints = build.joints(float(rng.uniform(0.35, 1.5)), float(rng.uniform(0.02, 0.12)))
    sketches, contour = {name: Sketch() for name in PARTS}, trunk_contour(rng, build)
    _attach(joints, contour)
    draw_trunk(sketches["torso"], rng, build, clothes, contour)
    _draw_limbs(sketches, rng, build, clothes, joints, order)
    if build.head > 0:
        frame = _head_frame(build, blank, theme.natural)
        _draw_head(sketches["head"], rng, build.kind, frame, colours, hair_style)
    else:
        y = build.neck_y + build.torso * float(rng.uniform(0.35, 0.5))
        r = build.shoulder * float(rng.uniform(0.55, 0.85))
        frame = HeadFrame(0, y, r, min(r, 0.4 * build.torso), build.view, blank)
        face(sketches["torso"], rng, frame, colours)
    parts = {n: _unsteady(s.shapes, rng, style.wobble) for n, s in sketches.items() if s.shapes}
    whole = _box([shape for shapes in parts.values() for shape in shapes], style)
    trunk = _box([*parts["torso"], *parts.get("head", ())], style)
    soles = [shape for name in ("right_shin", "left_shin") for shape in parts.get(name, ())]
    ground = _box(soles, style)[3] if soles else whole[3]
    return Puppet(joints, parts, order, style, whole, trunk[1], ground, build.view)


def _attach(joints: np.ndarray, contour: np.ndarray) -> None:
    """Moves limbs in place to the trunk where their root is outside its contour."""
    ends = np.roll(contour, -1, axis=0)
    for root in ("right_shoulder", "left_shoulder", "right_hip", "left_hip"):
        first = INDEX[root]
        x, y = joints[first]
        crosses = (contour[:, 1] <= y) != (ends[:, 1] <= y)
        if not crosses.any():
            continue
        (x0, y0), (x1, y1) = contour[crosses].T, ends[crosses].T
        width = float(np.abs(x0 + (x1 - x0) * (y - y0) / (y1 - y0)).max())
        if abs(x) > ROOT_INSIDE * width:
            joints[first : first + 3, 0] += np.sign(x) * ROOT_INSIDE * width - x


def _draw_limbs(
    sketches: Mapping[str, Sketch],
    rng: np.random.Generator,
    build: Build,
    clothes: Wardrobe,
    joints: np.ndarray,
    order: tuple[int, ...],
) -> None:
    """Draws arms and legs; both sides are alike."""
    seed = int(rng.integers(0, 2**31))
    level = {PARTS[part]: i for i, part in enumerate(order)}

    def at(*names: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, b, c = (joints[INDEX[name]] for name in names)
        return a, b, c

    for side, sign in (("right", -1), ("left", 1)):
        upper, lower = f"{side}_upper_arm", f"{side}_forearm"
        if build.arms:
            places = at(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
            same = np.random.default_rng(seed)
            draw_arm(sketches[upper], sketches[lower], same, build, clothes, places, sign)
        upper, lower = f"{side}_thigh", f"{side}_shin"
        if build.legs:
            places = at(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
            over = level[lower] > level[upper], level[upper] > level["torso"]
            same = np.random.default_rng(seed)
            draw_leg(sketches[upper], sketches[lower], same, build, clothes, places, sign, *over)


def _head_frame(build: Build, blank: bool, natural: bool) -> HeadFrame:
    y = build.neck_y - build.neck - build.head / 2
    x = 0.15 * build.view * build.head_width
    return HeadFrame(x, y, build.head_width, build.head / 2, build.view, blank, natural)


def _draw_head(
    sketch: Sketch,
    rng: np.random.Generator,
    kind: str,
    frame: HeadFrame,
    colours: HeadColours,
    hair: str,
) -> None:
    """Draws the head of a kind of puppet; trunks without limbs have any kind of head."""
    if kind in ("armless", "legless", "limbless"):
        kind = str(rng.choice(["human", "animal", "animal", "odd", "robot"]))
    if kind == "human" and not frame.blank:
        human_head(sketch, rng, frame, colours, hair)
    elif kind == "human":
        plain_head(sketch, rng, frame, colours, hair)
    elif kind == "animal":
        animal_head(sketch, rng, frame, colours, str(rng.choice(EARS)))
    elif kind == "robot":
        robot_head(sketch, rng, frame, colours)
    else:
        odd_head(sketch, rng, frame, colours)


def _order(rng: np.random.Generator, build: Build, clothes: Wardrobe, hair: str) -> tuple[int, ...]:
    """Parts from bottom to top. The far arm of a turned figure lies behind the trunk, long hair
    does at times, and legs lie over what hangs down behind."""
    order = list(DRAW_ORDER)

    def move(part: str, place: int) -> None:
        order.remove(PART_INDEX[part])
        order.insert(place, PART_INDEX[part])

    if rng.random() < (0.6 if hair in ("long", "wavy", "bob") else 0.15):
        move("head", order.index(PART_INDEX["torso"]))
    behind: list[str] = []
    if abs(build.view) > 0.3 or rng.random() < 0.12:
        far = "left" if build.view > 0 or (build.view == 0 and rng.random() < 0.5) else "right"
        behind = [far]
    elif rng.random() < 0.12:
        behind = ["left", "right"]
    for side in behind:
        move(f"{side}_forearm", 0)
        move(f"{side}_upper_arm", 0)
    if rng.random() < 0.2:  # shins over thighs
        for side in ("right", "left"):
            move(f"{side}_shin", order.index(PART_INDEX[f"{side}_thigh"]))
    skirt = clothes.top in SKIRTS
    if not skirt and (clothes.back == "cape" or rng.random() < 0.15):
        legs = [part for part in order if PARTS[part].endswith(("thigh", "shin"))]
        for part in legs:
            move(PARTS[part], order.index(PART_INDEX["torso"]))
        for part in legs:
            order.remove(part)
        place = order.index(PART_INDEX["torso"]) + 1
        order[place:place] = legs
    return tuple(order)


def _box(shapes: Sequence[Shape], style: Style) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of shapes with their outlines."""
    points = np.concatenate([s.points for s in shapes if not s.ghost])
    low, high = points.min(0) - style.outline[0], points.max(0) + style.outline[0]
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _unsteady(shapes: list[Shape], rng: np.random.Generator, wobble: float) -> tuple[Shape, ...]:
    """Shapes as an unsteady hand draws them."""
    if wobble == 0:
        return tuple(shapes)
    waves, phase = rng.uniform(20, 60, (2, 2)), rng.uniform(0, 6, 2)
    return tuple(
        replace(s, points=s.points + wobble * np.sin(s.points @ waves + phase)) for s in shapes
    )
