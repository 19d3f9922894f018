"""Argument types: values, and one sentence for each bad one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from musedance_core.cli import argtypes
from musedance_core.cli.targets import require_background_fits
from musedance_core.errors import InputError
from musedance_core.media.output import SUFFIXES, TRANSPARENT_SUFFIXES


def test_sizes_and_rates() -> None:
    assert argtypes.frame_size("512") == 512 and argtypes.frame_rate("29.97") == 29.97
    assert argtypes.width_height("512x768") == argtypes.width_height(" 512X768 ") == (512, 768)


def test_a_background_is_transparent_a_colour_or_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "red"
    picture.write_bytes(b"")
    assert argtypes.background(str(picture)) == picture
    for text, value in (
        ("transparent", "transparent"),
        ("Transparent", "transparent"),
        ("white", (255, 255, 255)),
        ("DarkSlateGray", (47, 79, 79)),
        ("red", (255, 0, 0)),
        ("#ffd400", (255, 212, 0)),
        ("#FD4", (255, 221, 68)),
    ):
        assert argtypes.background(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (argtypes.frame_size, "63", "'63' is not a whole number within 64..2048"),
        (argtypes.frame_size, "4096", "within 64..2048"),
        (argtypes.frame_size, "512.5", "not a whole number"),
        (argtypes.frame_rate, "0", "0 is not within 1..60"),
        (argtypes.frame_rate, "nan", "'nan' is not a finite number"),
        (argtypes.width_height, "512", "'512' is no width and height such as 512x768"),
        (argtypes.width_height, "512x", "no width and height"),
        (argtypes.width_height, "100000x512", "100000"),
        (argtypes.width_height, "-512x512", "no width and height"),
        (argtypes.width_height, "512x9999", "'9999' is not a whole number within 64..2048"),
        (argtypes.background, "blu", "'blu' is neither a picture file, nor a colour"),
        (argtypes.background, "#12345", "'#12345' is neither"),
        (argtypes.background, "", "'' is neither"),
        (argtypes.background, "rgb(0,0,0)", "is neither"),
        (argtypes.background, "none.png", "'none.png' is neither"),
        (argtypes.background, "long/" * 1000, "...ng/long/long/"),
        (argtypes.background, "a\0b", "'a\\x00b' is neither"),
    ],
)
def test_a_bad_value_is_one_sentence(parse: Callable[[str], object], text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as error:
        parse(text)
    assert words in str(error.value) and str(error.value).endswith(".")


def test_a_transparent_background_needs_a_format_that_has_one(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        require_background_fits((1, 2, 3), f"dance{suffix}")
        require_background_fits(None, f"dance{suffix}")
        if suffix in TRANSPARENT_SUFFIXES:
            require_background_fits("transparent", f"dance{suffix.upper()}")
        else:
            words = rf"is for \.webm, .* and folders, not for dance\{suffix}"
            with pytest.raises(InputError, match=words):
                require_background_fits("transparent", f"dance{suffix}")
    require_background_fits("transparent", str(tmp_path))
    require_background_fits("transparent", "frames/")
