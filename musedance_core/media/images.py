"""Pictures and masks of any size and aspect, fitted to the square that a checkpoint works at.

An opaque picture is scaled to fit inside the square, uncropped, and the rest of the square is
filled with the mean colour of its border. A picture with transparency is a sticker: its empty
margin is trimmed, its longer side is scaled to `STICKER_SHARE` of the square, so that it has room
to dance, and it is placed in the middle of a plain background. A mask is placed like its picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..dance.opacity import SOLID, usual_opacity
from ..errors import InputError
from ..parts import SUBJECT
from .image_file import check_size, read_image, to_rgb

STICKER_SHARE = 0.6
LIGHT, DARK = (226, 232, 236), (70, 78, 94)
"""Backgrounds of a sticker, and of a pale one."""
PALE = 200.0
"""Mean brightness of 255 above which a sticker is pale."""
VISIBLE = 16
"""Alpha, or brightness of a mask, of 255 below which a pixel counts as empty."""
HARDLY_CLEAR = 0.01
"""Share of a picture that is transparent, up to which it counts as opaque."""
SHAPE_TOLERANCE = 0.02
"""Relative difference of aspect that a mask may have from its picture, for rounded sizes."""


@dataclass(frozen=True)
class Placement:
    """The place of a picture in a square.

    Attributes:
        box: the part of the picture that is used: left, top, right, bottom in its pixels.
        size: width and height that this part is scaled to.
        corner: left and top of the scaled part in the square.
        side: side of the square in pixels.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    corner: tuple[int, int]
    side: int


@dataclass(frozen=True)
class FittedPicture:
    """A picture at the size of the model.

    Attributes:
        image: `[3 s s]` float32 in 0..1.
        part_map: ids int64 `[s s]`, or None where the dancer is not known.
    """

    image: Tensor
    part_map: Tensor | None


def to_uint8(pixels: Tensor) -> Tensor:
    """Pixels in 0..1, of any shape, as uint8 in 0..255 on the CPU; values outside are clipped."""
    return (pixels.detach().float().clamp(0, 1) * 255).round().byte().cpu()


def as_image(pixels: Tensor) -> Image.Image:
    """Pixels `[c h w]` or `[h w]` in 0..1 as RGB, RGBA or grey."""
    values = to_uint8(pixels)
    if pixels.ndim == 3:
        values = rearrange(values, "c h w -> h w c")
    return Image.fromarray(values.contiguous().numpy())


def as_picture(picture: str | Path | Image.Image | Tensor) -> Image.Image:
    """A file, a PIL picture, or `[3 h w]` or `[4 h w]` in 0..1, as RGB, or RGBA where it has
    transparency.

    Raises:
        InputError: it cannot be read, is too small or too large, or shows nothing.
    """
    if isinstance(picture, str | Path):
        return load_picture(picture)
    if isinstance(picture, Tensor):
        if picture.ndim != 3 or picture.shape[0] not in (3, 4):
            shape = " x ".join(map(str, picture.shape))
            raise InputError(f"The picture must be 3 or 4 x height x width, not {shape}.")
        if not bool(torch.isfinite(picture).all()):
            raise InputError("The picture holds values that are not finite numbers.")
        picture = as_image(picture)
    return require_picture(to_rgb(picture, "The picture"), "The picture")


def as_mask(mask: str | Path | Image.Image, picture: Image.Image) -> Image.Image:
    """A file or a PIL picture as the grey mask of `picture`, white where the subject is.

    Raises:
        InputError: as `load_mask`.
    """
    if isinstance(mask, str | Path):
        return load_mask(mask, picture)
    return require_mask(_grey(to_rgb(mask, "The mask")), picture, "The mask")


def fit_picture(picture: Image.Image, mask: Image.Image | None, size: int) -> FittedPicture:
    """A picture and its mask, of the same size, fitted to `size` x `size`.

    Without a mask, the transparency of a sticker is its mask, and an opaque picture has none.

    Raises:
        InputError: the mask marks nothing once it is scaled to `size`.
    """
    placement = place(picture, size)
    part_map = None
    if mask is not None:
        # White is where the subject is: the brightest pixels set the level.
        part_map = _subject_map(mask, placement, np.max, "The mask")
    elif picture.mode == "RGBA":
        alpha = picture.getchannel("A")
        part_map = _subject_map(alpha, placement, usual_opacity, "The picture")
    return FittedPicture(fit(picture, placement), part_map)


def load_picture(path: str | Path) -> Image.Image:
    """The picture at `path`, upright: RGBA for a sticker, else RGB.

    Raises:
        InputError: no such file, no picture, too small or too large, or all of it is transparent.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no picture file at {path}.")
    return require_picture(read_image(path), str(path))


def require_picture(picture: Image.Image, name: str) -> Image.Image:
    """An RGB or RGBA picture, as RGBA only if it is a sticker: more than `HARDLY_CLEAR` of it is
    transparent. The few clear pixels of an opaque picture, such as rounded corners, are filled.

    Args:
        picture: RGB or RGBA.
        name: what error messages call it.

    Raises:
        InputError: it is too small or too large, or all of it is transparent.
    """
    check_size(picture.size, name)
    if picture.mode == "RGBA":
        alpha = np.asarray(picture.getchannel("A"))
        if (alpha < SOLID * 255).mean() <= HARDLY_CLEAR:
            return _filled(picture)
    if picture.mode == "RGBA" and visible_box(picture) is None:
        raise InputError(f"{name} shows nothing: all of it is transparent.")
    return picture


def _filled(picture: Image.Image) -> Image.Image:
    """An RGBA picture as RGB, on the mean colour of what is seen of its border."""
    pixels: NDArray[np.uint8] = np.asarray(picture)
    sides = pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]
    border = np.concatenate(sides).astype(np.float64)
    weight = border[:, 3:]
    red, green, blue = np.rint((border[:, :3] * weight).sum(axis=0) / max(1.0, weight.sum()))
    plain = Image.new("RGB", picture.size, (int(red), int(green), int(blue)))
    plain.paste(picture, mask=picture.getchannel("A"))
    return plain


def load_mask(path: str | Path, picture: Image.Image) -> Image.Image:
    """The mask of `picture` at `path`, as grey of the picture's size, white where the subject is.

    Raises:
        InputError: as `load_picture`, or the mask has another shape, or marks nothing.
    """
    return require_mask(_grey(load_picture(path)), picture, f"The mask {path}")


def _grey(mask: Image.Image) -> Image.Image:
    """An RGB or RGBA mask as grey: what is transparent is black."""
    black = Image.new("RGB", mask.size)
    black.paste(mask.convert("RGB"), mask=mask.getchannel("A") if mask.mode == "RGBA" else None)
    return black.convert("L")


def require_mask(mask: Image.Image, picture: Image.Image, name: str) -> Image.Image:
    """A grey mask at the size of its picture.

    Args:
        mask: grey, white where the subject is.
        picture: the picture of the mask.
        name: what error messages call the mask.

    Raises:
        InputError: it has another shape, or marks nothing that the picture shows.
    """
    _require_shape(mask, picture, name)
    grey = mask.resize(picture.size, Image.Resampling.BILINEAR)
    if _box_above(grey) is None:
        raise InputError(f"{name} marks nothing: white is where the subject is.")
    if picture.mode == "RGBA":
        both = np.minimum(np.asarray(grey), np.asarray(picture.getchannel("A")))
        if _box_above(Image.fromarray(both)) is None:
            raise InputError(f"{name} marks only what is transparent in the picture.")
    return grey


def fit_map(part_map: Image.Image, picture: Image.Image, size: int) -> Tensor:
    """A map of the picture's parts in colours, placed like the picture: `[3 s s]` in 0..1.

    Raises:
        InputError: it has another shape than the picture.
    """
    _require_shape(part_map, picture, "The part map")
    placement = place(picture, size)
    full = part_map.convert("RGB").resize(picture.size, Image.Resampling.NEAREST)
    part = full.resize(placement.size, Image.Resampling.NEAREST, box=placement.box)
    square = Image.new("RGB", (size, size))
    square.paste(part, placement.corner)
    return rearrange(torch.from_numpy(np.array(square)).float() / 255, "h w c -> c h w")


def _require_shape(mask: Image.Image, picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if abs(mask.width * height - mask.height * width) > SHAPE_TOLERANCE * mask.height * width:
        raise InputError(
            f"{name} is {mask.width} x {mask.height} pixels, but its picture is "
            f"{width} x {height}: they must have the same shape."
        )


def place(picture: Image.Image, side: int) -> Placement:
    """The placement of `picture` in a square of `side` pixels, by the rules of this module."""
    box, longer_side = (0, 0, *picture.size), side
    if picture.mode == "RGBA":
        box, longer_side = visible_box(picture) or box, round(side * STICKER_SHARE)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = longer_side / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Placement(box, size, ((side - size[0]) // 2, (side - size[1]) // 2), side)


def fit(picture: Image.Image, placement: Placement) -> Tensor:
    """`picture` (RGB or RGBA) in its square, with the background filled: `[3 s s]` in 0..1."""
    part = picture.resize(placement.size, Image.Resampling.LANCZOS, box=placement.box)
    alpha = part.getchannel("A") if part.mode == "RGBA" else None
    colour = _border_colour(picture) if alpha is None else _backdrop(part)
    square = Image.new("RGB", (placement.side, placement.side), colour)
    square.paste(part.convert("RGB"), placement.corner, alpha)
    pixels = torch.from_numpy(np.array(square)).float() / 255
    return rearrange(pixels, "h w c -> c h w").contiguous()


def visible_box(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around the visible pixels of an RGBA picture."""
    return _box_above(picture.getchannel("A"))


def _box_above(grey: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around the pixels of at least `VISIBLE`, or None without any."""
    return grey.point([0] * VISIBLE + [255] * (256 - VISIBLE)).getbbox()


def _border_colour(picture: Image.Image) -> tuple[int, int, int]:
    """The mean of the outermost pixels of an RGB picture."""
    width, height = picture.size
    edges = [
        (0, 0, width, 1),
        (0, height - 1, width, height),
        (0, 1, 1, height - 1),
        (width - 1, 1, width, height - 1),
    ]
    border = np.concatenate([np.asarray(picture.crop(edge)).reshape(-1, 3) for edge in edges])
    red, green, blue = (round(float(c)) for c in border.mean(axis=0))
    return red, green, blue


def _backdrop(part: Image.Image) -> tuple[int, int, int]:
    """The background of a sticker: light, or dark behind a pale one."""
    pixels: NDArray[np.float64] = np.asarray(part, dtype=np.float64)
    weight = pixels[..., 3:]
    mean = (pixels[..., :3] * weight).sum(axis=(0, 1)) / max(float(weight.sum()), 1.0)
    return DARK if float(mean @ (0.299, 0.587, 0.114)) > PALE else LIGHT


def _subject_map(
    grey: Image.Image, placement: Placement, level: Callable[[np.ndarray], float], name: str
) -> Tensor:
    """Ids int64 `[s s]`: `SUBJECT` where `grey` has at least half of its `level`, elsewhere 0.

    Args:
        grey: alpha or a mask, of the picture's size.
        placement: placement of the picture in the square.
        level: maps the values in 0..1 of the visible pixels to that of a typical pixel of the
            subject.
        name: what error messages call `grey`.

    Raises:
        InputError: no pixel is visible at the size of the square.
    """
    part = grey.resize(placement.size, Image.Resampling.BOX, box=placement.box)
    square = Image.new("L", (placement.side, placement.side))
    square.paste(part, placement.corner)
    values = np.asarray(square)
    visible = values[values >= VISIBLE]
    if not visible.size:
        side = placement.side
        raise InputError(f"{name} marks nothing at {side} x {side} pixels, the model's size.")
    return torch.from_numpy(values / 255 >= float(level(visible / 255)) / 2).long() * SUBJECT
