"""Contact sheets: evenly spaced frames of a video in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from ..files import atomic_path
from .images import to_uint8

TILE, GAP, LINE, COLUMNS = 128, 4, 14, 8
TALLEST = 2 * TILE


def spread(total: int, tiles: int = 48) -> list[int]:
    """At most `tiles` frame numbers, evenly spaced from the first to the last of `total`."""
    return [int(i) for i in np.linspace(0, total - 1, min(total, tiles)).round()]


def reduced(frame: Tensor) -> Tensor:
    """A copy of a frame `[c h w]` that is no larger than a tile."""
    height, width = frame.shape[-2:]
    tile_width, tile_height = _tile_size(width, height)
    if width <= tile_width:
        return frame.clone()
    return F.interpolate(frame[None], (tile_height, tile_width), mode="area")[0]


def write_contact_sheet(path: str | Path, frames: Sequence[Tensor], labels: Sequence[str]) -> None:
    """Write `frames`, each `[c h w]` in 0..1, as rows of labelled tiles, atomically.

    Raises:
        InputError: `path` is a directory or its folder does not exist.
    """
    columns = min(COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    tiles = [_tile(frame) for frame in frames]
    width, height = tiles[0].size[0] + GAP, tiles[0].size[1] + LINE + GAP
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        corner = (GAP + i % columns * width, GAP + i // columns * height)
        sheet.paste(tile, corner, tile if tile.mode == "RGBA" else None)
        draw.text((corner[0], corner[1] + tile.size[1]), label, fill="black")
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG")


def _tile(frame: Tensor) -> Image.Image:
    """A frame `[3 h w]`, or `[4 h w]` with straight alpha, as a picture of the size of a tile."""
    picture = Image.fromarray(rearrange(to_uint8(frame), "c h w -> h w c").numpy())
    return picture.resize(_tile_size(*picture.size), Image.Resampling.LANCZOS)


def _tile_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the tile of a frame: `TILE` wide, and at most `TALLEST` high."""
    scale = min(TILE / width, TALLEST / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
