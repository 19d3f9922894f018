"""What is known of a source that is finished, so that a run that was stopped goes on from there.

In `DATASET/.prepare/SOURCE/` are the source's clips as the lines of a `metadata.jsonl`, what its
clips and its music are compared by (`arrays.npz`), and its rejections (`state.json`). The last is
written last: where it is, the source is finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset.format import ClipRecord, read_metadata, write_metadata
from ..files import atomic_path
from .log import Rejection
from .options import Options
from .sources import Source

FOLDER = ".prepare"
STATE, ARRAYS = "state.json", "arrays.npz"
TRACK = "track"


@dataclass(frozen=True)
class SourceState:
    """A finished source: its clips, not yet captioned and split, and what was left out.

    `arrays` holds the signature of each clip by its key, and the track's fingerprint as "track".
    """

    clips: tuple[ClipRecord, ...]
    rejected: tuple[Rejection, ...]
    arrays: Mapping[str, np.ndarray]


def stamp(source: Source, options: Options) -> dict[str, Any]:
    """What a state is valid for: this file as it is now, and these options."""
    told = {**asdict(options), "path": str(source.path.resolve())}
    for name, path in (("video", source.path), ("model", Path(options.densepose))):
        if path.is_file():
            status = path.stat()
            told[name] = [status.st_size, status.st_mtime_ns]
    return told


def save_state(dataset: Path, source: Source, options: Options, state: SourceState) -> None:
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


def load_state(dataset: Path, source: Source, options: Options) -> SourceState | None:
    """The state of a source if it is finished with this file and these options, else None."""
    folder = dataset / FOLDER / source.key
    if not (folder / STATE).is_file():
        return None
    told = json.loads((folder / STATE).read_text(encoding="utf-8"))
    if told["stamp"] != stamp(source, options):
        return None
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    rejected = tuple(Rejection(**rejection) for rejection in told["rejected"])
    return SourceState(tuple(read_metadata(folder)), rejected, arrays)


def forget_state(dataset: Path, source: Source) -> None:
    """The source is to be done again: its state goes, and every file that was made of it."""
    (dataset / FOLDER / source.key / STATE).unlink(missing_ok=True)
    for path in _made(dataset, source.key):
        path.unlink()


def changed_options(dataset: Path, options: Options) -> list[str]:
    """The options by which finished sources were cut otherwise, as "size 512 -> 640"."""
    changes = set()
    for path in (dataset / FOLDER).glob(f"*/{STATE}"):
        before = json.loads(path.read_text(encoding="utf-8"))["stamp"]
        for name, value in asdict(options).items():
            if before.get(name) != value:
                changes.add(f"{name} {before.get(name)} -> {value}")
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
