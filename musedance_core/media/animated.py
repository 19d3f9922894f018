"""Animated GIF and WebP files, which repeat for ever and have no sound."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..errors import InputError
from ..files import atomic_path
from .images import to_uint8

ANIMATED_SUFFIXES = (".gif", ".webp")
GIF_TICK, WEBP_TICK = 10, 1
"""Milliseconds of the unit in which the formats store durations."""
PALETTE_FRAMES = 16
"""Frames that the palette of a GIF is computed from."""


def write_animated(path: str | Path, chunks: Iterable[Tensor], fps: float) -> None:
    """Write frames as an animated picture that repeats for ever, atomically.

    Frame k starts at k / fps seconds, rounded to the format's unit of time: the rounding error of a
    frame is passed on to the next, so that a dance stays on its beats. All frames are held in
    memory, in 8 bits.

    Args:
        path: ends in .gif or .webp.
        chunks: float frames `[f 3 h w]` in 0..1, one segment after the other.
        fps: frames per second, at most 50.

    Raises:
        InputError: no frame at all, or a target that cannot be written.
    """
    path = Path(path)
    pictures = [picture for chunk in chunks for picture in _pictures(chunk)]
    if not pictures:
        raise InputError(f"There are no frames to write to {path}.")
    with atomic_path(path) as temporary:
        _save(pictures, temporary, fps, gif=path.suffix.lower() == ".gif")


def gif_bytes(frames: Tensor, fps: float) -> bytes:
    """Frames `[f 3 h w]` in 0..1 as the bytes of a GIF file, timed as in `write_animated`."""
    data = BytesIO()
    _save(_pictures(frames), data, fps, gif=True)
    return data.getvalue()


def _save(pictures: list[Image.Image], target: Path | BytesIO, fps: float, gif: bool) -> None:
    options = {"optimize": False} if gif else {"quality": 90, "method": 4}
    if gif:
        pictures = _indexed(pictures)
    pictures[0].save(
        target,
        format="GIF" if gif else "WEBP",
        save_all=True,
        append_images=islice(pictures, 1, None),
        duration=durations(len(pictures), fps, GIF_TICK if gif else WEBP_TICK),
        loop=0,
        **options,
    )


def durations(frames: int, fps: float, tick: int) -> list[int]:
    """Milliseconds of every frame, multiples of `tick`, with sums that are nearest to k / fps."""
    starts = (np.arange(frames + 1) * 1000 / fps / tick).round().astype(int) * tick
    return [int(length) for length in np.diff(starts)]


def _pictures(chunk: Tensor) -> list[Image.Image]:
    pixels = rearrange(to_uint8(chunk), "f c h w -> f h w c")
    return [Image.fromarray(image) for image in pixels.numpy()]


def _indexed(pictures: list[Image.Image]) -> list[Image.Image]:
    """The pictures with one palette of 256 colours, so that still areas do not shimmer."""
    samples = pictures[:: max(1, len(pictures) // PALETTE_FRAMES)]
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width, height * len(samples)))
    for i, picture in enumerate(samples):
        sheet.paste(picture, (0, i * height))
    palette = sheet.quantize(256, method=Image.Quantize.MEDIANCUT)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
