"""Sentences along a song: what is danced from when on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from ..errors import InputError

_ENTRY = re.compile(r"(?:(\d+):)?(\d+(?:\.\d+)?)\s+(\S.*)", re.DOTALL)
Item = TypeVar("Item")


def parse_prompts(text: str) -> list[tuple[float, str]]:
    """`0:00 sway / 0:08 big hops` as seconds of the song and sentences, rising.

    Entries are parted by slashes or line breaks. A time is minutes:seconds or seconds. A text
    without any time is one sentence, for the whole song; so is a single entry with a number that
    may belong to the sentence, such as `2 big hops`.

    Raises:
        InputError: no sentence, an entry without a time, or times that do not rise.
    """
    entries = [entry.strip() for entry in re.split(r"\s*(?:\n|\s/\s|/$)\s*", text)]
    entries = [entry for entry in entries if entry]
    if not entries:
        raise InputError("The prompt timeline is empty: write a sentence, or 0:00 and a sentence.")
    found = [(entry, _ENTRY.fullmatch(entry)) for entry in entries]
    if len(found) == 1:
        match = found[0][1]
        if match is None or (match[1] is None and float(match[2]) > 0):
            return [(0.0, entries[0])]
    timed: list[tuple[float, str]] = []
    for entry, match in found:
        if match is None:
            raise InputError(f"The entry {entry!r} of the prompt timeline must begin with a time.")
        seconds = 60 * int(match[1] or 0) + float(match[2])
        if timed and seconds <= timed[-1][0]:
            raise InputError(
                f"The times of the prompt timeline must rise, but {seconds:g} s comes after "
                f"{timed[-1][0]:g} s."
            )
        timed.append((seconds, match[3].strip()))
    return timed


def at_time(entries: Sequence[tuple[float, Item]], seconds: float) -> Item:
    """What holds at `seconds`: the last entry that has begun, or the first before that."""
    begun = [item for time, item in entries if time <= seconds + 1e-6]
    return begun[-1] if begun else entries[0][1]
