"""Backgrounds: colours, pictures and files, and one sentence for anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from musedance_core.errors import InputError
from musedance_core.media.background import as_background, load_background
from musedance_core.media.colours import TRANSPARENT
from musedance_core.media.images import LIGHT

GREEN = (0, 128, 0)


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A picture whose left half is green, and the rest transparent."""
    picture = Image.new("RGBA", (40, 20))
    picture.paste(GREEN, (0, 0, 20, 20))
    path = tmp_path / "half.png"
    picture.save(path)
    return path


def test_colours_by_name_by_digits_and_as_numbers() -> None:
    assert as_background("White") == as_background("#fff") == (255, 255, 255)
    assert as_background((1, 2, 3)) == (1, 2, 3)
    assert as_background(" Transparent ") == TRANSPARENT and as_background(None) is None


def test_pictures_and_files_are_opaque_and_plain_where_they_were_transparent(half: Path) -> None:
    for background in (half, str(half), Image.open(half)):
        picture = as_background(background)
        assert isinstance(picture, Image.Image) and picture.mode == "RGB"
        assert picture.getpixel((5, 5)) == GREEN and picture.getpixel((35, 5)) == LIGHT


def test_a_picture_of_a_camera_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "p.jpg", exif=exif)
    picture = as_background(Image.open(tmp_path / "p.jpg"))
    assert isinstance(picture, Image.Image) and picture.size == (20, 40)


@pytest.mark.parametrize(
    "background",
    [
        *("blu", "none.png", "", "x" * 5000, Path("none.png"), 5, [], [0, 0, 0], (0, 0)),
        *((300, -50, 0), (0.0, float("nan"), 0.0), ("1", "2", "3"), (True, 0, 0)),
    ],
)
def test_anything_else_is_one_sentence_with_the_value(background: object) -> None:
    with pytest.raises(InputError, match=r"^The background .* is neither") as error:
        as_background(background)  # type: ignore[arg-type]
    sentence = str(error.value)
    assert repr(background) in sentence or "..." in sentence
    assert len(sentence) < 300


def test_a_file_that_is_no_picture_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no picture file at .*nowhere.png for the background"):
        load_background(tmp_path / "nowhere.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.png"):
        load_background(tmp_path / "text.png")
