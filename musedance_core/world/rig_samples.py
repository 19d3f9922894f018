"""Pictures of characters with their joints and parts, for training the rig network.

Three of four show a puppet with limbs. The others have none: emoji of faces, food, objects and
animals, and puppets that are only a trunk. Such a figure without a head has two joints: the pelvis
at the bottom of its middle, and the chest `SETTINGS.chest` of its height above that.

A limb that other parts hide is absent, as is one outside the picture: nobody could tell where it
is. The little that is visible of it belongs to the part that it hangs on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageFilter
from torch import Tensor

from ..dance.posing import pose_body
from ..dance.skeleton import BONES, INDEX, INNER_PART, JOINTS, PART_INDEX, PARTS
from .backgrounds import random_background
from .drawing import Colour, Shape, rasterise
from .ground_shadows import add_ground_shadow
from .puppets import Puppet, design_puppet
from .rest_poses import random_rest_pose
from .stickers import draw_glyph, find_font, glyph_names

FINE = 2
"""Supersampling factor."""
UNIT = 256.0
"""Pixels of a body height while a figure is posed."""
FIRST_LIMB = INDEX["right_shoulder"]
LIMBED = frozenset(
    "⛷⛹🏂🏃🏄🏇🏊🏋🏌🤸🤹🤺🤼🤽🤾🚣🚴🚵🚶🧍🧎🧗🧘🛀🛌🏃💃🕺🕴🧖🙇🙅🙆🙋🙍🙎💁💆💇🤦🤷🧏🤰🤱🫃🫄👼💂👰🤵🥷"
    "🦸🦹🧙🧚🧛🧜🧝🧞🧟🧌👪👫👬👭👯💏💑🫂🎎🗽👥👤🕵👻👾🧸⛄☃🐒🦍🦧🦘🦥🐿🦫🦔🐧🐤🐥🐣🐦🐓🦃🦉🦩🦢🦤🦚🦜🦆🪿🕊🐔"
    "🦖🦕♿🚹🚺🚻🚼🚷🚸🦾🦿🦵🦶👣👖👗👕👚👘🥼🥋🦺🩳🩱🧥👙🎽🪆🤖🏍🏴🏳🛂🛃🚮🚾🤳💪🎅🤶👷👮👳👲🤴👸🫅🧕"
)
"""Emoji that may have limbs, and signs of people: never examples of figures without limbs."""


@dataclass(frozen=True)
class SampleSettings:
    """Shares of the kinds of samples, and the truth about their joints."""

    glyphs: float = 0.17  # emoji without limbs
    limbless: float = 0.08  # puppets without limbs; the others are puppets with limbs
    cropped: float = 0.09  # figures that the edge of the picture cuts off
    border: float = 0.08  # figures with a sticker's white border
    contour: float = 0.12  # outlined figures with a line around the whole of them
    uneven: float = 0.6  # figures with uneven outlines
    ground_shadow: float = 0.08  # figures with a shadow on the ground
    chest: float = 0.58  # height of the chest of a figure without limbs, in heights of the figure
    least_visible: float = 0.14  # share of a limb's pixels below which its joints count as hidden


SETTINGS = SampleSettings()


@dataclass(frozen=True)
class RigSample:
    """A picture of a character with the truth about it.

    Attributes:
        picture: `[4 s s]`, straight RGBA in 0..1.
        joints: `[16 2]` x and y in pixels, NaN where absent or outside the picture.
        part_map: int64 `[s s]`, 0 for background, else 1 + the index in `PARTS`.
        subject: `[s s]` in 0..1, how much of a pixel is the character; it is the picture's alpha
            unless the picture is opaque.
    """

    picture: Tensor
    joints: Tensor
    part_map: Tensor
    subject: Tensor


class RigSamples:
    """Samples by index: each is a pure function of (split, seed, index)."""

    def __init__(
        self,
        split: str = "train",
        size: int = 128,
        seed: int = 0,
        opaque: float = 0.5,
        font: str | None = None,
    ) -> None:
        """`opaque` is the share of pictures with a background."""
        self.split, self.size, self.seed, self.opaque, self.font = split, size, seed, opaque, font

    def __getitem__(self, index: int) -> RigSample:
        rng = sample_rng(self.split, self.seed, index)
        return rig_sample(rng, self.size, bool(rng.random() < self.opaque), self.split, self.font)


def sample_rng(split: str, seed: int, index: int) -> np.random.Generator:
    """The random numbers of one sample; those of two splits never agree."""
    stream = ("train", "validation", "test").index(split)
    return np.random.default_rng((stream, seed, index))


def rig_sample(
    rng: np.random.Generator,
    size: int = 128,
    opaque: bool = False,
    split: str = "train",
    font: str | None = None,
) -> RigSample:
    """One random sample of `size` x `size` pixels of a split's characters, on a background if
    `opaque`."""
    chance = rng.random()
    if chance < SETTINGS.glyphs:
        picture, joints, parts = _glyph(rng, size, split, find_font(font))
    else:
        limbless = chance < SETTINGS.glyphs + SETTINGS.limbless
        kinds = {"limbless": 1.0} if limbless else None
        puppet = design_puppet(rng, split, kinds)
        picture, joints, parts = draw_posed(puppet, rng, size)
    picture = _processed(picture, rng)
    outside = (joints < 0).any(1) | (joints > size).any(1)
    joints[outside] = np.nan
    straight = picture.astype(np.float32) / 255
    parts[straight[..., 3] < 0.5] = 0
    parts = _owners(joints)[parts]
    ground = random_background(rng, size).numpy().transpose(1, 2, 0) if opaque else None
    # Drawn last, so that the other figures are the same as without shadows.
    if rng.random() < SETTINGS.ground_shadow:
        straight, parts = add_ground_shadow(straight, parts, rng)
    alpha = straight[..., 3].copy()
    if ground is not None:
        straight[..., :3] = straight[..., :3] * alpha[..., None] + ground * (1 - alpha[..., None])
        straight[..., 3] = 1
    return RigSample(
        rearrange(torch.from_numpy(straight), "h w c -> c h w").contiguous(),
        torch.from_numpy(joints.astype(np.float32)),
        torch.from_numpy(parts.astype(np.int64)),
        torch.from_numpy(alpha),
    )


def _owners(joints: np.ndarray) -> np.ndarray:
    """The part of each value of a part map `[11]`, where pixels of a segment without joints belong
    to the part that it hangs on."""
    there = np.isfinite(joints).all(1)
    owners = np.arange(len(PARTS) + 1)
    for name, ends in BONES.items():
        if not there[list(ends)].all():
            part = PART_INDEX[name]
            owners[1 + part] = owners[1 + INNER_PART[part]]
    return owners


def draw_posed(
    puppet: Puppet, rng: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A puppet in a random pose: straight RGBA uint8 `[s s 4]`, joints `[16 2]`, parts `[s s]`."""
    body = puppet.body(UNIT, 0.0, 0.0)
    posed = pose_body(body, random_rest_pose(rng, puppet.facing))
    # All points of all shapes go through their part's motion and the warp of the whole at once.
    transforms = posed.transforms[0].numpy()
    names = list(puppet.parts)
    posed_points = []
    for name in names:
        m = transforms[PART_INDEX[name]]
        points = np.concatenate([s.points for s in puppet.parts[name]]) * UNIT
        posed_points.append(points @ m[:, :2].T + m[:, 2])
    flat = torch.from_numpy(np.concatenate(posed_points).astype(np.float32))
    points = posed.warp.forward(flat[None])[0].numpy()
    joints = posed.warped_joints[0].numpy().copy()
    joints[~body.present.numpy()] = np.nan

    if rng.random() < SETTINGS.uneven:
        points, joints = _uneven(rng, points, joints)
    shapes = [shape for name in names for shape in puppet.parts[name]]
    real = np.repeat([not s.ghost for s in shapes], [len(s.points) for s in shapes])
    scale, shift = _placing(rng, points[real], joints, size)
    points, joints = points * scale + shift, joints * scale + shift
    places, first = {}, 0
    for name in names:
        each = []
        for shape in puppet.parts[name]:
            each.append(points[first : first + len(shape.points)] * FINE)
            first += len(shape.points)
        places[name] = each
    picture, parts, visible = _composite(puppet, rng, places, scale * UNIT * FINE, size)
    _hide(joints, visible)
    return picture, joints, parts


def _hide(joints: np.ndarray, visible: np.ndarray) -> None:
    """Removes in place the joints of limbs that are hidden; `seen [p]` as of `_composite`."""
    limbs = (
        ("upper_arm", "forearm", ("shoulder", "elbow", "wrist")),
        ("thigh", "shin", ("hip", "knee", "ankle")),
    )
    for side in ("right", "left"):
        for inner, outer, at in limbs:
            first, last = (visible[PART_INDEX[f"{side}_{name}"]] for name in (inner, outer))
            if (first + last) / 2 < SETTINGS.least_visible:
                joints[[INDEX[f"{side}_{name}"] for name in at]] = np.nan
            elif last < SETTINGS.least_visible:
                joints[INDEX[f"{side}_{at[-1]}"]] = np.nan


def _uneven(
    rng: np.random.Generator, points: np.ndarray, joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points and joints, pushed about by slow waves: no hand draws both sides alike."""
    waves, phase = rng.normal(0, 12, (2, 2)) / UNIT, rng.uniform(0, 6, 2)
    size = rng.uniform(0.004, 0.016) * UNIT
    bent, bent_joints = (p + size * np.sin(p @ waves + phase) for p in (points, joints))
    return bent, bent_joints


def _placing(
    rng: np.random.Generator, points: np.ndarray, joints: np.ndarray, size: int
) -> tuple[float, np.ndarray]:
    """Scale and shift that put the posed figure into the square, at times cut off at the knees,
    the hips or the chest."""
    low, high = points.min(0), points.max(0)
    cut = rng.random() < SETTINGS.cropped and bool(np.isfinite(joints[FIRST_LIMB:]).any())
    if cut:
        level = str(rng.choice(["knee", "hip", "pelvis", "chest"]))
        names = [level] if level in INDEX else [f"right_{level}", f"left_{level}"]
        below = [joints[INDEX[name], 1] for name in names]
        cut = bool(np.isfinite(below).all())
        high = np.array([high[0], max(below)]) if cut else high
    extent = float((high - low).max())
    fill = float(rng.uniform(0.5, 1.0) if rng.random() < 0.5 else rng.uniform(0.8, 1.0))
    scale = fill * (size - 2) / max(1.0, extent)
    room = size - scale * (high - low)
    shift = room * rng.uniform(0, 1, 2) - low * scale
    if cut:
        shift[1] = size - high[1] * scale
    return scale, shift


def _composite(
    puppet: Puppet,
    rng: np.random.Generator,
    places: dict[str, list[np.ndarray]],
    unit: float,
    size: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws the parts over one another; straight RGBA `[s s 4]`, part map `[s s]`, and the share of
    each part that is visible, `[p]`."""
    side = size * FINE
    colour = np.zeros((side, side, 3), np.uint8)
    parts = np.zeros((side, side), np.uint8)
    style = puppet.style
    ordered = [PARTS[i] for i in puppet.order if PARTS[i] in places]
    # Pictures have one outline around the whole figure at times, or the white border of a sticker.
    line = style.line(unit)
    if rng.random() < SETTINGS.border:
        border = (unit * float(rng.uniform(0.012, 0.035)), (255, 255, 255))
        _around(puppet, ordered, places, unit, border, colour, parts)
    contour = line is not None and rng.random() < SETTINGS.contour
    if contour and line:
        _around(puppet, ordered, places, unit, line, colour, parts)
    shadow = style.finish in ("soft", "photo", "painted") and rng.random() < 0.7
    drawn = np.zeros(len(PARTS))
    for name in ordered:
        shapes = puppet.parts[name]
        own = None if contour and name != "head" else line
        tile = rasterise(shapes, places[name], unit, own, (side, side))
        if tile is None:
            continue
        to_body = _to_body(shapes, places[name])
        shaded = style.shade(tile, unit, to_body)
        at = _window(tile.left, tile.top, tile.mask)
        if shadow:
            _cast_shadow(colour[at], tile.mask, 0.02 * unit)
        np.copyto(colour[at], shaded, where=tile.mask[..., None])
        np.copyto(parts[at], np.uint8(PART_INDEX[name] + 1), where=tile.mask)
        drawn[PART_INDEX[name]] = tile.mask.sum()
    visible = np.bincount(parts.ravel(), minlength=len(PARTS) + 1)[1:] / np.maximum(drawn, 1)
    return *_reduced(colour, parts), visible


def _around(
    puppet: Puppet,
    names: list[str],
    places: dict[str, list[np.ndarray]],
    unit: float,
    border: tuple[float, Colour],
    colour: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Draws the figure, grown by a border, in place in the border's colour."""
    for name in names:
        chosen = [i for i, s in enumerate(puppet.parts[name]) if s.outlined]
        shapes = [replace(puppet.parts[name][i], group=1) for i in chosen]
        if not shapes:
            continue
        at = [places[name][i] for i in chosen]
        tile = rasterise(shapes, at, unit, border, (parts.shape[1], parts.shape[0]))
        if tile is not None:
            window = _window(tile.left, tile.top, tile.mask)
            colour[window][tile.mask] = border[1]
            np.copyto(parts[window], np.uint8(PART_INDEX[name] + 1), where=tile.mask)


def _cast_shadow(under: np.ndarray, mask: np.ndarray, radius: float) -> None:
    """Darkens in place what lies near the edge of a part above it."""
    blurred = Image.fromarray(mask.view(np.uint8) * np.uint8(255)).filter(
        ImageFilter.BoxBlur(radius)
    )
    dark = np.uint16(256) - (np.asarray(blurred) // 2).astype(np.uint16)
    under[:] = (under * dark[..., None] >> 8).astype(np.uint8)


def _to_body(shapes: tuple[Shape, ...], places: list[np.ndarray]) -> np.ndarray:
    """The affine map `[2 3]` from pixels of the canvas to body units that fits a part best."""
    points = np.concatenate([s.points for s in shapes])
    pixels = np.concatenate(places)
    rows = np.concatenate([pixels, np.ones((len(pixels), 1))], 1)
    solved: np.ndarray = np.linalg.lstsq(rows, points, rcond=None)[0].T
    return solved


def _window(left: int, top: int, mask: np.ndarray) -> tuple[slice, slice]:
    return slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])


def _reduced(colour: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Averages blocks of `FINE` x `FINE` pixels."""
    solid = parts > 0
    full = np.dstack([colour * solid[..., None], solid * np.uint8(255)])
    small = np.asarray(Image.fromarray(full, "RGBa").reduce(FINE).convert("RGBA")).copy()
    rows = np.maximum(parts[::FINE], parts[1::FINE])
    return small, np.maximum(rows[:, ::FINE], rows[:, 1::FINE])


def _glyph(
    rng: np.random.Generator, size: int, split: str, font: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An emoji without limbs: RGBA, joints and parts as of `draw_posed`."""
    names = [n for n in glyph_names(split) if n not in LIMBED]
    image = Image.fromarray(draw_glyph(names[int(rng.integers(len(names)))], font))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.3:
        image = image.rotate(float(rng.normal(0, 12)), Image.Resampling.BILINEAR, expand=True)
    w, h = image.size
    fill = float(rng.uniform(0.5, 1.0)) * size / max(w, h)
    stretch = float(np.exp(rng.normal(0, 0.08)))
    shape = (min(size, max(1, round(w * fill * stretch))), min(size, max(1, round(h * fill))))
    small = image.convert("RGBa").resize(shape, Image.Resampling.BILINEAR).convert("RGBA")
    pixels = np.zeros((size, size, 4), np.uint8)
    x, y = (int(rng.integers(0, size - n + 1)) for n in shape)
    pixels[y : y + shape[1], x : x + shape[0]] = np.asarray(small)
    if rng.random() < 0.5:
        pixels[..., :3] = pixels[..., rng.permutation(3)]
    alpha = pixels[..., 3] > 127
    joints = np.full((len(JOINTS), 2), np.nan)
    rows, columns = np.nonzero(alpha)
    if len(rows):
        middle, bottom = columns.mean() + 0.5, rows.max() + 1.0
        joints[INDEX["pelvis"]] = (middle, bottom)
        joints[INDEX["chest"]] = (middle, bottom - SETTINGS.chest * (bottom - rows.min()))
    return pixels, joints, alpha * np.uint8(1 + PART_INDEX["torso"])


def _processed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signs of wear: other tones, blur, coarse pixels, noise; straight RGBA uint8 `[s s 4]`."""
    size = picture.shape[0]
    kind = rng.random()
    if kind < 0.12:  # small and enlarged again
        side = int(size * rng.uniform(0.3, 0.8))
        how = Image.Resampling.NEAREST if rng.random() < 0.4 else Image.Resampling.BILINEAR
        image = Image.fromarray(picture).convert("RGBa")
        image = image.resize((side, side), Image.Resampling.BOX).resize((size, size), how)
        picture = np.asarray(image.convert("RGBA")).copy()
    if kind > 0.75:
        colour = picture[..., :3].astype(np.float32)
        if kind > 0.95:
            colour = colour.mean(-1, keepdims=True) * rng.uniform(0.7, 1.1, 3).astype(np.float32)
        colour = (colour - 128) * float(rng.uniform(0.6, 1.3)) + 128 + float(rng.uniform(-30, 30))
        if kind > 0.87:
            colour = colour + rng.normal(0, rng.uniform(2, 10), colour.shape).astype(np.float32)
        picture = np.dstack([np.clip(colour, 0, 255).astype(np.uint8), picture[..., 3]])
    return picture
