"""Pictures of every shape and mode land in the square by the stated rule; others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core.errors import InputError
from musedance_core.media.contact_sheet import COLUMNS, TILE, spread, write_contact_sheet
from musedance_core.media.images import (
    DARK,
    LIGHT,
    STICKER_SHARE,
    FittedPicture,
    fit_map,
    fit_picture,
    load_mask,
    load_picture,
)
from musedance_core.parts import palette, part_ids

SIZE = 64


def read_picture(path: Path, size: int, mask: Path | None = None) -> FittedPicture:
    picture = load_picture(path)
    return fit_picture(picture, None if mask is None else load_mask(mask, picture), size)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def sticker(height: int = 80, width: int = 100) -> np.ndarray:
    """A red box 40 wide and 20 high somewhere in transparency."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[10:30, 50:90] = (200, 20, 20, 255)
    return pixels


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (17, 333), (900, 40), (200, 300)])
def test_any_shape_gives_the_square(tmp_path: Path, shape: tuple[int, int]) -> None:
    fitted = read_picture(save(tmp_path / "a.png", noise(*shape)), SIZE)
    assert fitted.image.shape == (3, SIZE, SIZE) and fitted.image.dtype == torch.float32
    assert fitted.image.min() >= 0 and fitted.image.max() <= 1
    assert fitted.part_map is None


def test_nothing_is_cropped_and_the_rest_has_the_border_colour(tmp_path: Path) -> None:
    pixels = np.full((50, 100, 3), (10, 200, 90), np.uint8)
    pixels[1:-1, 1:-1] = (250, 0, 0)
    image = read_picture(save(tmp_path / "wide.png", pixels), SIZE).image
    rows = image[0].mean(dim=1)
    bars = torch.cat([image[:, :15], image[:, -15:]], dim=1)
    assert bars.flatten(1).std(dim=1).max() == 0
    assert torch.allclose(image[:, 0, 0] * 255, torch.tensor([10.0, 200.0, 90.0]))
    assert (rows[20:44] > 0.9).all() and (rows[:15] < 0.25).all()


def test_a_sticker_is_trimmed_centred_and_its_own_mask(tmp_path: Path) -> None:
    fitted = read_picture(save(tmp_path / "s.png", sticker()), SIZE)
    assert fitted.part_map is not None and set(fitted.part_map.unique().tolist()) == {0, 25}
    ys, xs = torch.nonzero(fitted.part_map == 25, as_tuple=True)
    side = round(SIZE * STICKER_SHARE)
    assert (int(xs.max() - xs.min()) + 1, int(ys.max() - ys.min()) + 1) == (side, side // 2)
    assert abs(int(xs.max() + xs.min()) - (SIZE - 1)) <= 1
    assert torch.allclose(fitted.image[:, 0, 0] * 255, torch.tensor(LIGHT).float())
    red = fitted.image[:, fitted.part_map == 25].mean(dim=1) * 255
    assert (red - torch.tensor([200.0, 20.0, 20.0])).abs().max() < 6


def test_a_pale_sticker_stands_on_dark(tmp_path: Path) -> None:
    pixels = sticker()
    pixels[..., :3] = 250
    image = read_picture(save(tmp_path / "pale.png", pixels), SIZE).image
    assert torch.allclose(image[:, 0, 0] * 255, torch.tensor(DARK).float())


def test_colour_under_transparency_does_not_bleed(tmp_path: Path) -> None:
    clean, dirty = sticker(), sticker()
    dirty[dirty[..., 3] == 0] = (0, 255, 0, 0)
    a = read_picture(save(tmp_path / "a.png", clean), SIZE).image
    b = read_picture(save(tmp_path / "b.png", dirty), SIZE).image
    assert torch.equal(a, b)


def test_every_mode_reads_as_the_same_picture(tmp_path: Path) -> None:
    grey = noise(40, 60, 1)
    expected = read_picture(save(tmp_path / "L.png", grey), SIZE).image
    others = {
        "rgb.png": Image.fromarray(grey).convert("RGB"),
        "la.png": Image.fromarray(grey).convert("LA"),
        "p.png": Image.fromarray(grey).convert("P"),
        "16.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "rgba.webp": Image.fromarray(grey).convert("RGBA"),
    }
    for name, picture in others.items():
        picture.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        assert torch.allclose(read_picture(tmp_path / name, SIZE).image, expected), name


def test_a_turned_photo_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: show a quarter turn clockwise
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :32] = 255
    image = read_picture(save(tmp_path / "p.png", pixels, exif=exif), SIZE).image
    assert image[0, 5, 32] > 0.9 and image[0, -5, 32] < 0.1


def test_the_mask_moves_with_its_picture(tmp_path: Path) -> None:
    picture = save(tmp_path / "p.png", noise(50, 100))
    grey = np.zeros((50, 100), np.uint8)
    grey[:, :50] = 255
    part_map = read_picture(picture, SIZE, save(tmp_path / "m.png", grey)).part_map
    assert part_map is not None and part_map.shape == (SIZE, SIZE)
    assert (part_map[16:48, :32] == 25).all() and not part_map[:, 32:].any()
    assert not part_map[:16].any() and not part_map[48:].any()
    half = save(tmp_path / "half.png", grey[::2, ::2])
    smaller = read_picture(picture, SIZE, half).part_map
    assert smaller is not None and torch.equal(part_map, smaller)


@pytest.mark.parametrize(
    ("mask", "words"),
    [(np.full((50, 50), 255), "same shape"), (np.zeros((50, 100)), "marks nothing")],
)
def test_masks_that_do_not_fit(tmp_path: Path, mask: np.ndarray, words: str) -> None:
    picture = save(tmp_path / "p.png", noise(50, 100))
    path = save(tmp_path / "mask.png", mask.astype(np.uint8))
    with pytest.raises(InputError, match=words):
        read_picture(picture, SIZE, path)


def bad_pictures(folder: Path) -> dict[str, str]:
    save(folder / "dot.png", noise(1, 1))
    save(folder / "thin.png", noise(15, 400))
    save(folder / "long.png", np.zeros((16, 20_000), np.uint8))
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
    save(folder / "nothing.png", np.zeros((32, 32, 4), np.uint8))
    whole = save(folder / "whole.png", noise(64, 64)).read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "flipped.png").write_bytes(whole[:60] + bytes(20) + whole[80:])
    (folder / "text.png").write_text("not a picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "folder.png").mkdir()
    return {
        "dot.png": "1 x 1 pixels",
        "thin.png": "400 x 15 pixels",
        "long.png": "20000 x 16 pixels",
        "huge.png": "pixels",
        "nothing.png": "transparent",
        "cut.png": "cannot be read as a picture",
        "flipped.png": "cannot be read as a picture",
        "text.png": "cannot be read as a picture",
        "empty.png": "cannot be read as a picture",
        "folder.png": "no picture file",
        "missing.png": "no picture file",
    }


def test_bad_pictures_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for name, words in bad_pictures(tmp_path).items():
        with pytest.raises(InputError, match=words) as caught:
            read_picture(tmp_path / name, SIZE)
        message = str(caught.value)
        assert name in message and message.endswith(".") and "\n" not in message


def test_the_sheet_shows_every_frame_in_its_place(tmp_path: Path) -> None:
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


def test_spread_keeps_both_ends() -> None:
    assert spread(5) == [0, 1, 2, 3, 4]
    chosen = spread(1000)
    assert chosen[0] == 0 and chosen[-1] == 999 and len(set(chosen)) == 48
    assert spread(1) == [0]


def test_a_part_map_lands_where_its_picture_does_and_gives_its_ids_back() -> None:
    picture = Image.new("RGB", (200, 100), "green")
    colours = (palette() * 255).round().byte().numpy()
    drawn = np.zeros((50, 100, 3), np.uint8)
    drawn[10:40, 20:50], drawn[10:40, 50:80] = colours[3], colours[17]
    ids = part_ids(fit_map(Image.fromarray(drawn), picture, 64))
    assert ids.shape == (64, 64) and set(ids.unique().tolist()) == {0, 3, 17}
    assert (ids[:16] == 0).all() and (ids[48:] == 0).all(), "beyond the picture is background"
    assert ids[32, 20] == 3 and ids[32, 40] == 17


def test_a_part_map_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match="part map is 100 x 100"):
        fit_map(Image.new("RGB", (100, 100)), Image.new("RGB", (200, 100)), 64)
