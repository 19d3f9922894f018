"""Picture files: every format, size and pixel type is the same picture, or one sentence."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from musedance_core.errors import InputError
from musedance_core.media import image_file
from musedance_core.media.image_file import ORIENTATION, read_image, to_rgb
from musedance_core.media.images import load_picture


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def test_every_pixel_type_of_grey_is_the_same_picture(tmp_path: Path) -> None:
    grey = noise(40, 60, 1)
    picture = Image.fromarray(grey)
    palette = picture.convert("P")
    others: dict[str, Image.Image] = {
        "l.png": picture,
        "rgb.png": picture.convert("RGB"),
        "la.png": picture.convert("LA"),
        "p.png": palette,
        "16.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "16.tif": Image.fromarray(grey.astype(np.uint16) * 257),
        "32.tif": Image.fromarray(grey.astype(np.int32)),
        "32-of-16.tif": Image.fromarray(grey.astype(np.int32) * 257),
        "float.tif": Image.fromarray(grey.astype(np.float32) / 255),
        "cmyk.tif": picture.convert("RGB").convert("CMYK"),
        "rgba.webp": picture.convert("RGBA"),
    }
    for name, other in others.items():
        other.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        image = load_picture(tmp_path / name)
        assert image.mode == "RGB" and np.array_equal(image, np.repeat(grey[..., None], 3, 2)), name


def test_every_kind_of_transparency_is_alpha(tmp_path: Path) -> None:
    grey = noise(40, 60, 1)
    grey[:20] = 7
    alpha = np.where(grey == 7, 0, 255).astype(np.uint8)
    layered = Image.fromarray(grey).convert("LA")
    layered.putalpha(Image.fromarray(alpha))
    layered.save(tmp_path / "la.png")
    layered.convert("RGBA").save(tmp_path / "rgba.png")
    save(tmp_path / "l.png", grey, transparency=7)
    Image.fromarray(grey).convert("P").save(tmp_path / "p.png", transparency=7)
    data = save(tmp_path / "16.png", grey.astype(np.uint16) * 257).read_bytes()
    chunk = b"tRNS" + (7 * 257).to_bytes(2, "big")
    chunk = (2).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    (tmp_path / "16.png").write_bytes(data[:33] + chunk + data[33:])
    for path in sorted(tmp_path.iterdir()):
        image = load_picture(path)
        assert image.mode == "RGBA" and np.array_equal(image.getchannel("A"), alpha), path
        assert np.array_equal(image.getchannel("R"), grey), path


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.float32([[0.0, 3.5]]), "from 0 to 3.5, not 0 to 1"),
        (np.float32([[-0.5, 1.0]]), "from -0.5 to 1, not 0 to 1"),
        (np.float32([[0.5, np.nan]]), "not 0 to 1"),
        (np.float32([[np.inf, 0.5]]), "not 0 to 1"),
        (np.int32([[-1, 255]]), "from -1 to 255, not 0 to 65535"),
        (np.int32([[0, 1 << 20]]), "to 1.04858e[+]06, not 0 to 65535"),
    ],
)
def test_pixels_without_a_meaning_as_8_bits_raise_one_sentence(
    tmp_path: Path, pixels: np.ndarray, words: str
) -> None:
    path = save(tmp_path / "a.tif", np.tile(pixels, (32, 16)))
    with pytest.raises(InputError, match=words) as caught:
        load_picture(path)
    assert "a.tif" in str(caught.value) and str(caught.value).endswith(".")


def test_a_picture_that_is_not_from_a_file_is_converted_by_the_same_rules() -> None:
    dark = Image.fromarray(np.full((20, 20), 513, np.uint16))
    assert np.array_equal(to_rgb(dark, "The picture"), np.full((20, 20, 3), 1))
    integers = Image.fromarray(np.full((20, 20), 200, np.int32))
    assert np.array_equal(to_rgb(integers, "The picture"), np.full((20, 20, 3), 200))


def test_a_photo_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: show a quarter turn clockwise
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :32] = 255
    image = np.asarray(load_picture(save(tmp_path / "p.png", pixels, exif=exif)))
    assert image.shape == (64, 32, 3) and image[5].min() == 255 and image[-5].max() == 0


def test_a_picture_of_the_largest_sides_is_read(tmp_path: Path) -> None:
    """More pixels than Pillow allows, and a side less than the limit."""
    limit = Image.MAX_IMAGE_PIXELS
    picture = Image.new("L", (13_500, 13_500), 40)
    picture.paste(200, (0, 0, 6_750, 13_500))
    picture.save(tmp_path / "large.png", compress_level=1)
    image = load_picture(tmp_path / "large.png")
    assert image.mode == "RGB" and image.size == (6_750, 6_750)
    left, right = (image.crop((x, 0, x + 3_000, 6_750)).getextrema() for x in (0, 3_500))
    assert left == ((200, 200),) * 3 and right == ((40, 40),) * 3
    assert limit == Image.MAX_IMAGE_PIXELS


def in_mode(mode: str, height: int, width: int) -> Image.Image:
    grey = noise(height, width, 1)
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(grey.astype(np.float32) / 255)
    colours = Image.fromarray(noise(height, width, 4))
    return colours.convert("RGBA" if "A" in mode else "RGB").convert(mode)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize(("suffix", "orientation"), [(".tif", 1), (".tif", 6), (".png", 6)])
def test_a_picture_scaled_down_in_strips_is_the_picture_scaled_down(
    tmp_path: Path, mode: str, suffix: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if suffix == ".png" and mode in ("CMYK", "F"):
        pytest.skip("not in this format")
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"a{suffix}"
    in_mode(mode, 330, 270).save(path, exif=exif)
    whole = read_image(path)
    assert whole.size == ((270, 330) if orientation == 1 else (330, 270))
    monkeypatch.setattr(image_file, "LARGEST", 270 * 330 // 5)
    monkeypatch.setattr(image_file, "STRIP", 16)
    small = read_image(path)
    truth = whole.reduce(3)
    assert small.mode == whole.mode and small.size == truth.size
    assert np.abs(np.asarray(small, np.int16) - np.asarray(truth, np.int16)).max() <= 1


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
            load_picture(tmp_path / name)
        message = str(caught.value)
        assert name in message and message.endswith(".") and "\n" not in message


def heif(path: Path, brand: bytes) -> Path:
    """The beginning of a file in the HEIF container."""
    path.write_bytes(b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + b"mif1" + brand + bytes(99))
    return path


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_a_heic_picture_names_the_package_that_reads_it(
    tmp_path: Path, brand: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("phone.heic", "phone.jpg"):
        with pytest.raises(InputError, match=r"phone\.\w+ is a HEIC .* pip install pillow-heif"):
            load_picture(heif(tmp_path / name, brand))


def test_a_heic_picture_is_read_where_the_package_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package registers a decoder with Pillow, as this stand-in does."""
    package = ModuleType("pillow_heif")
    calls: list[None] = []
    package.register_heif_opener = lambda: calls.append(None)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    load_picture(save(tmp_path / "a.png", noise(32, 32)))
    assert calls == []
    with pytest.raises(InputError, match="cannot be read as a picture"):
        load_picture(heif(tmp_path / "phone.heic", b"heic"))
    assert len(calls) == 1


def test_a_real_heic_picture(tmp_path: Path) -> None:
    package = pytest.importorskip("pillow_heif")
    package.register_heif_opener()
    y, x = np.mgrid[:64, :96]
    pixels = np.stack([2 * x, 3 * y, x + y], axis=-1).astype(np.uint8)
    save(tmp_path / "a.heic", pixels, quality=95)
    image = load_picture(tmp_path / "a.heic")
    assert image.size == (96, 64)
    assert np.abs(np.asarray(image, np.int16) - pixels).mean() < 4


def test_avif_pictures(tmp_path: Path) -> None:
    Image.init()
    if "AVIF" in Image.OPEN:
        assert load_picture(save(tmp_path / "a.avif", noise(32, 32))).size == (32, 32)
    else:
        with pytest.raises(InputError, match=r"an AVIF picture: install Pillow 11\.3"):
            load_picture(heif(tmp_path / "a.avif", b"avif"))
