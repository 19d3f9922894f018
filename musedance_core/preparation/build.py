"""A folder of videos becomes a data set: cut, compared, captioned, split, written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..dataset.format import METADATA, ClipRecord, read_metadata, verify_splits, write_metadata
from ..errors import InputError
from .cutting import CutJob
from .duplicates import find_duplicates
from .log import Rejection
from .options import ClipOptions
from .report import write_report
from .sources import SourceVideos
from .splits import split_sources, splits_of_tracks
from .state import FOLDER, TRACK, SourceState, files, load_source_state, sweep
from .tracks import group_tracks
from .workers import cut_all

Captions = Callable[[Sequence[ClipRecord]], Iterable[str]]


@dataclass(frozen=True)
class BuildSettings:
    """How clips are cut, by how many processes, and how they are split: the `shares` of train,
    validation and test, and the `seed` by which sources that have no split yet get one."""

    options: ClipOptions
    workers: int = 1
    shares: tuple[float, float, float] = (0.9, 0.05, 0.05)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(f"--workers must be 1 or more, got {self.workers}.")
        if self.seed < 0:
            raise InputError(f"--seed must be 0 or more, got {self.seed}.")
        if not (min(self.shares) >= 0 and abs(sum(self.shares) - 1) <= 1e-6):
            raise InputError(f"--shares must be three shares that sum to 1, got {self.shares}.")


@dataclass(frozen=True)
class Built:
    """The data set's clips, and what was left out of it."""

    clips: tuple[ClipRecord, ...]
    rejected: tuple[Rejection, ...]
    sources: SourceVideos

    def summary(self) -> str:
        """One line."""
        used = len({clip.source for clip in self.clips})
        splits = Counter(clip.split for clip in self.clips)
        kinds = Counter(rejection.kind for rejection in self.rejected)
        parts = [
            f"{len(self.clips)} clips ({_listed(splits)}) of {used} of "
            f"{len(self.sources.videos)} videos",
            f"{len(self.rejected)} rejected ({_listed(kinds)})",
            f"{sum(not clip.text for clip in self.clips)} without a caption",
            f"{self.sources.ignored} other files ignored",
        ]
        return "; ".join(parts) + "."


def build(
    sources: SourceVideos, dataset: Path, settings: BuildSettings, captions: Captions | None
) -> Built:
    """Make or complete the data set in the folder `dataset`.

    Sources that an earlier run has finished with the same options are not cut again, and keep
    their split.

    Args:
        captions: from clips to their captions, one by one; None leaves them empty. Those that came
            before it failed are kept.

    Raises:
        InputError: the folder holds another data set, or what the user gave cannot be used.
    """
    prepare_folder(dataset)
    kept = _kept_splits(dataset)
    jobs = [CutJob(source, dataset, settings.options) for source in sources.videos]
    cut_all([job for job in jobs if _state(job) is None], settings.workers)
    duplicates = _duplicates(jobs)
    incomplete = [job for job in jobs if not _complete(job, duplicates)]
    cut_all(incomplete, settings.workers)
    states = {job.source.name: _finished(job) for job in jobs}
    clips = [c for s in states.values() for c in s.clips if c.key not in duplicates]
    if clips:
        clips = _with_splits(clips, states, settings, kept)
    verify_splits(clips)
    clips = _write_captioned(dataset, clips, captions)
    rejected = [r for state in states.values() for r in state.rejected]
    rejected += _dropped(states, duplicates)
    write_report(dataset, clips, rejected)
    sweep(dataset, clips)
    return Built(tuple(clips), tuple(rejected), sources)


def prepare_folder(dataset: Path) -> None:
    """Make the folders of a data set.

    Raises:
        InputError: `dataset` is a file, or a data set that was not made here.
    """
    if dataset.exists() and not dataset.is_dir():
        raise InputError(f"{dataset} is a file; give the folder of a data set.")
    if (dataset / METADATA).exists() and not (dataset / FOLDER).is_dir():
        raise InputError(f"{dataset} holds a data set that was not made here; give another folder.")
    for name in ("clips", "tracks", "maps", FOLDER):
        (dataset / name).mkdir(parents=True, exist_ok=True)


def _state(job: CutJob) -> SourceState | None:
    return load_source_state(job.dataset, job.source, job.options)


def _finished(job: CutJob) -> SourceState:
    state = _state(job)
    if state is None:
        raise InputError(f"{job.source.path} changed while it was read; run again.")
    return state


def _duplicates(jobs: Sequence[CutJob]) -> dict[str, str]:
    """Clips that look like another, by key, and the clips they look like."""
    signatures = {}
    for job in jobs:
        arrays = _finished(job).arrays
        signatures.update({key: value for key, value in arrays.items() if key != TRACK})
    return find_duplicates(signatures)


def _complete(job: CutJob, duplicates: Mapping[str, str]) -> bool:
    """Whether all files of the clips that are used are there."""
    clips = [clip for clip in _finished(job).clips if clip.key not in duplicates]
    return all((job.dataset / name).is_file() for clip in clips for name in files(clip))


def _kept_splits(dataset: Path) -> dict[str, str]:
    """The split of each source of the data set as it is."""
    if not (dataset / METADATA).is_file():
        return {}
    return {record.source: record.split for record in read_metadata(dataset)}


def _with_splits(
    clips: Sequence[ClipRecord],
    states: Mapping[str, SourceState],
    settings: BuildSettings,
    kept: Mapping[str, str],
) -> list[ClipRecord]:
    """The clips with their music's id and their split.

    kept: the splits that sources had before; one whose clips have become copies counts too.
    """
    counts = Counter(clip.source for clip in clips)
    heard = {name: s.arrays[TRACK] for name, s in states.items() if TRACK in s.arrays}
    tracks = group_tracks(heard)
    had = splits_of_tracks(tracks, kept)
    used = {source: tracks[source] for source in counts}
    splits = split_sources(used, counts, settings.shares, settings.seed, had)
    return [replace(c, track_id=tracks[c.source], split=splits[c.source]) for c in clips]


def _write_captioned(
    dataset: Path, clips: Sequence[ClipRecord], captions: Captions | None
) -> list[ClipRecord]:
    """The clips with their captions, written even if the captions end with an error."""
    texts: list[str] = []
    try:
        for text in () if captions is None else captions(clips):
            texts.append(text)
    finally:
        told = [*texts, *[""] * (len(clips) - len(texts))]
        captioned = [replace(c, text=text) for c, text in zip(clips, told, strict=True)]
        write_metadata(dataset, captioned)
    return captioned


def _dropped(states: Mapping[str, SourceState], duplicates: Mapping[str, str]) -> list[Rejection]:
    clips = [c for state in states.values() for c in state.clips if c.key in duplicates]
    return [Rejection(c.source, c.start, f"duplicate: of {duplicates[c.key]}") for c in clips]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
