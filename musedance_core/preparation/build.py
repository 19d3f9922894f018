"""Building a data set from source videos: cutting, deduplication, captions, splits, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..dataset.format import METADATA, ClipRecord, read_metadata, verify_splits, write_metadata
from ..errors import InputError
from .audio_fingerprints import group_tracks
from .cutting import CutJob
from .deduplication import find_duplicates
from .options import ClipOptions
from .part_maps import unused_part_maps
from .rejections import Rejection, UnusedInput
from .report import REPORT, write_report
from .sources import SourceVideo, SourceVideos
from .splits import split_sources, track_splits
from .state import (
    FOLDER,
    MEDIA,
    TRACK,
    SourceState,
    clip_files,
    load_source_state,
    remove_partial_files,
    remove_unused_files,
)
from .workers import cut_sources


class CaptionSource(Protocol):
    """Gives the captions of clips: a `CaptionFile` or a `ClipCaptioner`."""

    def captions(self, clips: Sequence[ClipRecord]) -> Iterable[str]:
        """The caption of each clip, "" where there is none."""

    def unused(
        self, clips: Sequence[ClipRecord], sources: Sequence[SourceVideo]
    ) -> list[UnusedInput]:
        """The captions that belong to none of the clips, with the reasons."""


@dataclass(frozen=True)
class BuildSettings:
    """Settings of a build.

    Attributes:
        options: options of the cutting.
        workers: processes that cut, one video each.
        shares: shares of the clips that go to train, validation and test.
        seed: seed of the split; it only concerns sources that have no split yet.

    Raises:
        InputError: a value is outside its range.
    """

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
class BuildResult:
    """The clips of a data set, and the input that gave none.

    Attributes:
        clips: as in `metadata.jsonl`.
        rejected: parts of source videos that gave no clip.
        unused: other files, captions and part maps that no clip uses.
        sources: all source videos.
    """

    clips: tuple[ClipRecord, ...]
    rejected: tuple[Rejection, ...]
    unused: tuple[UnusedInput, ...]
    sources: SourceVideos

    def summary(self) -> str:
        """All counts on one line."""
        used = len({clip.source for clip in self.clips})
        splits = Counter(clip.split for clip in self.clips)
        kinds = Counter(rejection.kind for rejection in self.rejected)
        parts = [
            f"{len(self.clips)} clips ({_join_counts(splits)}) of {used} of "
            f"{len(self.sources.videos)} videos",
            f"{len(self.rejected)} rejected ({_join_counts(kinds)})",
            f"{sum(not clip.text for clip in self.clips)} without a caption",
            f"{len(self.sources.ignored)} other files ignored",
        ]
        unused = Counter(item.kind for item in self.unused if item.kind != "other file")
        if unused:
            parts.append(f"{unused.total()} inputs not used ({_join_counts(unused)}), see {REPORT}")
        return "; ".join(parts) + "."


def build(
    sources: SourceVideos, dataset: Path, settings: BuildSettings, captions: CaptionSource | None
) -> BuildResult:
    """Build or complete the data set in the folder `dataset`.

    Sources that an earlier run has cut with the same options are not cut again, and stay in their
    split. A run that is stopped or killed at any moment loses no finished source.

    Args:
        captions: where captions come from; None leaves them empty. If it fails, the captions before
            the failure are written.

    Raises:
        InputError: the folder holds another data set, or an input cannot be used.
        OSError: a file cannot be read or written.
    """
    prepare_folder(dataset)
    remove_partial_files(dataset)  # a full disk needs the space now
    before = _current_splits(dataset)
    states, duplicates = _cut(sources, dataset, settings)
    clips = [c for s in states.values() for c in s.clips if c.key not in duplicates]
    if clips:
        clips = _with_splits(clips, states, settings, before)
    verify_splits(clips)
    # metadata.jsonl is complete from here on.
    clips = _write_with_captions(dataset, clips, captions)
    rejected = [r for state in states.values() for r in state.rejected]
    rejected += _duplicate_rejections(states, duplicates)
    unused = [
        *sources.unused(),
        *([] if captions is None else captions.unused(clips, sources.videos)),
        *unused_part_maps(sources.videos, settings.options, clips),
    ]
    write_report(dataset, clips, rejected, unused)
    # Last, so that metadata.jsonl never names a file that is removed.
    remove_unused_files(dataset, clips)
    remove_partial_files(dataset)  # of workers that crashed in this run
    return BuildResult(tuple(clips), tuple(rejected), tuple(unused), sources)


def prepare_folder(dataset: Path) -> None:
    """Make the folders of a data set.

    Raises:
        InputError: `dataset` is a file, or a data set from elsewhere.
    """
    if dataset.exists() and not dataset.is_dir():
        raise InputError(f"{dataset} is a file; give the folder of a data set.")
    if (dataset / METADATA).exists() and not (dataset / FOLDER).is_dir():
        raise InputError(f"{dataset} holds a data set from elsewhere; give another folder.")
    for name in (*MEDIA, FOLDER):
        (dataset / name).mkdir(parents=True, exist_ok=True)


def _cut(
    sources: SourceVideos, dataset: Path, settings: BuildSettings
) -> tuple[dict[str, SourceState], dict[str, str]]:
    """Cut the sources that no earlier run has finished.

    Returns:
        The state of each source by its name; and the keys of the clips that repeat another one,
        with the keys of these.
    """
    jobs = [CutJob(source, dataset, settings.options) for source in sources.videos]
    cut_sources([job for job in jobs if not _is_cut(job)], settings.workers)
    duplicates = _find_duplicates(jobs)
    # Files of duplicates are removed. Where the original of one is gone since, it is cut again.
    incomplete = [job for job in jobs if not _has_all_files(job, duplicates)]
    cut_sources(incomplete, settings.workers)
    return {job.source.name: _finished_state(job) for job in jobs}, duplicates


def _is_cut(job: CutJob) -> bool:
    """True if the source is cut, and cutting it again would give the same result."""
    state = _load_state(job)
    return state is not None and state.is_final


def _load_state(job: CutJob) -> SourceState | None:
    return load_source_state(job.dataset, job.source, job.options)


def _finished_state(job: CutJob) -> SourceState:
    """The state of a source that was just cut."""
    state = _load_state(job)
    if state is None:
        raise InputError(f"{job.source.path} changed while it was read; run again.")
    return state


def _find_duplicates(jobs: Sequence[CutJob]) -> dict[str, str]:
    """Keys of the clips that repeat another one, with the keys of these."""
    signatures = {}
    for job in jobs:
        arrays = _finished_state(job).arrays
        signatures.update({key: value for key, value in arrays.items() if key != TRACK})
    return find_duplicates(signatures)


def _has_all_files(job: CutJob, duplicates: Mapping[str, str]) -> bool:
    """True if all files of the source's clips exist, except those of duplicates."""
    clips = [clip for clip in _finished_state(job).clips if clip.key not in duplicates]
    return all((job.dataset / name).is_file() for clip in clips for name in clip_files(clip))


def _current_splits(dataset: Path) -> dict[str, str]:
    """The split of each source in the data set's `metadata.jsonl`, if there is one."""
    if not (dataset / METADATA).is_file():
        return {}
    return {record.source: record.split for record in read_metadata(dataset)}


def _with_splits(
    clips: Sequence[ClipRecord],
    states: Mapping[str, SourceState],
    settings: BuildSettings,
    before: Mapping[str, str],
) -> list[ClipRecord]:
    """The clips with their track ids and splits.

    Args:
        before: the splits that sources have already. Those of sources without a clip count too: all
            clips of such a source may have become duplicates.
    """
    counts = Counter(clip.source for clip in clips)
    fingerprints = {name: s.arrays[TRACK] for name, s in states.items() if TRACK in s.arrays}
    tracks = group_tracks(fingerprints)
    fixed = track_splits(tracks, before)
    used = {source: tracks[source] for source in counts}
    splits = split_sources(used, counts, settings.shares, settings.seed, fixed)
    return [replace(c, track_id=tracks[c.source], split=splits[c.source]) for c in clips]


def _write_with_captions(
    dataset: Path, clips: Sequence[ClipRecord], captions: CaptionSource | None
) -> list[ClipRecord]:
    """The clips with their captions; `metadata.jsonl` is written even if the captions fail."""
    texts: list[str] = []
    try:
        for text in () if captions is None else captions.captions(clips):
            texts.append(text)
    finally:
        padded = [*texts, *[""] * (len(clips) - len(texts))]
        captioned = [replace(c, text=text) for c, text in zip(clips, padded, strict=True)]
        write_metadata(dataset, captioned)
    return captioned


def _duplicate_rejections(
    states: Mapping[str, SourceState], duplicates: Mapping[str, str]
) -> list[Rejection]:
    clips = [c for state in states.values() for c in state.clips if c.key in duplicates]
    return [Rejection(c.source, c.start, f"duplicate: of {duplicates[c.key]}") for c in clips]


def _join_counts(counts: Mapping[str, int]) -> str:
    """Counts by name, such as "test 2, train 5"."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
