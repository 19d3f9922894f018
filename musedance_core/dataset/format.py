"""Format of a data set on disk: `metadata.jsonl`, one clip a line, and the media it names.

    DATASET/
      metadata.jsonl      one `ClipRecord` a line; `file_name` first, as VideoFolder readers expect
      clips/ID.mp4        the clip's frames, without sound
      clips/ID.wav        the clip's own sound, 16 kHz mono PCM
      tracks/ID.wav       the whole sound of the source video, 16 kHz mono PCM
      maps/ID.npz         part ids of every frame, uint8 `ids [f h w]` in 0..25 (only where known)

A path in a record is relative to the data set's folder. Times are seconds of the track.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import atomic_path

METADATA = "metadata.jsonl"
SPLITS = ("train", "validation", "test")
SOUND_RATE = 16_000
_LISTS = ("beats", "downbeats", "subject")
_FILES = ("file_name", "audio", "track")
_NUMBER = (int, float)
_SURROGATES = re.compile(r"[\ud800-\udfff]")  # half a pair cannot be written to a file
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": _NUMBER,
    "tuple[float, ...]": _NUMBER,
}


@dataclass(frozen=True)
class ClipRecord:
    """One clip.

    Attributes:
        file_name: the video file.
        audio: the file of the clip's own sound.
        track: the file of the source's whole sound; the model gets 10.24 s around the clip.
        start: seconds of the track at which the clip starts.
        frames, fps, width, height: number of frames, rate and size in pixels of the video file.
        text: the motion caption, "" if there is none.
        source: name of the source video that the clip was cut from.
        track_id: id of the music; sources with the same music have the same id.
        split: "train", "validation" or "test".
        tempo: beats per minute.
        beats, downbeats: seconds of the track, over its whole length.
        part_maps: the file of part ids, "" if there is none.
        motion: mean absolute difference of neighbouring frames, 0..1.
        subject: left, top, right, bottom of the crop, as shares of the source's frame.
        content: SHA-256 of the video file and the track, the key of caches.

    Raises:
        TypeError: a field has another type.
        ValueError: a number is not finite or out of range, beats do not rise, or a file lies
            outside the data set.
    """

    file_name: str
    audio: str
    track: str
    start: float
    frames: int
    fps: int
    width: int
    height: int
    text: str
    source: str
    track_id: str
    split: str
    tempo: float
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    part_maps: str
    motion: float
    subject: tuple[float, ...]
    content: str

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_type(field.name, str(field.type), getattr(self, field.name))
        if self.split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}: {self.split!r}")
        for name in ("frames", "fps", "width", "height", "tempo"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive: {getattr(self, name)}")
        if self.start < 0 or len(self.beats) < 2 or len(self.subject) != 4:
            raise ValueError(
                "start must not be negative; beats must be at least two, subject four numbers"
            )
        for name in ("beats", "downbeats"):
            if any(later <= beat for beat, later in pairwise(getattr(self, name))):
                raise ValueError(f"{name} must rise")
        for name in (*_FILES, "part_maps"):
            path = Path(getattr(self, name))
            if path.is_absolute() or ".." in path.parts or (name in _FILES and not path.name):
                raise ValueError(f"{name} must be a file inside the data set: {str(path)!r}")

    @property
    def key(self) -> str:
        """The clip's name: the stem of its file."""
        return Path(self.file_name).stem

    def to_json(self) -> str:
        """One line of `metadata.jsonl`."""
        return json.dumps(asdict(self), ensure_ascii=False)


def _check_type(name: str, kind: str, value: object) -> None:
    """Check a field against its annotation `kind`; numbers must be finite."""
    if kind.startswith("tuple") and not isinstance(value, tuple):
        raise TypeError(f"{name} must be a list of numbers: {value!r}")
    for item in value if isinstance(value, tuple) else (value,):
        if not isinstance(item, _TYPES[kind]) or isinstance(item, bool):
            raise TypeError(f"{name} must be {'text' if kind == 'str' else kind}: {item!r}")
        if isinstance(item, _NUMBER) and not math.isfinite(item):
            raise ValueError(f"{name} must be finite: {item}")
        if isinstance(item, str) and _SURROGATES.search(item):
            raise ValueError(f"{name} must be Unicode text: {item!r}")


def read_metadata(folder: str | Path) -> list[ClipRecord]:
    """All clips of the data set in `folder`, in the order of the file.

    Raises:
        InputError: there is no data set, it cannot be read, a line is not a clip, or two lines name
            the same clip.
    """
    path = Path(folder) / METADATA
    if not path.is_file():
        raise InputError(f"There is no data set in {folder}: it has no {METADATA}.")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    records = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            records.append(_record(line, f"{path}, line {number}"))
    if len({record.file_name for record in records}) != len(records):
        raise InputError(f"{path} names a clip twice.")
    return records


def _record(line: str, where: str) -> ClipRecord:
    """The clip of a line; `where` is the line's place for error messages."""
    try:
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise InputError(f"{where} is not a clip: it must be an object with keys.")
        names = {f.name for f in fields(ClipRecord)}
        odd = sorted(names ^ set(values))
        if odd:
            raise InputError(f"{where}: the keys {', '.join(odd)} are missing or unknown.")
        for name in _LISTS:
            values[name] = tuple(values[name]) if isinstance(values[name], list) else values[name]
        return ClipRecord(**values)
    except InputError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{where} is not a clip: {error}.") from error


def write_metadata(folder: str | Path, records: Sequence[ClipRecord]) -> None:
    """Write `metadata.jsonl`, atomically."""
    with atomic_path(Path(folder) / METADATA) as temporary:
        temporary.write_text("".join(r.to_json() + "\n" for r in records), encoding="utf-8")


def verify_splits(records: Iterable[ClipRecord]) -> None:
    """Check that no source and no music is in two splits, so that no song of a test clip was in
    training.

    Raises:
        InputError: one is in two splits; the sentence names it.
    """
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records:
        members["source", record.source].add(record.split)
        members["track", record.track_id].add(record.split)
    for (kind, name), splits in members.items():
        if len(splits) > 1:
            raise InputError(f"The {kind} {name} is in {' and '.join(sorted(splits))}.")
