"""A video as numbered PNG pictures in a folder, for editors and other tools."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from einops import rearrange
from PIL import Image
from torch import Tensor

from ..errors import InputError
from ..files import atomic_folder
from .images import to_uint8

COMPRESSION = 3
"""Level of PNG's compression: half the time of the usual one for a third more bytes."""


def is_folder(target: str | Path) -> bool:
    """True if `target` names a folder: one that is there, or a text that ends in a slash."""
    separators = tuple(s for s in (os.sep, os.altsep, "/") if s)
    return bool(str(target)) and (str(target).endswith(separators) or Path(target).is_dir())


def write_png_sequence(folder: str | Path, chunks: Iterable[Tensor]) -> None:
    """Write frames as `frame_00001.png` and so on: all of them, or no folder at all.

    Args:
        folder: a new or an empty folder.
        chunks: float frames `[f 3 h w]` in 0..1, or `[f 4 h w]` with straight alpha, one segment
            after the other.

    Raises:
        InputError: no frame at all, the folder is not empty, or it cannot be written.
    """
    with atomic_folder(folder) as temporary:
        number = 0
        for chunk in chunks:
            for frame in chunk:
                number += 1
                image = rearrange(to_uint8(frame), "c h w -> h w c").contiguous().numpy()
                path = temporary / f"frame_{number:05d}.png"
                Image.fromarray(image).save(path, compress_level=COMPRESSION)
        if number == 0:
            raise InputError(f"There are no frames to write to {folder}.")
