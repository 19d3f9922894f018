"""Contact sheets: every frame in its tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core.media.contact_sheet import (
    COLUMNS,
    GAP,
    LINE,
    TILE,
    reduced,
    spread,
    write_contact_sheet,
)


def test_every_frame_has_its_place(tmp_path: Path) -> None:
    frames = [torch.full((3, 32, 32), i / 10) for i in range(11)]
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, frames, [f"{i} s" for i in range(11)])
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[1] > COLUMNS * TILE
    height = pixels.shape[0] // 2
    for i in range(11):
        y, x = i // COLUMNS * height + TILE // 2, i % COLUMNS * (TILE + 4) + TILE // 2
        assert abs(int(pixels[y, x, 0]) - round(i * 25.5)) <= 1


def test_spread_includes_both_ends() -> None:
    assert spread(5) == [0, 1, 2, 3, 4]
    chosen = spread(1000)
    assert chosen[0] == 0 and chosen[-1] == 999 and len(set(chosen)) == 48
    assert spread(1) == [0]


def test_transparent_frames_are_on_white(tmp_path: Path) -> None:
    frame = torch.zeros(4, 32, 32)
    frame[3, :16] = 1
    write_contact_sheet(tmp_path / "sheet.png", [frame], ["0 s"])
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    assert not pixels[20, 64].any() and (pixels[100, 64] == 255).all()


@pytest.mark.parametrize(("size", "tile"), [((600, 300), (256, 128)), ((1600, 16), (256, 3))])
def test_sheets_of_tall_frames_are_not_huge(
    size: tuple[int, int], tile: tuple[int, int], tmp_path: Path
) -> None:
    frame = torch.zeros(3, *size)
    assert reduced(frame).shape == (3, *tile)
    write_contact_sheet(tmp_path / "sheet.png", [frame] * 2, ["0 s", "1 s"])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == tile[0] + LINE + 2 * GAP
