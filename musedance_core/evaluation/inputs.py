"""Reads and checks the inputs of an evaluation before it begins."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from ..checkpoint.format import read_header
from ..config import ClipConfig
from ..dataset.format import ClipRecord
from ..errors import InputError
from .options import EvaluationOptions
from .scenes import chosen_records, require_rate, scene_size, world_frames
from .videos import VideoPair, match

CHECKPOINT = ".safetensors"
WRITTEN = ("clips", "truth", "beats")
"""Folders of a report that contain evaluated files."""
UNFINISHED = ".unfinished"
"""A file in the report's folder while an evaluation writes to it."""


@dataclass(frozen=True)
class Inputs:
    """Checked inputs.

    videos: the videos of every folder, by its path. clip: the clip shape that all checkpoints
    share; its size is that of their frames. frames: the length of clips of the world. records:
    clips of a data set to use instead of the world, or None.
    """

    videos: dict[str, list[VideoPair]]
    clip: ClipConfig | None
    frames: int
    records: list[ClipRecord] | None


@dataclass(frozen=True)
class Entry:
    """One row: the path to evaluate, its label, and its folder inside the report."""

    path: str
    label: str
    subfolder: str


def read_inputs(options: EvaluationOptions) -> Inputs:
    """Checks all inputs without decoding or sampling.

    Raises:
        InputError: an input cannot be used, would be ignored, or would be overwritten.
    """
    _check_outside(options)
    videos: dict[str, list[VideoPair]] = {}
    shapes: dict[str, ClipConfig] = {}
    for path in options.paths:
        if Path(path).is_dir():
            videos[path] = match(path, options.truth, options.beats)
        elif not Path(path).exists():
            raise InputError(f"There is no folder of videos and no checkpoint at {path}.")
        elif Path(path).suffix.lower() != CHECKPOINT:
            raise InputError(f"{path} is neither a folder of videos nor a {CHECKPOINT} checkpoint.")
        else:
            config = read_header(path).config
            shapes[path] = replace(config.clip, size=scene_size(config))
    _check_needed(options, len(videos))
    clip = _common(shapes)
    if clip is None:
        return Inputs(videos, None, 0, None)
    if options.dataset is None:
        return Inputs(videos, clip, world_frames(clip, options.seconds), None)
    seed = options.sampling.seed
    records = chosen_records(options.dataset, options.split, options.clips, seed)
    require_rate(options.dataset, records, clip)
    return Inputs(videos, clip, clip.frames, records)


def _check_outside(options: EvaluationOptions) -> None:
    """Refuses inputs that the report would overwrite."""
    out = Path(options.out).resolve()
    inputs = (*options.paths, options.truth, options.beats, options.dataset)
    for path in inputs:
        if path is not None and Path(path).resolve().is_relative_to(out):
            raise InputError(f"{path} lies in the report's own folder; give another --out.")


def _check_needed(options: EvaluationOptions, folders: int) -> None:
    """Refuses options that would be ignored."""
    if folders == 0 and (options.truth or options.beats or options.world):
        raise InputError(
            "--truth, --beats and --world belong to folders of videos, but none is given."
        )
    if folders == len(options.paths) and (options.dataset or options.seconds):
        raise InputError("--dataset and --seconds belong to checkpoints, but none is given.")
    if options.dataset and options.seconds:
        raise InputError(
            "--seconds is for the procedural world; a data set's clips have their own."
        )


def _common(shapes: dict[str, ClipConfig]) -> ClipConfig | None:
    """Returns the clip shape of all checkpoints; their rows share the files of the truth."""
    first: tuple[str, ClipConfig] | None = None
    for path, clip in shapes.items():
        first = first or (path, clip)
        if _shape(clip) != _shape(first[1]):
            raise InputError(
                f"{path} makes {_shape(clip)}, but {first[0]} makes {_shape(first[1])}; "
                "evaluate them in two calls."
            )
    return None if first is None else first[1]


def _shape(clip: ClipConfig) -> str:
    return f"{clip.frames} frames of {clip.size} x {clip.size} at {clip.fps} fps"


def named_rows(options: EvaluationOptions) -> list[Entry]:
    """Returns the rows in the order of the paths.

    Raises:
        InputError: the numbers of labels and paths differ, or two rows have the same label.
    """
    count = len(options.labels)
    if count not in (0, len(options.paths)):
        raise InputError(f"There are {len(options.paths)} rows, but {count} times --label.")
    labels = list(options.labels) or [_named(path) for path in options.paths]
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise InputError(f"Two rows have the label {twice[0]!r}; rename one with --label.")
    named = enumerate(zip(options.paths, labels, strict=True), start=1)
    return [Entry(path, label, f"clips/{row:02d}") for row, (path, label) in named]


def _named(path: str) -> str:
    """Returns the default label: the folder's name, or the checkpoint's without its suffix."""
    return Path(path).resolve().name.removesuffix(CHECKPOINT)


def report_folder(folder: str) -> Path:
    """Returns the report's folder, created if needed.

    Clips of a run that was stopped before its first row was finished are removed.

    Raises:
        InputError: it is a file, contains a report already, or its parent is missing.
    """
    out = Path(folder)
    if out.exists() and not out.is_dir():
        raise InputError(f"{folder} is a file; give the name of a folder to write to.")
    if not out.resolve().parent.is_dir():
        raise InputError(f"The folder {out.resolve().parent} of {out.name} does not exist.")
    if (out / UNFINISHED).exists() and not (out / "results.json").exists():
        for name in WRITTEN:
            shutil.rmtree(out / name, ignore_errors=True)
    for name in WRITTEN:
        if (out / name).exists():
            raise InputError(
                f"{out / name} already exists, from an earlier report; remove it or give another "
                "--out."
            )
    out.mkdir(exist_ok=True)
    return out
