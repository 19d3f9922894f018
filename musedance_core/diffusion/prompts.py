"""Prompt timelines: sentences along a song."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from ..errors import InputError, brief

Item = TypeVar("Item")

Prompts = str | Sequence[tuple[float, str]]
"""A sentence, a prompt timeline as `parse_prompts` reads it, or pairs of a time in seconds of the
song (rising) and the sentence that applies from then on. An empty sentence leaves the move to the
song."""

LATEST = 1e6
"""Seconds, eleven days: no song has later times."""

# A number with a colon (0:08, 1:02.5, 1:00:00) or in square brackets is a time wherever it stands.
_TIME = re.compile(r"[\[(]?(?<![\d:.])\d+(?::\d+){1,2}(?:\.\d+)?(?![\d:])|\[\d+(?:\.\d+)?\]")
# Signs of Chinese and Japanese keyboards.
_WIDE = {ord(sign) + 0xFEE0: sign for sign in ":;/|[](),"}
# A slash between words (and/or) or numbers (1/2) is text; before a number it ends a sentence.
_SEPARATOR = re.compile(r"\n|\||\s/\s|/\s*$|(?<!\d)/(?=\s*[\[(]?\d)|;(?=\s*[\[(]?\d)")
_ENTRY = re.compile(
    r"(?P<bracket>[\[(])?(?P<time>\d+(?::\d+){0,2}(?:\.\d+)?)(?(bracket)[\])])"
    r"(?:(?:\s*[-\u2013:,]\s+|\s+|(?<=[\])]))(?P<sentence>\S.*))?",
    re.DOTALL,
)


def parse_prompts(text: str) -> list[tuple[float, str]]:
    """Reads `0:00 sway / 0:08 big hops` as rising seconds of the song, each with a sentence.

    Entries are separated by slashes, semicolons, bars or line breaks, or by nothing but the time of
    the next one: `[0:00] sway [0:08] big hops`. A time is minutes:seconds, or seconds. A text
    without times is one sentence for the whole song; so is a single entry that begins with a number
    which may belong to the sentence, such as `2 big hops`. An empty text is an empty sentence, and
    so is a time that stands alone between separators: `0:00 big hops / 0:08 / 0:16 sway`.

    Raises:
        InputError: separators alone, an entry without a time, a time without a sentence that is not
            separated from the entries beside it, times that do not rise, or one beyond `LATEST`.
    """
    if not text.strip():
        return [(0.0, "")]
    entries = _split(text)
    if not entries:
        raise InputError("The prompt timeline is empty: write a sentence, or 0:00 and a sentence.")
    matches = [(entry, _ENTRY.fullmatch(entry)) for entry in entries]
    if len(matches) == 1:
        entry, match = matches[0]
        if match is None or _is_only_a_number(match):
            return [(0.0, entry)]
    written = _cleaned(_SEPARATOR.split(text.translate(_WIDE)))
    timed: list[tuple[float, str]] = []
    for entry, match in matches:
        if match is None:
            raise InputError(
                f"The entry {entry!r} of the prompt timeline must begin with a time, such as "
                f"0:08 big hops."
            )
        if match["sentence"] is None and (len(matches) == 1 or entry not in written):
            raise InputError(f"The prompt timeline has no sentence at {match['time']}.")
        seconds = _seconds(match["time"])
        if seconds > LATEST:
            raise InputError(
                f"The prompt timeline has a time of {seconds:g} s, outside of any song."
            )
        if timed and seconds <= timed[-1][0]:
            raise InputError(
                f"The times of the prompt timeline must rise, but {seconds:g} s comes after "
                f"{timed[-1][0]:g} s."
            )
        timed.append((seconds, (match["sentence"] or "").strip()))
    return timed


def as_prompts(text: Prompts) -> Sequence[tuple[float, str]]:
    """Prompts in any form as pairs of a time and a sentence.

    Raises:
        InputError: as `parse_prompts`, or these are no pairs of rising times and sentences.
    """
    if isinstance(text, str):
        return parse_prompts(text)
    try:
        pairs = [(float(seconds), sentence) for seconds, sentence in text]
    except (TypeError, ValueError):
        pairs = []
    times = [seconds for seconds, _ in pairs]
    rising = all(before < after for before, after in pairwise([-1.0, *times, LATEST]))
    if not pairs or not rising or not all(isinstance(sentence, str) for _, sentence in pairs):
        raise InputError(
            f"Sentences along a song are a text, or pairs of rising times in seconds and a "
            f"sentence, not {brief(text)}."
        )
    return pairs


def _split(text: str) -> list[str]:
    """The entries of a timeline; every time with a colon begins one."""
    separated = _TIME.sub(lambda match: f"\n{match[0]}", text.translate(_WIDE))
    return _cleaned(_SEPARATOR.split(separated))


def _cleaned(entries: Sequence[str]) -> list[str]:
    """The entries without the signs around them, except for empty ones."""
    cleaned = (entry.strip(" \t\r/;|,>-\u2013\u2192") for entry in entries)
    return [entry for entry in cleaned if entry]


def _is_only_a_number(match: re.Match[str]) -> bool:
    """Returns True if the entry begins with a positive number that is not marked as a time."""
    marked = match["bracket"] is not None or ":" in match["time"]
    return not marked and match["sentence"] is not None and float(match["time"]) > 0


def _seconds(time: str) -> float:
    """Seconds of `1:02:03.5`, `2:03` or `3.5`."""
    seconds = 0.0
    for part in time.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def at_time(entries: Sequence[tuple[float, Item]], seconds: float) -> Item:
    """The last entry that has begun at `seconds`, or the first one before that."""
    begun = [item for time, item in entries if time <= seconds + 1e-6]
    return begun[-1] if begun else entries[0][1]


def require_prompts_in_song(
    prompts: Sequence[tuple[float, str]], seconds: float, name: str
) -> None:
    """Checks that every sentence begins within the song.

    Raises:
        InputError: a sentence begins after the `seconds` of the song called `name`.
    """
    for begin, sentence in prompts:
        if begin >= seconds:
            raise InputError(
                f"{name} is {seconds:.2f} s long, so the sentence {sentence!r} at {begin:g} s is "
                f"past its end."
            )
