"""Pictures at their own size and shape, ready to dance: figure, frame and background.

An opaque picture fills the frame, in its own shape; the dancer is cut out of it, and the place
where it stood is filled. A picture with transparency is a sticker: the frame has its shape and
leaves room to dance around the figure, in front of a plain background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..dance.background_fill import fill_background
from ..dance.dancer import Dancer
from ..dance.figure import split_figure
from ..dance.openpose_json import read_rig_or_openpose
from ..dance.rig import Rig
from ..dance.skinning import Canvas
from ..errors import InputError
from ..models.rig_net import RigNet
from ..models.rigging import find_rig
from .background import Background, as_background
from .colours import TRANSPARENT
from .images import DARK, LIGHT, PALE, VISIBLE, as_image, visible_box
from .matting import plain_matte, smooth_background, subject_alpha


@dataclass(frozen=True)
class FrameRules:
    """Size and shape of frames, and the place of stickers in them."""

    default_sizes: tuple[int, int] = (256, 1024)  # bounds of a long side that nobody chose
    figure_share: float = 0.62  # of a frame's width or height, that a sticker fills at most
    least_width: float = 0.75  # of a sticker's frame in heights: arms need room
    least_height: float = 0.6  # of a sticker's frame in widths
    space_above: float = 0.6  # share of the free height above a sticker that was made smaller
    rig_tolerance: float = 0.02  # relative difference of aspect of a rig from its picture
    left_in_place: float = 0.01  # of the long side: way of a joint that nobody moved
    least_figure: int = 8  # pixels of the longer side of a figure that can be seen to dance


RULES = FrameRules()


@dataclass(frozen=True)
class Cutout:
    """The part of a picture that can dance, at the size of the frame.

    Attributes:
        pixels: `[4 h w]` straight RGBA in 0..1; alpha is 1 all over where the dancer is not known.
        corner: x and y of this part in the frame.
        frame: width and height of the frame.
        box: the part in the picture's own pixels: left, top, right, bottom.
        known: whether alpha marks the dancer.
        sticker: whether the picture has transparency of its own, so that nothing is behind it.
    """

    pixels: Tensor
    corner: tuple[int, int]
    frame: tuple[int, int]
    box: tuple[int, int, int, int]
    known: bool
    sticker: bool

    @property
    def image(self) -> Image.Image:
        """This part as a picture: RGBA where the dancer is known, else RGB."""
        return as_image(self.pixels if self.known else self.pixels[:3])

    def place_rig(self, rig: Rig) -> Rig:
        """A rig of the whole picture as one of this part, without part weights."""
        h, w = self.pixels.shape[-2:]
        left, top, right, bottom = self.box
        scale = torch.tensor([w / (right - left), h / (bottom - top)])
        joints = (rig.joints - torch.tensor([float(left), float(top)])) * scale
        return Rig((w, h), joints, rig.confidence)

    def place_weights(self, weights: Tensor, size: tuple[int, int]) -> Tensor:
        """The part of `weights [p h w]` of a whole picture of `size` that belongs to this part."""
        h, w = weights.shape[-2:]
        left, top, right, bottom = self.box
        columns = slice(left * w // size[0], max(left * w // size[0] + 1, -(-right * w // size[0])))
        rows = slice(top * h // size[1], max(top * h // size[1] + 1, -(-bottom * h // size[1])))
        return weights[:, rows, columns]


def stage_dancer(
    network: RigNet,
    picture: Image.Image,
    mask: Image.Image | None = None,
    size: int | None = None,
    background: Background = None,
    rig: str | Path | Rig | None = None,
    parts: Tensor | None = None,
) -> Dancer:
    """The dancer of a picture in its frame.

    Args:
        network: finds the joints and parts.
        picture, mask, size: as for `cut_out`.
        background: replaces the picture's own.
        rig: the joints in the picture's pixels, or a file as `musedance rig --json` writes it, or
            OpenPose JSON; None finds them.
        parts: known weights `[10 h w]` of the parts of the whole picture; None finds them.

    Raises:
        InputError: the background or the rig cannot be used.
    """
    background = as_background(background)
    cutout = cut_out(picture, mask, size)
    found = find_rig(network, cutout.image)
    joints = found
    if rig is not None:
        chosen = rig if isinstance(rig, Rig) else read_rig_or_openpose(rig, picture.size)
        require_rig_of(chosen, picture)
        placed = replace(cutout.place_rig(chosen.scaled(picture.size)), parts=found.parts)
        joints = placed.with_certainty_of(found, RULES.left_in_place * max(found.size))
    if parts is not None:
        joints = replace(joints, parts=cutout.place_weights(parts, picture.size))
    return stage(cutout, joints, background)


def require_rig_of(rig: Rig, picture: Image.Image) -> None:
    """Raises InputError where `rig` belongs to a picture of another shape than `picture`, or all
    of its joints are outside of it."""
    (width, height), (own_width, own_height) = rig.size, picture.size
    difference = abs(width * own_height - height * own_width)
    if min(rig.size) < 1 or difference > RULES.rig_tolerance * height * own_width:
        raise InputError(
            f"The rig belongs to a picture of {width} x {height} pixels, but this one has "
            f"{own_width} x {own_height}."
        )
    joints = rig.joints[rig.present]
    inside = (joints >= 0) & (joints <= joints.new_tensor([width, height]))
    if len(joints) and not inside.all(dim=-1).any():
        raise InputError(
            f"No joint of the rig is inside of its picture of {width} x {height} pixels."
        )


def cut_out(picture: Image.Image, mask: Image.Image | None, size: int | None) -> Cutout:
    """Fits a picture into its frame.

    Args:
        picture: RGB, or RGBA for a sticker.
        mask: grey, of the picture's size, white where the dancer is; or None.
        size: long side of the frame in pixels; None is the picture's own, within
            `RULES.default_sizes`.

    Raises:
        InputError: alpha and mask leave no figure that could be seen in the frame.
    """
    name = "The picture" if mask is None else "The mask"
    width, height = float(picture.width), float(picture.height)
    if picture.mode == "RGBA":
        least_width, least_height = height * RULES.least_width, width * RULES.least_height
        width, height = max(width, least_width), max(height, least_height)
    smallest, largest = RULES.default_sizes
    long_side = size or min(max(max(picture.size), smallest), largest)
    factor = long_side / max(width, height)
    frame = (_even(width * factor), _even(height * factor))
    rgba = picture.convert("RGBA")
    if mask is not None:
        alpha = rgba.getchannel("A")
        rgba.putalpha(Image.fromarray(np.minimum(np.asarray(alpha), np.asarray(mask))))
    if picture.mode != "RGBA":
        whole = (0, 0, *picture.size)
        pixels = _resized(rgba, frame, whole)
        # In front of a plain background the dancer is known to the pixel.
        matte = plain_matte(pixels[:3]) if mask is None else pixels
        known = matte is not None
        _require_figure(pixels[3], frame, name)
        return Cutout(pixels if matte is None else matte, (0, 0), frame, whole, known, False)

    # A sticker keeps its place if it has room already; else it is made smaller, in the middle.
    box = visible_box(rgba) or (0, 0, *picture.size)
    own = (box[2] - box[0]) * factor, (box[3] - box[1]) * factor
    shrink = min(1.0, RULES.figure_share / max(own[0] / frame[0], own[1] / frame[1]))
    inner = (max(1, round(own[0] * shrink)), max(1, round(own[1] * shrink)))
    corner = (round(box[0] * factor), round(box[1] * factor))
    if shrink < 1 or (width, height) != picture.size:
        corner = ((frame[0] - inner[0]) // 2, round((frame[1] - inner[1]) * RULES.space_above))
    pixels = _resized(rgba, inner, box)
    _require_figure(pixels[3], frame, name)
    return Cutout(pixels, corner, frame, box, True, True)


def _require_figure(alpha: Tensor, frame: tuple[int, int], name: str) -> None:
    """Raises InputError where `alpha [h w]`, that `name` marks, shows nobody in `frame`."""
    seen = alpha * 255 >= VISIBLE
    if max(int(seen.any(dim=0).sum()), int(seen.any(dim=1).sum())) < RULES.least_figure:
        raise InputError(
            f"{name} shows nobody who could dance: less than {RULES.least_figure} pixels at the "
            f"video's size, {frame[0]} x {frame[1]}."
        )


def stage(cutout: Cutout, rig: Rig, background: Background = None) -> Dancer:
    """A dancer in its frame.

    Args:
        cutout: the picture.
        rig: its joints and parts in the pixels of `cutout`; its parts mark the dancer where
            `cutout` does not.
        background: as `as_background` returns it.
    """
    pixels = cutout.pixels
    if not cutout.known:
        assert rig.parts is not None, "nothing marks the dancer"
        pixels = torch.cat([pixels[:3], subject_alpha(pixels[:3], rig.parts)[None]])
    figure = split_figure(pixels, rig)
    width, height = cutout.frame
    left, top = cutout.corner
    canvas = Canvas(width, height, 1.0, float(left), float(top))
    behind = _background(cutout, pixels, background)
    return Dancer(figure, canvas, behind, _backdrop(behind, pixels))


def _background(cutout: Cutout, pixels: Tensor, background: Background) -> Tensor:
    """The background `[4 h w]` of the frame, premultiplied RGBA."""
    width, height = cutout.frame
    behind = torch.ones(4, height, width)
    if background == TRANSPARENT:
        return torch.zeros(4, height, width)
    if isinstance(background, Image.Image):
        behind[:3] = _covering(background, cutout.frame)
    elif isinstance(background, tuple):
        behind[:3] = torch.tensor(background).float()[:, None, None] / 255
    elif cutout.sticker:
        behind[:3] = _plain_colour(pixels)[:, None, None]
    else:
        trend = smooth_background(cutout.pixels[:3])
        behind[:3] = fill_background(cutout.pixels[:3], pixels[3], trend)
    return behind


def _plain_colour(pixels: Tensor) -> Tensor:
    """A plain background `[3]` for a sticker `[4 h w]`: light, or dark behind a pale one."""
    weight = pixels[3:]
    mean = (pixels[:3] * weight).sum(dim=(1, 2)) / weight.sum().clamp_min(1.0)
    luma = float((mean * torch.tensor([0.299, 0.587, 0.114])).sum())
    return torch.tensor(DARK if luma * 255 > PALE else LIGHT) / 255


def _backdrop(behind: Tensor, pixels: Tensor) -> Tensor:
    """The mean colour `[3]` along the border of an opaque background, else a plain one."""
    if bool((behind[3] < 1).any()):
        return _plain_colour(pixels)
    edges = [behind[:3, 0], behind[:3, -1], behind[:3, :, 0], behind[:3, :, -1]]
    return torch.cat(edges, dim=1).mean(dim=1)


def _covering(picture: Image.Image, frame: tuple[int, int]) -> Tensor:
    """An RGB picture scaled and cropped to cover the frame, `[3 h w]`."""
    scale = max(frame[0] / picture.width, frame[1] / picture.height)
    width, height = frame[0] / scale, frame[1] / scale
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    box = (left, top, left + width, top + height)
    fitted = picture.resize(frame, Image.Resampling.LANCZOS, box=box)
    return rearrange(torch.from_numpy(np.array(fitted)).float() / 255, "h w c -> c h w")


def _resized(rgba: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int]) -> Tensor:
    """A part of an RGBA picture at another size, straight `[4 h w]`, without fringes: colours are
    weighted by their alpha, and transparent pixels keep those that a mask hides."""
    premultiplied = rgba.convert("RGBa")
    part = premultiplied.resize(size, Image.Resampling.LANCZOS, box=box)
    values = torch.from_numpy(np.array(part)).float() / 255
    values = rearrange(values, "h w c -> c h w")
    alpha = values[3:]
    hidden = rgba.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)
    own = rearrange(torch.from_numpy(np.array(hidden)).float() / 255, "h w c -> c h w")
    colour = torch.where(alpha > 1 / 255, values[:3] / alpha.clamp_min(1 / 255), own)
    return torch.cat([colour.clamp(0, 1), alpha])


def _even(side: float) -> int:
    """The nearest even number of pixels, which most video formats need."""
    return max(2, 2 * math.floor(side / 2 + 0.5))
