"""Picture files of any format and pixel type, as upright 8-bit RGB or RGBA."""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError

MIN_SIDE, MAX_SIDE = 16, 16384
LARGEST = 1 << 27
"""Pixels of a picture that is converted in one piece; more are scaled down strip by strip, so that
no more than about 1.5 GB are needed at once."""
STRIP = 256
"""Rows of a scaled-down picture that are converted at once."""
SLACK = 1e-3
"""Rounding errors by which floating-point pixels may be outside of 0..1."""
SIXTEEN_BIT_FORMATS = ("PNG", "PPM")
"""Formats of 16 bits a pixel at most that Pillow may open as 32-bit integers."""
ORIENTATION = 0x0112
"""The Exif tag of a camera's orientation."""
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1"}
AVIF_BRANDS = {b"avif", b"avis"}
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error)
"""Errors of Pillow's decoders for damaged files."""

_opening = threading.Lock()


def read_image(path: Path) -> Image.Image:
    """The picture at `path`, upright: RGBA if its format states transparency, else RGB.

    One of more than `LARGEST` pixels comes scaled down by a whole number.

    Raises:
        InputError: the file is no picture, needs a plugin that is not installed, has a side outside
            of `MIN_SIDE` to `MAX_SIDE`, or pixels that have no meaning as 8 bits.
    """
    kind = None
    try:
        kind = _heif_kind(path)
        if kind == "HEIC":
            _register_heic(path)
        # Not by its path: Pillow 12 would map TIFF files to memory and scramble rotated ones.
        with path.open("rb") as stream, _open(stream) as file:
            check_size(file.size, str(path))
            white = _white(file, str(path))
            if file.width * file.height <= LARGEST:
                return _to_rgb(ImageOps.exif_transpose(file), white)
            return _scaled_down(file, white)
    except InputError:
        raise
    except UNREADABLE as error:
        if isinstance(error, UnidentifiedImageError) and kind == "AVIF":
            raise InputError(
                f"{path} is an AVIF picture: install Pillow 11.3 or newer, or convert it to PNG."
            ) from error
        raise InputError(f"{path} cannot be read as a picture.") from error


def check_size(size: tuple[int, int], name: str) -> None:
    """Refuse a picture that is too small or too large.

    Raises:
        InputError: a side of `size` (width, height) is outside of `MIN_SIDE` to `MAX_SIDE`.
    """
    width, height = size
    if min(size) < MIN_SIDE or max(size) > MAX_SIDE:
        raise InputError(
            f"{name} is {width} x {height} pixels; each side must be {MIN_SIDE} to {MAX_SIDE}."
        )


def to_rgb(picture: Image.Image, name: str) -> Image.Image:
    """A picture of any mode, upright, as 8-bit RGBA if it has transparency data, else as RGB.

    Grey pixels of 16 bits, 32-bit integers in 0..255 or 0..65535, and floats in 0..1 are scaled.

    Raises:
        InputError: pixels outside of these ranges, or not finite.
    """
    return _to_rgb(ImageOps.exif_transpose(picture), _white(picture, name))


def _to_rgb(picture: Image.Image, white: float) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture, white)
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _white(picture: Image.Image, name: str) -> float:
    """The value of white of a picture in integers of more than 8 bits or in floats.

    Formats with 16 bits a pixel define it. Pixels of 32 bits have no such convention: their range
    decides.
    """
    sixteen_bits = picture.mode == "I" and picture.format in SIXTEEN_BIT_FORMATS
    if picture.mode.startswith("I;16") or sixteen_bits:
        return 65535.0
    if picture.mode not in ("I", "F"):
        return 255.0
    low, high = np.asarray(picture.getextrema(), np.float64).tolist()
    if picture.mode == "I" and low >= 0 and high <= 65535:
        return 255.0 if high <= 255 else 65535.0
    if picture.mode == "F" and low >= -SLACK and high <= 1 + SLACK and _is_finite(picture):
        return 1.0
    expected = "0 to 65535" if picture.mode == "I" else "0 to 1"
    raise InputError(
        f"{name} has pixels from {low:g} to {high:g}, not {expected}; save it with 8 bits each."
    )


def _is_finite(picture: Image.Image) -> bool:
    """True if no pixel is NaN, which Pillow's extrema may not show."""
    return bool(np.isfinite(np.asarray(picture)).all())


def _eight_bits(picture: Image.Image, white: float) -> Image.Image:
    """A grey picture with `white` as its highest value in 8 bits, which Pillow would clip."""
    values = np.asarray(picture)
    if white == 1.0:
        grey = np.rint(values.clip(0, 1) * 255)
    else:
        grey = values.clip(0, round(white)) // round(white / 255)
    result = Image.fromarray(grey.astype(np.uint8))
    key = picture.info.get("transparency")
    if isinstance(key, int):  # one grey value stands for transparent
        result.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return result


def _open(stream: BinaryIO) -> Image.Image:
    """Open a picture, however many pixels it has: `check_size` has a limit of its own."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _scaled_down(file: Image.Image, white: float) -> Image.Image:
    """A picture of more than `LARGEST` pixels, scaled down without another copy of all of it."""
    file.load()  # TIFF files are upright from here on
    factor = 2
    while -(-file.width // factor) * -(-file.height // factor) > LARGEST:
        factor += 1
    small: Image.Image | None = None
    for top in range(0, file.height, STRIP * factor):
        strip = file.crop((0, top, file.width, min(top + STRIP * factor, file.height)))
        part = _to_rgb(strip, white).reduce(factor)
        if small is None:
            small = Image.new(part.mode, (part.width, -(-file.height // factor)))
        small.paste(part, (0, top // factor))
    assert small is not None
    small.getexif()[ORIENTATION] = file.getexif().get(ORIENTATION, 1)
    ImageOps.exif_transpose(small, in_place=True)
    return small


def _heif_kind(path: Path) -> str | None:
    """The format of a file in the HEIF container by its brands: HEIC, AVIF, or None."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] != b"ftyp":
        return None
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, len(head), 4))}
    if brands & AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & HEIC_BRANDS else None


def _register_heic(path: Path) -> None:
    """Let Pillow read HEIC pictures, which it cannot do by itself."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise InputError(
            f"{path} is a HEIC picture: run pip install pillow-heif, or convert it to PNG or JPEG."
        ) from error
    register_heif_opener()
