"""Argument types of the command line; each refuses a bad value in one sentence."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

from ..errors import brief
from ..files import is_file
from ..media.colours import TRANSPARENT, named_colour
from ..media.frame_limits import HIGHEST_RATE, LARGEST_SIDE, LOWEST_RATE, SMALLEST_SIDE
from ..ranges import GUIDANCE, SEEDS, STEPS


def finite(text: str) -> float:
    """Any finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number.")
    return value


def above_zero(text: str) -> float:
    """A finite number above zero."""
    value = finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above zero.")
    return value


def not_negative(text: str) -> float:
    """A finite number, zero or more."""
    value = finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative.")
    return value


def tempo(text: str) -> float:
    """A tempo within 20..400 beats per minute."""
    value = finite(text)
    if not 20 <= value <= 400:
        raise argparse.ArgumentTypeError(f"{text} is not a tempo within 20..400 beats per minute.")
    return value


def within(low: float, high: float) -> Callable[[str], float]:
    """The type of a number within `low`..`high`."""

    def parse(text: str) -> float:
        value = finite(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not within {low:g}..{high:g}.")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of a whole number within `low`..`high`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number within {low}..{high}."
            )
        return value

    return parse


guidance = within(*GUIDANCE)
guidance_weight = within(-100, 100)
"""Guidance of one condition, added to the one of all."""
steps = whole(*STEPS)
"""A number of denoising steps."""
count = whole(1, 10**6)
"""A number of clips, pictures or training steps."""
track = whole(1, 1000)
"""The number of a sound track."""
seed = whole(*SEEDS)
frame_size = whole(SMALLEST_SIDE, LARGEST_SIDE)
"""The longer side of a video in pixels."""
frame_rate = within(LOWEST_RATE, HIGHEST_RATE)
"""Frames a second."""


BEAT_THIS = "beat-this"
"""Name of the tracker Beat This!, whose checkpoint the user brings."""


def tracker(text: str) -> str:
    """The name of a beat tracker."""
    from ..audio.tracker import TRACKERS

    names = (*TRACKERS, BEAT_THIS)
    if text not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}.")
    return text


def width_height(text: str) -> tuple[int, int]:
    """Width and height of a video in pixels, such as 512x768."""
    match = re.fullmatch(r"(\d+)[xX](\d+)", text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no width and height such as 512x768.")
    return frame_size(match[1]), frame_size(match[2])


def background(text: str) -> str | tuple[int, int, int] | Path:
    """ "transparent", a colour as red, green and blue in 0..255, or the path of a picture.

    A colour is one of CSS, or has three or six hexadecimal digits after `#`. A file whose name is a
    colour needs its folder before it, such as ./red.
    """
    if text.strip().lower() == TRANSPARENT:
        return TRANSPARENT
    colour = named_colour(text)
    if colour is not None:
        return colour
    if not is_file(Path(text)):
        raise argparse.ArgumentTypeError(
            f"{brief(text)} is neither a picture file, nor a colour such as white or #ffd400, nor "
            f"{TRANSPARENT}."
        )
    return Path(text)
