"""Pictures and masks of every shape are placed in the square by the stated rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from musedance_core.errors import InputError
from musedance_core.media.images import (
    DARK,
    LIGHT,
    STICKER_SHARE,
    FittedPicture,
    as_mask,
    as_picture,
    fit_map,
    fit_picture,
    load_mask,
    load_picture,
    require_mask,
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
def test_any_shape_is_fitted_to_the_square(tmp_path: Path, shape: tuple[int, int]) -> None:
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


def test_a_sticker_is_trimmed_and_centred_and_is_its_own_mask(tmp_path: Path) -> None:
    fitted = read_picture(save(tmp_path / "s.png", sticker()), SIZE)
    assert fitted.part_map is not None and set(fitted.part_map.unique().tolist()) == {0, 25}
    ys, xs = torch.nonzero(fitted.part_map == 25, as_tuple=True)
    side = round(SIZE * STICKER_SHARE)
    assert (int(xs.max() - xs.min()) + 1, int(ys.max() - ys.min()) + 1) == (side, side // 2)
    assert abs(int(xs.max() + xs.min()) - (SIZE - 1)) <= 1
    assert torch.allclose(fitted.image[:, 0, 0] * 255, torch.tensor(LIGHT).float())
    red = fitted.image[:, fitted.part_map == 25].mean(dim=1) * 255
    assert (red - torch.tensor([200.0, 20.0, 20.0])).abs().max() < 6


def test_a_pale_sticker_gets_a_dark_background(tmp_path: Path) -> None:
    pixels = sticker()
    pixels[..., :3] = 250
    image = read_picture(save(tmp_path / "pale.png", pixels), SIZE).image
    assert torch.allclose(image[:, 0, 0] * 255, torch.tensor(DARK).float())


def ellipse(alpha: int, eye: int = 0) -> np.ndarray:
    """A picture 200 wide and 300 high with one ellipse of this alpha, and an eye in it."""
    y, x = np.mgrid[:300, :200]
    pixels = np.zeros((300, 200, 4), np.uint8)
    pixels[((x - 100) / 70) ** 2 + ((y - 150) / 120) ** 2 <= 1] = (200, 60, 30, alpha)
    pixels[((x - 100) / 20) ** 2 + ((y - 90) / 20) ** 2 <= 1, 3] = max(alpha, eye)
    return pixels


@pytest.mark.parametrize("alpha", [20, 60, 127, 128, 200, 255])
@pytest.mark.parametrize("eye", [0, 255])
def test_the_whole_of_a_half_transparent_sticker_is_the_dancer(
    tmp_path: Path, alpha: int, eye: int
) -> None:
    solid = read_picture(save(tmp_path / "solid.png", ellipse(255)), SIZE).part_map
    part_map = read_picture(save(tmp_path / "s.png", ellipse(alpha, eye)), SIZE).part_map
    assert solid is not None and part_map is not None
    assert (solid > 0).sum() > 500 and ((solid > 0) != (part_map > 0)).sum() <= 4


@pytest.mark.parametrize("white", [40, 127, 255])
def test_the_brightest_pixels_of_a_mask_are_the_subject(tmp_path: Path, white: int) -> None:
    picture = save(tmp_path / "p.png", noise(64, 64))
    grey = np.full((64, 64), white // 4, np.uint8)
    grey[:, :32] = white
    part_map = read_picture(picture, SIZE, save(tmp_path / "m.png", grey)).part_map
    assert part_map is not None and part_map[:, :32].all() and not part_map[:, 32:].any()


def test_a_sticker_of_thin_lines_is_the_dancer(tmp_path: Path) -> None:
    pixels = np.zeros((1200, 1200, 4), np.uint8)
    pixels[np.arange(1200) % 15 < 3, :, 3] = 255
    part_map = read_picture(save(tmp_path / "lines.png", pixels), SIZE).part_map
    assert part_map is not None and (part_map > 0).sum() > 0.9 * (SIZE * STICKER_SHARE) ** 2


def test_a_subject_that_vanishes_at_the_models_size_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((3000, 3000, 4), np.uint8)
    pixels[0, 0, 3] = pixels[-1, -1, 3] = 255
    with pytest.raises(InputError, match="The picture marks nothing at 64 x 64 pixels"):
        read_picture(save(tmp_path / "dots.png", pixels), SIZE)
    picture = load_picture(save(tmp_path / "p.png", noise(64, 64)))
    mask = Image.new("L", (64, 64))
    with pytest.raises(InputError, match="The mask marks nothing at 32 x 32 pixels"):
        fit_picture(picture, mask, 32)


def test_colour_under_transparency_does_not_bleed(tmp_path: Path) -> None:
    clean, dirty = sticker(), sticker()
    dirty[dirty[..., 3] == 0] = (0, 255, 0, 0)
    a = read_picture(save(tmp_path / "a.png", clean), SIZE).image
    b = read_picture(save(tmp_path / "b.png", dirty), SIZE).image
    assert torch.equal(a, b)


def test_the_mask_is_placed_like_its_picture(tmp_path: Path) -> None:
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
def test_masks_that_do_not_fit_raise_one_sentence(
    tmp_path: Path, mask: np.ndarray, words: str
) -> None:
    picture = save(tmp_path / "p.png", noise(50, 100))
    path = save(tmp_path / "mask.png", mask.astype(np.uint8))
    with pytest.raises(InputError, match=words):
        read_picture(picture, SIZE, path)


@pytest.mark.parametrize("kind", ["nearly solid", "one corner", "round corners"])
def test_a_picture_that_is_hardly_transparent_is_opaque(kind: str) -> None:
    picture = Image.new("RGB", (100, 160), (20, 120, 200))
    alpha = Image.new("L", picture.size, 254 if kind == "nearly solid" else 255)
    if kind == "one corner":
        alpha.putpixel((0, 0), 0)
    if kind == "round corners":
        alpha = Image.new("L", picture.size)
        ImageDraw.Draw(alpha).rounded_rectangle((0, 0, 99, 159), radius=10, fill=255)
    picture.putalpha(alpha)
    opaque = as_picture(picture)
    assert opaque.mode == "RGB"
    assert opaque.getextrema() == ((20, 20), (120, 120), (200, 200))


def test_a_sticker_that_nearly_fills_its_picture_is_one() -> None:
    picture = Image.new("RGBA", (100, 100))
    picture.paste("red", (1, 1, 99, 99))
    assert as_picture(picture).mode == "RGBA"
    assert as_picture(Image.new("RGBA", (100, 100), (255, 0, 0, 200))).mode == "RGBA"


def test_a_mask_of_what_is_transparent_anyway_is_refused() -> None:
    picture = Image.fromarray(sticker())
    mask = Image.new("L", picture.size, 255)
    assert require_mask(mask, picture, "The mask m.png").getextrema() == (255, 255)
    mask.paste(0, (50, 10, 90, 30))
    with pytest.raises(InputError, match=r"m\.png marks only what is transparent"):
        require_mask(mask, picture, "The mask m.png")


def test_pictures_and_masks_from_python_are_read_like_their_files(tmp_path: Path) -> None:
    """Upright, and with the transparency that a palette or two channels hold."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a camera
    Image.fromarray(noise(30, 50)).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(sticker()).quantize(8).save(tmp_path / "palette.png")
    Image.fromarray(sticker()).convert("LA").save(tmp_path / "grey.png")
    for name, mode in (("turned.jpg", "RGB"), ("palette.png", "RGBA"), ("grey.png", "RGBA")):
        path = tmp_path / name
        picture = as_picture(Image.open(path))
        assert picture.mode == mode and picture.size == load_picture(path).size
        assert picture.tobytes() == load_picture(path).tobytes()
        mask = as_mask(Image.open(path), picture)
        assert mask.tobytes() == as_mask(path, picture).tobytes()
    assert load_picture(tmp_path / "turned.jpg").size == (30, 50)


def test_a_part_map_is_placed_like_its_picture() -> None:
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
