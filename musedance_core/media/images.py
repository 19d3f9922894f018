"""Pictures in: any size, aspect and transparency, fitted to the square a checkpoint works at.

The rule. An opaque picture is scaled to fit inside the square, uncropped, and what is left over is
filled with the mean colour of its border. A picture with transparency is a sticker: its empty
margin is trimmed, it is scaled so that its longer side takes `STICKER_SHARE` of the square (so that
it has room to dance), and it stands in the middle of a plain soft background. A mask undergoes
exactly what its picture does.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from ..errors import InputError
from ..parts import SUBJECT

MIN_SIDE, MAX_SIDE = 16, 16384
STICKER_SHARE = 0.6
LIGHT, DARK = (226, 232, 236), (70, 78, 94)
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error)


@dataclass(frozen=True)
class Placement:
    """Where a picture lands: its part `box` (left, top, right, bottom) in pixels of the picture is
    scaled to `size` (width, height) and put at `corner` (left, top) of a square of `side`."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    corner: tuple[int, int]
    side: int


@dataclass(frozen=True)
class FittedPicture:
    """`image [3 s s]` float32 in 0..1; `part_map [s s]` int64 ids, None if nothing is known."""

    image: Tensor
    part_map: Tensor | None


def fit_picture(picture: Image.Image, mask: Image.Image | None, size: int) -> FittedPicture:
    """What `load_picture` and `load_mask` gave, fitted to `size` x `size`.

    Without a mask, a sticker's own transparency is its mask, and an opaque picture has none.
    """
    placement = place(picture, size)
    if mask is None and picture.mode == "RGBA":
        mask = picture.getchannel("A")
    part_map = None if mask is None else _part_map(mask, placement)
    return FittedPicture(fit(picture, placement), part_map)


def load_picture(path: str | Path) -> Image.Image:
    """The picture at `path`, upright: RGBA if it has any transparent pixel, else RGB.

    Raises:
        InputError: there is no such file, it is no picture, too small or too large, or it shows
            nothing.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no picture file at {path}.")
    try:
        picture = _decode(path)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has too many pixels: at most {MAX_SIDE} a side.") from error
    except _BROKEN as error:
        raise InputError(f"{path} cannot be read as a picture.") from error
    return require_picture(picture, str(path))


def require_picture(picture: Image.Image, name: str) -> Image.Image:
    """The picture called `name`, RGB or RGBA, as RGBA only if it has any transparent pixel.

    Raises:
        InputError: it is too small or too large, or all of it is transparent.
    """
    width, height = picture.size
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise _size_error(name, width, height)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode == "RGBA" and _visible(picture) is None:
        raise InputError(f"{name} shows nothing: all of it is transparent.")
    return picture


def load_mask(path: str | Path, picture: Image.Image) -> Image.Image:
    """The mask of `picture` at `path` as grey of the picture's size, white where the subject is.

    Raises:
        InputError: as for a picture, or it has another shape, or it marks nothing.
    """
    mask = load_picture(path)
    black = Image.new("RGB", mask.size)
    black.paste(mask.convert("RGB"), mask=mask.getchannel("A") if mask.mode == "RGBA" else None)
    return require_mask(black.convert("L"), picture, f"The mask {path}")


def require_mask(mask: Image.Image, picture: Image.Image, name: str) -> Image.Image:
    """The grey `mask` of `picture` at the picture's size; `name` begins what is said of it.

    Raises:
        InputError: it has another shape, or it marks nothing.
    """
    _require_shape(mask, picture, name)
    grey = mask.resize(picture.size, Image.Resampling.BILINEAR)
    if grey.point([0] * 128 + [255] * 128).getbbox() is None:
        raise InputError(f"{name} marks nothing: white is where the subject is.")
    return grey


def fit_map(part_map: Image.Image, picture: Image.Image, size: int) -> Tensor:
    """A map of the picture's parts in colours, placed as its picture is: `[3 s s]` in 0..1.

    Raises:
        InputError: it has another shape than the picture.
    """
    _require_shape(part_map, picture, "The part map")
    placement = place(picture, size)
    grown = part_map.convert("RGB").resize(picture.size, Image.Resampling.NEAREST)
    part = grown.resize(placement.size, Image.Resampling.NEAREST, box=placement.box)
    square = Image.new("RGB", (size, size))
    square.paste(part, placement.corner)
    return rearrange(torch.from_numpy(np.array(square)).float() / 255, "h w c -> c h w")


def _require_shape(mask: Image.Image, picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if abs(mask.width * height - mask.height * width) > 0.02 * mask.height * width:
        raise InputError(
            f"{name} is {mask.width} x {mask.height} pixels, but its picture is "
            f"{width} x {height}: they must have the same shape."
        )


def place(picture: Image.Image, side: int) -> Placement:
    """Where `picture` lands in a square of `side` pixels, by the rule of this module."""
    box, room = (0, 0, *picture.size), side
    if picture.mode == "RGBA":
        box, room = _visible(picture) or box, round(side * STICKER_SHARE)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = room / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Placement(box, size, ((side - size[0]) // 2, (side - size[1]) // 2), side)


def fit(picture: Image.Image, placement: Placement) -> Tensor:
    """`picture` (RGB or RGBA) as `[3 s s]` in 0..1, placed and padded."""
    part = picture.resize(placement.size, Image.Resampling.LANCZOS, box=placement.box)
    alpha = part.getchannel("A") if part.mode == "RGBA" else None
    colour = _border_colour(picture) if alpha is None else _backdrop(part)
    square = Image.new("RGB", (placement.side, placement.side), colour)
    square.paste(part.convert("RGB"), placement.corner, alpha)
    pixels = torch.from_numpy(np.array(square)).float() / 255
    return rearrange(pixels, "h w c -> c h w").contiguous()


def _decode(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as file:
            width, height = file.size
            if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
                raise _size_error(path, width, height)
            picture = ImageOps.exif_transpose(file)
            if picture.mode.startswith("I"):
                picture = _eight_bits(picture)
            return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _size_error(name: Path | str, width: int, height: int) -> InputError:
    return InputError(
        f"{name} is {width} x {height} pixels; each side must be {MIN_SIDE} to {MAX_SIDE}."
    )


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A 16-bit grey picture in 8 bits, which Pillow's own conversion would clip."""
    return Image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8))


def _visible(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around what can be seen of an RGBA picture."""
    return picture.getchannel("A").point([0] * 16 + [255] * 240).getbbox()


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
    """A light plain background, or a dark one behind a pale sticker."""
    pixels: NDArray[np.float64] = np.asarray(part, dtype=np.float64)
    weight = pixels[..., 3:]
    mean = (pixels[..., :3] * weight).sum(axis=(0, 1)) / max(float(weight.sum()), 1.0)
    return DARK if float(mean @ (0.299, 0.587, 0.114)) > 200 else LIGHT


def _part_map(grey: Image.Image, placement: Placement) -> Tensor:
    """Ids `[s s]`: `SUBJECT` where `grey` is bright, placed like its picture; elsewhere 0."""
    part = grey.resize(placement.size, Image.Resampling.BOX, box=placement.box)
    square = Image.new("L", (placement.side, placement.side))
    square.paste(part, placement.corner)
    return torch.from_numpy(np.array(square) >= 128).long() * SUBJECT
