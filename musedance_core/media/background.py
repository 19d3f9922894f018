"""Backgrounds behind the dancer: a colour, a picture, or none."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ..errors import InputError, brief
from ..files import is_file
from .colours import TRANSPARENT, named_colour
from .image_file import read_image, to_rgb
from .images import LIGHT

Background = str | Path | tuple[int, int, int] | Image.Image | None
"""Behind the dancer: "transparent", a colour, a picture or its file, or None for the picture's
own."""


def as_background(background: Background) -> tuple[int, int, int] | str | Image.Image | None:
    """A background in any form as `TRANSPARENT`, red, green and blue in 0..255, an opaque picture,
    or None.

    Raises:
        InputError: it is none of these.
    """
    if background is None:
        return None
    if isinstance(background, Image.Image):
        return _opaque(to_rgb(background, "The background"))
    if isinstance(background, tuple):
        if len(background) == 3 and all(_is_level(value) for value in background):
            return background
    elif isinstance(background, str) and background.strip().lower() == TRANSPARENT:
        return TRANSPARENT
    elif isinstance(background, str) and (colour := named_colour(background)) is not None:
        return colour
    elif isinstance(background, str | Path) and is_file(Path(background)):
        return load_background(background)
    raise InputError(
        f"The background {brief(background)} is neither a picture or its file, nor a colour such "
        f"as 'white', '#ffd400' or (255, 212, 0), nor {TRANSPARENT!r}."
    )


def load_background(path: str | Path) -> Image.Image:
    """The picture at `path`, to stand behind the dancer; its transparent parts become plain.

    Raises:
        InputError: there is no such file, or it is no picture.
    """
    if not is_file(Path(path)):
        raise InputError(f"There is no picture file at {path} for the background.")
    return _opaque(read_image(Path(path)))


def _is_level(value: object) -> bool:
    """True for a number in 0..255."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 255


def _opaque(picture: Image.Image) -> Image.Image:
    """An RGB or RGBA picture on a plain colour."""
    if picture.mode == "RGB":
        return picture
    plain = Image.new("RGB", picture.size, LIGHT)
    plain.paste(picture, mask=picture.getchannel("A"))
    return plain
