"""State of the source videos that are cut, so that an interrupted run resumes where it stopped.

`DATASET/.prepare/SOURCE/` holds the source's clips as the lines of a `metadata.jsonl`, their
signatures and the fingerprint of their music (`arrays.npz`), and the rejections (`state.json`).
`state.json` is removed first and written last: a source that has one is finished.
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
from ..files import atomic_path, remove_leftovers
from .options import ClipOptions
from .part_maps import part_map_folder
from .rejections import Rejection
from .sources import SourceVideo

FOLDER = ".prepare"
MEDIA = ("clips", "tracks", "maps")
"""Folders of a data set that hold files cut from source videos."""
STATE, ARRAYS = "state.json", "arrays.npz"
TRACK = "track"
"""Name of the fingerprint among a state's arrays."""
CUTTING_VERSION = 1
"""Raised when the same video and options give other clips than before."""
RETRIED = ("crash", "memory")
"""Kinds of rejection that say more about the machine than about the video."""


@dataclass(frozen=True)
class SourceState:
    """A source that is cut.

    Attributes:
        clips: its clips, without captions and not yet split.
        rejected: the parts of it that gave no clip.
        arrays: the signature of each clip by its key, and the track's fingerprint as "track".
    """

    clips: tuple[ClipRecord, ...]
    rejected: tuple[Rejection, ...]
    arrays: Mapping[str, np.ndarray]

    @property
    def is_final(self) -> bool:
        """True if cutting the source again would give the same result."""
        return not any(rejection.kind in RETRIED for rejection in self.rejected)


def source_stamp(source: SourceVideo, options: ClipOptions) -> dict[str, Any]:
    """Everything that a state depends on: the options, and size and time of change of the files."""
    stamp = {**asdict(options), "cutting": CUTTING_VERSION, "path": str(source.path.resolve())}
    for name, path in (("video", source.path), ("model", Path(options.densepose))):
        if path.is_file():
            stamp[name] = _size_and_time(path)
    if options.maps:
        folder = part_map_folder(source, options)
        maps = sorted((path.name, *_size_and_time(path)) for path in folder.glob("*.png"))
        stamp["pictures"] = hashlib.sha256(json.dumps(maps).encode()).hexdigest()
    return stamp


def _size_and_time(path: Path) -> list[int]:
    """Bytes of a file, and nanoseconds of its last change."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def save_source_state(
    dataset: Path, source: SourceVideo, stamp: Mapping[str, Any], state: SourceState
) -> None:
    """Write the state of a source, each file atomically.

    Args:
        stamp: the `source_stamp` of before the video was read, so that a change while it is read
            makes the state invalid.
    """
    folder = dataset / FOLDER / source.key
    folder.mkdir(parents=True, exist_ok=True)
    # state.json is last: it marks the source as finished.
    arrays: dict[str, Any] = dict(state.arrays)
    with atomic_path(folder / ARRAYS) as temporary:
        np.savez(temporary, **arrays)
    write_metadata(folder, state.clips)
    content = {"stamp": stamp, "rejected": [asdict(rejection) for rejection in state.rejected]}
    with atomic_path(folder / STATE) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def load_source_state(
    dataset: Path, source: SourceVideo, options: ClipOptions
) -> SourceState | None:
    """The state of a source; None if it is not cut, damaged, or of another `source_stamp`."""
    folder = dataset / FOLDER / source.key
    content = _read_state_file(folder / STATE)
    if content is None or content["stamp"] != source_stamp(source, options):
        return None
    # A damaged state is none: the source is cut again.
    try:
        clips = tuple(read_metadata(folder))
        names = [clip.key for clip in clips] + [TRACK] * bool(clips)
        arrays = read_arrays(folder / ARRAYS, names)
        rejected = tuple(Rejection(**rejection) for rejection in content["rejected"])
    except (InputError, TypeError):
        return None
    return SourceState(clips, rejected, arrays)


def _read_state_file(path: Path) -> dict[str, Any] | None:
    """The content of a `state.json`; None if it is missing or damaged."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("stamp"), dict):
        return None
    return content if "rejected" in content else None


def discard_source(dataset: Path, source: SourceVideo) -> None:
    """Remove the source's state, its clips and its track, before it is cut again."""
    folder = dataset / FOLDER / source.key
    # The folder marks the files of this key as ours, even if the cut is killed and the video gone.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STATE).unlink(missing_ok=True)
    for path in _output_files(dataset, source.key):
        path.unlink()


def changed_options(dataset: Path, options: ClipOptions) -> list[str]:
    """The options that differ from those of finished sources, as "size 512 -> 640"."""
    changes = set()
    for path in (dataset / FOLDER).glob(f"*/{STATE}"):
        content = _read_state_file(path)
        before = {} if content is None else content["stamp"]
        for name in before.keys() & asdict(options).keys():
            if before[name] != asdict(options)[name]:
                changes.add(f"{name} {before[name]} -> {asdict(options)[name]}")
    return sorted(changes)


def remove_unused_files(dataset: Path, clips: Iterable[ClipRecord]) -> None:
    """Remove the clips and tracks of earlier runs that no clip of `clips` uses.

    Only files that belong to a state are removed, so a file of the user's in these folders stays.
    """
    used = {dataset / name for clip in clips for name in clip_files(clip)}
    for state in (dataset / FOLDER).iterdir():
        for path in _output_files(dataset, state.name):
            if path not in used:
                path.unlink()


def remove_partial_files(dataset: Path) -> None:
    """Remove the half-written files that killed processes left anywhere in the data set."""
    for folder in (dataset, *(dataset / name for name in MEDIA), *(dataset / FOLDER).iterdir()):
        if folder.is_dir():
            remove_leftovers(folder)


def clip_files(clip: ClipRecord) -> list[str]:
    """The files of a clip, relative to the data set."""
    names = (clip.file_name, clip.audio, clip.track, clip.part_maps)
    return [name for name in names if name]


def _output_files(dataset: Path, key: str) -> list[Path]:
    """All files of the clips and the track of the source with this key."""
    clips = [path for name in MEDIA for path in (dataset / name).glob(f"{key}-*")]
    return [*clips, *(dataset / "tracks").glob(f"{key}.wav")]
