"""Dances without sound that repeat for ever, as stickers are posted: animated GIF and WebP."""

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

ANIMATED_SUFFIXES = (".gif", ".webp")
GIF_TICK, WEBP_TICK = 10, 1
"""Milliseconds in which the formats count how long a frame is shown."""


def write_animated(path: str | Path, chunks: Iterable[Tensor], fps: float) -> None:
    """Write frames as a picture that moves and repeats for ever, atomically.

    Frame k starts at k / fps seconds, to the format's tick: what is rounded off one frame goes to
    the next, so that a dance stays on its beats. All frames are held in memory, in 8 bits.

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
        raise InputError(f"There is not one frame to write to {path}.")
    with atomic_path(path) as temporary:
        _save(pictures, temporary, fps, gif=path.suffix.lower() == ".gif")


def gif_bytes(frames: Tensor, fps: float) -> bytes:
    """Frames `[f 3 h w]` in 0..1 as a GIF, timed as `write_animated` times them."""
    data = BytesIO()
    _save(_pictures(frames), data, fps, gif=True)
    return data.getvalue()


def _save(pictures: list[Image.Image], target: Path | BytesIO, fps: float, gif: bool) -> None:
    shown = durations(len(pictures), fps, GIF_TICK if gif else WEBP_TICK)
    how = {"optimize": False} if gif else {"quality": 90, "method": 4}
    if gif:
        pictures = _indexed(pictures)
    pictures[0].save(
        target,
        format="GIF" if gif else "WEBP",
        save_all=True,
        append_images=islice(pictures, 1, None),
        duration=shown,
        loop=0,
        **how,
    )


def durations(frames: int, fps: float, tick: int) -> list[int]:
    """Milliseconds of every frame, multiples of `tick`, whose sums stay nearest to k / fps."""
    starts = (np.arange(frames + 1) * 1000 / fps / tick).round().astype(int) * tick
    return [int(length) for length in np.diff(starts)]


def _pictures(chunk: Tensor) -> list[Image.Image]:
    pixels = rearrange(chunk.detach().float().clamp(0, 1) * 255, "f c h w -> f h w c")
    return [Image.fromarray(image) for image in pixels.round().byte().cpu().numpy()]


def _indexed(pictures: list[Image.Image]) -> list[Image.Image]:
    """The pictures in 256 colours, the same for all, so that what stands still does not shimmer."""
    chosen = pictures[:: max(1, len(pictures) // 16)]
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width, height * len(chosen)))
    for i, picture in enumerate(chosen):
        sheet.paste(picture, (0, i * height))
    palette = sheet.quantize(256, method=Image.Quantize.MEDIANCUT)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
