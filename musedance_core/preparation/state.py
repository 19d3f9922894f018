"""What is known of a source that is finished, so that a run that was stopped goes on from there.

In `DATASET/.prepare/SOURCE/` are the source's clips as the lines of a `metadata.jsonl`, what its
clips and its music are compared by (`arrays.npz`), and its rejections (`state.json`). The last is
written last: where it is, the source is finished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset.format import ClipRecord, read_metadata, write_metadata
from ..dataset.reading import read_arrays
from ..errors import InputError
from ..files import atomic_path
from .log import Rejection
from .options import ClipOptions
from .parts import maps_folder
from .sources import SourceVideo

FOLDER = ".prepare"
STATE, ARRAYS = "state.json", "arrays.npz"
TRACK = "track"
CUTTING = 1
"""Raised when the same video and options give other clips than before."""


@dataclass(frozen=True)
class SourceState:
    """A finished source: its clips, not yet captioned and split, and what was left out.

    `arrays` holds the signature of each clip by its key, and the track's fingerprint as "track".
    """

    clips: tuple[ClipRecord, ...]
    rejected: tuple[Rejection, ...]
    arrays: Mapping[str, np.ndarray]


def stamp(source: SourceVideo, options: ClipOptions) -> dict[str, Any]:
    """What a state is valid for: these files as they are now, these options, this cutting."""
    told = {**asdict(options), "cutting": CUTTING, "path": str(source.path.resolve())}
    for name, path in (("video", source.path), ("model", Path(options.densepose))):
        if path.is_file():
            told[name] = _status(path)
    if options.maps:
        maps = sorted((p.name, *_status(p)) for p in maps_folder(source, options).glob("*.png"))
        told["pictures"] = hashlib.sha256(json.dumps(maps).encode()).hexdigest()
    return told


def _status(path: Path) -> list[int]:
    """What changes when a file does: its size and its time of change."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def save_source_state(
    dataset: Path, source: SourceVideo, options: ClipOptions, state: SourceState
) -> None:
    """Write the state of a source, each file atomically."""
    folder = dataset / FOLDER / source.key
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = dict(state.arrays)
    with atomic_path(folder / ARRAYS) as temporary:
        np.savez(temporary, **arrays)
    write_metadata(folder, state.clips)
    told = {
        "stamp": stamp(source, options),
        "rejected": [asdict(rejection) for rejection in state.rejected],
    }
    with atomic_path(folder / STATE) as temporary:
        temporary.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def load_source_state(
    dataset: Path, source: SourceVideo, options: ClipOptions
) -> SourceState | None:
    """The state of a source if it is finished with this `stamp` and not damaged, else None."""
    folder = dataset / FOLDER / source.key
    told = _told(folder / STATE)
    if told is None or told["stamp"] != stamp(source, options):
        return None
    try:
        clips = tuple(read_metadata(folder))
        names = [clip.key for clip in clips] + [TRACK] * bool(clips)
        arrays = read_arrays(folder / ARRAYS, names)
        rejected = tuple(Rejection(**rejection) for rejection in told["rejected"])
    except (InputError, TypeError):
        return None
    return SourceState(clips, rejected, arrays)


def _told(path: Path) -> dict[str, Any] | None:
    """What a `state.json` holds; None where it is missing or damaged."""
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    whole = isinstance(told, dict) and isinstance(told.get("stamp"), dict) and "rejected" in told
    return told if whole else None


def forget_state(dataset: Path, source: SourceVideo) -> None:
    """The source is to be done again: its state goes, and every file that was made of it."""
    (dataset / FOLDER / source.key / STATE).unlink(missing_ok=True)
    for path in _made(dataset, source.key):
        path.unlink()


def changed_options(dataset: Path, options: ClipOptions) -> list[str]:
    """The options by which finished sources were cut otherwise, as "size 512 -> 640"."""
    changes = set()
    for path in (dataset / FOLDER).glob(f"*/{STATE}"):
        told = _told(path)
        before = {} if told is None else told["stamp"]
        for name in before.keys() & asdict(options).keys():
            if before[name] != asdict(options)[name]:
                changes.add(f"{name} {before[name]} -> {asdict(options)[name]}")
    return sorted(changes)


def sweep(dataset: Path, kept: Iterable[ClipRecord]) -> None:
    """Remove the files that runs have made and that no `kept` clip uses."""
    used = {dataset / name for clip in kept for name in files(clip)}
    for state in (dataset / FOLDER).iterdir():
        for path in _made(dataset, state.name):
            if path not in used:
                path.unlink()


def files(clip: ClipRecord) -> list[str]:
    """The files of a clip, relative to the data set."""
    names = (clip.file_name, clip.audio, clip.track, clip.part_maps)
    return [name for name in names if name]


def _made(dataset: Path, key: str) -> list[Path]:
    """All files made of the source with this key, and what a killed run left half written."""
    folders = [dataset / name for name in ("clips", "maps", "tracks")]
    made = [path for f in folders for p in ("", ".") for path in f.glob(f"{p}{key}-*")]
    return [*made, *(dataset / "tracks").glob(f"{key}.wav")]
