"""Files of beats: JSON, Audacity labels, `.beats` annotations and CSV, chosen by their suffix.

- `.json`: `BeatGrid.to_json`, or a bare list of seconds.
- `.txt`: labels of Audacity, start TAB end TAB label, where the label is the beat's number in its
  bar.
- `.beats`: time TAB number in the bar, as data sets of beat tracking and Beat This! have it.
- `.csv`: columns time, beat and confidence, where beat is the number in the bar.

All but JSON may have empty lines, lines that begin with `#`, decimal commas, and the line ends of
any system.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, brief
from ..files import atomic_path, is_file
from .beats import BEATS_PER_BAR, SAME_TIME, BeatGrid

LATEST = 1e6
"""Seconds, eleven days: a beat file with later times is in another unit."""
LONGEST_BAR = 999
"""A higher number of a beat in its bar is no such number."""
COLUMNS = ("time", "beat", "confidence")
"""Columns of a CSV file; others are ignored."""
NOT_BEATS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""Errors of reading JSON that has another structure."""
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

Beats = BeatGrid | Sequence[float] | str | Path
"""Beats, their times in seconds of the song, or a file of `SUFFIXES`."""


def as_beats(beats: Beats) -> BeatGrid:
    """Beats in any of these forms as a grid.

    Raises:
        InputError: as `read_beats`.
    """
    if isinstance(beats, BeatGrid):
        return beats
    if isinstance(beats, str | Path):
        return read_beats(beats)
    return parse_beats(str([float(time) for time in beats]), "beats")


def write_beats(path: str | Path, grid: BeatGrid) -> None:
    """Write the grid in the format of the suffix, atomically.

    Only JSON and CSV hold the confidence of the beats, and only JSON the tempo.

    Raises:
        InputError: another suffix.
    """
    text = FORMATS[_suffix(path)].write(grid)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_beats(path: str | Path) -> BeatGrid:
    """Read a grid that `write_beats`, another program or a person wrote.

    Beats from a file are never `assumed`. Without any bars in it, every fourth beat is a downbeat.

    Raises:
        InputError: no such file, another suffix or format, or times that are not finite, not rising
            or fewer than two.
    """
    path = Path(path)
    if not is_file(path):
        raise InputError(f"There is no beats file at {path}.")
    parse = FORMATS[_suffix(path)].parse
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8.") from error
    return parse(text, str(path))


def parse_beats(text: str, name: str, meter: int = BEATS_PER_BAR) -> BeatGrid:
    """Parse JSON in the format of `BeatGrid.to_json`, or a bare list of seconds.

    Args:
        text: the JSON.
        name: what error messages call it.
        meter: beats a bar where the text holds no "downbeats".

    Raises:
        InputError: as `read_beats`.
    """
    try:
        data = json.loads(text)
        data = {"beats": data} if isinstance(data, list) else data
        _require_numbers(data["beats"], name)
        times = np.array(data["beats"], dtype=np.float64)
        downbeats = np.array(data.get("downbeats", times[::meter]), dtype=np.float64)
        tempo = float(data.get("tempo") or 0)
        shares = data.get("confidence")
        confidence = None if shares is None else np.array(shares, dtype=np.float64)
    except InputError:
        raise
    except NOT_BEATS as error:
        raise InputError(f'{name} is not JSON with a list "beats" of seconds.') from error
    _require_two(times, name)
    if downbeats.ndim != 1:
        raise InputError(f'{name}: "downbeats" must be a list of seconds.')
    if not (np.isfinite(times).all() and np.isfinite(downbeats).all() and np.isfinite(tempo)):
        raise InputError(f"{name} holds a beat time or tempo that is not a finite number.")
    _require_rising(times, lambda index: name)
    if tempo < 0:
        raise InputError(f"{name}: the tempo must be positive, got {tempo:g}.")
    if confidence is not None:
        if confidence.shape != times.shape:
            raise InputError(
                f'{name}: "confidence" must be a list with one number for each of the '
                f"{len(times)} beats."
            )
        for share in confidence[~((confidence >= 0) & (confidence <= 1))]:
            raise InputError(f"{name}: a confidence must be within 0..1, not {share:g}.")
    return BeatGrid(times, downbeats, tempo or usual_tempo(times), confidence=confidence)


def _require_numbers(values: Any, name: str) -> None:
    """Raises InputError where a list of beat times holds a text, null, true or false; other
    structures are left to the caller."""
    for value in values if isinstance(values, list) else []:
        if value is None or isinstance(value, str | bool):
            raise InputError(f"{name}: a beat is a number of seconds, not {json.dumps(value)}.")


def usual_tempo(times: np.ndarray) -> float:
    """Beats a minute of the median interval between `times`."""
    return 60 / float(np.median(np.diff(times)))


@dataclass(frozen=True)
class Row:
    """One beat of a file: its line from 1, its time in seconds, its number in the bar from 1, and
    the confidence in it; None stands for an empty field."""

    line: int
    time: float
    number: int | None = None
    confidence: float | None = None


def parse_labels(text: str, name: str) -> BeatGrid:
    """Parse labels of Audacity; a region counts from its start. Arguments as for `parse_beats`."""
    return _grid(list(_label_rows(text, name)), name)


def parse_annotations(text: str, name: str) -> BeatGrid:
    """Parse lines of a time and the beat's number in its bar, which may be missing."""
    return _grid(list(_annotation_rows(text, name)), name)


def parse_table(text: str, name: str) -> BeatGrid:
    """Parse CSV, separated by commas, semicolons or tabs; without a header its columns are those of
    `COLUMNS`, in this order."""
    return _grid(list(_table_rows(text, name)), name)


def _grid(rows: list[Row], name: str) -> BeatGrid:
    """The beats of a file's rows.

    Raises:
        InputError: fewer than two, or times that do not rise.
    """
    times = np.array([row.time for row in rows], dtype=np.float64)
    _require_two(times, name)
    _require_rising(times, lambda index: f"{name}, line {rows[index].line}")

    # A file without any bar numbers says nothing of bars.
    first = np.array([row.number == 1 for row in rows])
    numbered = any(row.number is not None for row in rows)
    downbeats = times[first] if numbered else times[::BEATS_PER_BAR]

    # Beats that a person has added between tracked ones are certain.
    shares = [row.confidence for row in rows]
    confidence = None
    if any(share is not None for share in shares):
        confidence = np.array([1.0 if share is None else share for share in shares])
    return BeatGrid(times, downbeats, usual_tempo(times), confidence=confidence)


def _label_rows(text: str, name: str) -> Iterator[Row]:
    for line, content in _lines(text):
        if content.startswith("\\"):  # the frequencies of the label before it
            continue
        cells = content.split("\t", 2) if "\t" in content else content.split(maxsplit=2)
        where = f"{name}, line {line}"
        start = _seconds(cells[0], where)
        end = _seconds(cells[1], where) if len(cells) > 1 else start
        if end < start:
            raise InputError(
                f"{where}: a label cannot end at {end:g} s and begin at {start:g} s; times with "
                f"their number in the bar are read from .beats files."
            )
        label = cells[2].strip() if len(cells) > 2 else ""
        yield Row(line, start, _bar_number(label, where) if NUMBER.fullmatch(label) else None)


def _annotation_rows(text: str, name: str) -> Iterator[Row]:
    for line, content in _lines(text):
        where, cells = f"{name}, line {line}", content.split()
        if len(cells) > 2:
            raise InputError(
                f"{where} must hold a time and a number in the bar, not {brief(content.strip())}."
            )
        yield Row(line, _seconds(cells[0], where), _bar_number(" ".join(cells[1:]), where))


def _table_rows(text: str, name: str) -> Iterator[Row]:
    columns: Sequence[str] | None = None
    separator = ""
    for line, content in _lines(text):
        where = f"{name}, line {line}"
        # The first line tells the separator, and whether there is a header.
        separator = separator or next((mark for mark in ";\t" if mark in content), ",")
        cells = _cells(content, separator, where)
        if columns is None:
            columns = COLUMNS
            if not NUMBER.fullmatch(_decimal(cells[0])):
                columns = [cell.lower() for cell in cells]
                if "time" not in columns:
                    raise InputError(f'{where}: the header has no column "time".')
                continue
        if len(cells) > len(columns):
            raise InputError(
                f"{where} has {len(cells)} values, but there are {len(columns)} columns."
            )
        row = dict(zip(columns, cells, strict=False))
        share = row.get("confidence", "")
        yield Row(
            line,
            _seconds(row.get("time", ""), where),
            _bar_number(row.get("beat", ""), where),
            _confidence(share, where) if share else None,
        )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers from 1."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, content in enumerate(lines, start=1):
        if content.strip() and not content.lstrip().startswith("#"):
            yield number, content


def _cells(content: str, separator: str, where: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([content], delimiter=separator))]
    except csv.Error as error:  # a NUL, or a field of 128 kB
        raise InputError(f"{where} is no line of a CSV file.") from error


def _decimal(text: str) -> str:
    """A number with its decimal point, from one that may have a decimal comma."""
    return text.strip().replace(",", ".")


def _number(text: str, where: str, kind: str) -> float:
    number = _decimal(text)
    value = float(number) if NUMBER.fullmatch(number) else np.nan
    if not np.isfinite(value):
        raise InputError(f"{where}: {brief(text.strip())} is not {kind}.")
    return value


def _seconds(text: str, where: str) -> float:
    return _number(text, where, "a finite number of seconds")


def _bar_number(text: str, where: str) -> int | None:
    """A beat's number in its bar, 0 where the file does not know it; None for an empty field."""
    if not text.strip():
        return None
    kind = f"a beat's number in its bar, a whole number within 0..{LONGEST_BAR}"
    value = _number(text, where, kind)
    if not (0 <= value <= LONGEST_BAR and value.is_integer()):
        raise InputError(f"{where}: {brief(text.strip())} is not {kind}.")
    return int(value) or None


def _confidence(text: str, where: str) -> float:
    value = _number(text, where, "a confidence within 0..1")
    if not 0 <= value <= 1:
        raise InputError(f"{where}: {brief(text)} is not a confidence within 0..1.")
    return value


def _require_two(times: np.ndarray, name: str) -> None:
    if times.ndim != 1 or len(times) < 2:
        raise InputError(f"{name} holds {times.size} beats; two are needed at least.")


def _require_rising(times: np.ndarray, where: Callable[[int], str]) -> None:
    """Raises InputError where `times` do not rise, are closer than files tell apart, or in another
    unit; `where` names the place of the beat with an index."""
    for index in (0, len(times) - 1):
        if abs(times[index]) > LATEST:
            raise InputError(
                f"{where(index)}: a beat at {times[index]:g} s is outside of any song."
            )
    drops = np.flatnonzero(np.diff(times) < SAME_TIME)
    if len(drops):
        i = int(drops[0])
        if times[i + 1] <= times[i]:
            problem = f"beats must rise, but {times[i]} comes before {times[i + 1]}"
        else:
            problem = f"beats at {times[i]:g} and {times[i + 1]:g} s are one and the same"
        raise InputError(f"{where(i + 1)}: {problem}.")


def _as_json(grid: BeatGrid) -> str:
    return json.dumps(grid.to_json(), indent=1) + "\n"


def _as_labels(grid: BeatGrid) -> str:
    beats = zip(grid.times, grid.bar_numbers(), strict=True)
    return "".join(f"{time:.4f}\t{time:.4f}\t{number}\n" for time, number in beats)


def _as_annotations(grid: BeatGrid) -> str:
    beats = zip(grid.times, grid.bar_numbers(), strict=True)
    return "".join(f"{time:.4f}\t{number}\n" for time, number in beats)


def _as_table(grid: BeatGrid) -> str:
    shares = ["" for _ in grid.times]
    if grid.confidence is not None:
        shares = [f"{share:.4f}" for share in grid.confidence]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    times = [f"{time:.4f}" for time in grid.times]
    table.writerows(zip(times, grid.bar_numbers(), shares, strict=True))
    return text.getvalue()


@dataclass(frozen=True)
class Format:
    """A format of beat files: its text of a grid, and the grid of a text, whose file has a name."""

    write: Callable[[BeatGrid], str]
    parse: Callable[[str, str], BeatGrid]


FORMATS = {
    ".json": Format(_as_json, parse_beats),
    ".txt": Format(_as_labels, parse_labels),
    ".beats": Format(_as_annotations, parse_annotations),
    ".csv": Format(_as_table, parse_table),
}
SUFFIXES = tuple(FORMATS)


def _suffix(path: str | Path) -> str:
    """The suffix of a beat file.

    Raises:
        InputError: it is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"A file of beats ends in {', '.join(SUFFIXES)}, unlike {path}.")
    return suffix
