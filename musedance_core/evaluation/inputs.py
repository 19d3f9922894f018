"""What an evaluation is given: everything that can be refused is refused before it begins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..checkpoint.format import read_header
from ..config import ClipConfig
from ..dataset.format import ClipRecord
from ..errors import InputError
from .options import EvaluationOptions
from .scenes import chosen_records, require_rate, world_frames
from .videos import VideoPair, match

CHECKPOINT = ".safetensors"
WRITTEN = ("clips", "truth", "beats")
"""The folders of a report that hold what was judged."""


@dataclass(frozen=True)
class Inputs:
    """The `videos` of every folder by its path, and the one `clip` shape of all checkpoints.

    `frames` is the length of their clips of the world; `records` are those of the data set to be
    danced instead, or None.
    """

    videos: dict[str, list[VideoPair]]
    clip: ClipConfig | None
    frames: int
    records: list[ClipRecord] | None


@dataclass(frozen=True)
class Entry:
    """One row to come: what to judge, its name, and its folder inside the report's."""

    path: str
    label: str
    place: str


def read_inputs(options: EvaluationOptions) -> Inputs:
    """Look at all that is given without decoding or sampling anything.

    Raises:
        InputError: something cannot be used, would be left unused, or would be overwritten.
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
            shapes[path] = read_header(path).config.clip
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
    """Refuse what the report would overwrite while it is judged."""
    out = Path(options.out).resolve()
    given = (*options.paths, options.truth, options.beats, options.dataset)
    for path in given:
        if path is not None and Path(path).resolve().is_relative_to(out):
            raise InputError(f"{path} lies in the report's own folder; give another --out.")


def _check_needed(options: EvaluationOptions, folders: int) -> None:
    """Refuse what would be left unused."""
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
    """The clip shape of all checkpoints, for their rows share the files of the truth."""
    first: tuple[str, ClipConfig] | None = None
    for path, clip in shapes.items():
        first = first or (path, clip)
        if _shape(clip) != _shape(first[1]):
            raise InputError(
                f"{path} makes {_shape(clip)}, but {first[0]} makes {_shape(first[1])}; "
                "judge them in two calls."
            )
    return None if first is None else first[1]


def _shape(clip: ClipConfig) -> str:
    return f"{clip.frames} frames of {clip.size} x {clip.size} at {clip.fps} fps"


def named_rows(options: EvaluationOptions) -> list[Entry]:
    """The rows to come, in the order of the paths.

    Raises:
        InputError: other numbers of labels and paths, or two rows of one name.
    """
    given = len(options.labels)
    if given not in (0, len(options.paths)):
        raise InputError(f"There are {len(options.paths)} rows, but {given} times --label.")
    labels = list(options.labels) or [_named(path) for path in options.paths]
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise InputError(f"Two rows are called {twice[0]!r}; tell them apart with --label.")
    named = enumerate(zip(options.paths, labels, strict=True), start=1)
    return [Entry(path, label, f"clips/{row:02d}") for row, (path, label) in named]


def _named(path: str) -> str:
    """A row's name where none is given: the folder's, or the checkpoint's without its ending."""
    return Path(path).resolve().name.removesuffix(CHECKPOINT)


def report_folder(folder: str) -> Path:
    """The folder to write to, made where it is not there.

    Raises:
        InputError: it is a file, holds clips already, or its own folder is missing.
    """
    out = Path(folder)
    if out.exists() and not out.is_dir():
        raise InputError(f"{folder} is a file; give the name of a folder to write to.")
    if not out.resolve().parent.is_dir():
        raise InputError(f"The folder {out.resolve().parent} of {out.name} does not exist.")
    for name in WRITTEN:
        if (out / name).exists():
            raise InputError(
                f"{out / name} is there already, as of an earlier report; remove it or give "
                "another --out."
            )
    out.mkdir(exist_ok=True)
    return out
