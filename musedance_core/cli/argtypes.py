"""What words of the command line may say; each complains in one sentence."""

from __future__ import annotations

import argparse
import math


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


def _whole(text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number within {low}..{high}.")
    return value


def steps(text: str) -> int:
    """A number of denoising steps within 1..1000."""
    return _whole(text, 1, 1000)


def clips(text: str) -> int:
    """A number of clips within 1..1,000,000."""
    return _whole(text, 1, 10**6)


def seed(text: str) -> int:
    """A seed within 0..2**32 - 1."""
    return _whole(text, 0, 2**32 - 1)


def sentence(text: str) -> str:
    """A sentence that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the sentence is empty.")
    return text
