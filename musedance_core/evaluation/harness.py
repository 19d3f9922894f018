"""`musedance evaluate`: one row for every folder of videos and every checkpoint, and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from ..checkpoint.format import read_header
from ..dataset.format import ClipRecord
from ..errors import InputError
from ..pipeline import MuseDancePipeline
from .backbones import FVD, LPIPS, Identity
from .clip import Clip
from .frames import image_metrics
from .judges import FEWEST, Judges, load_judges
from .measure import Measured, Tools, measure
from .options import Options
from .report import write_report
from .samples import sampled_clips
from .scenes import chosen_records, dataset_scenes, world_frames, world_scenes
from .summary import Row, summarise
from .videos import VideoPair, match, video_clips

CHECKPOINT = ".safetensors"
REFERENCE_NOTES = {
    True: "identity and background are compared with the truth's first frame",
    False: "identity and background are compared with the video's own first frame",
}


@dataclass(frozen=True)
class Entry:
    """One row to come: what to judge, its name, and its folder inside the report's."""

    path: str
    label: str
    place: str


def evaluate(options: Options) -> list[Row]:
    """Judge everything, write results.json, results.md and index.html, and return the rows.

    Raises:
        InputError: something given cannot be used.
    """
    image_metrics()
    tools = load_tools(options)
    pairs, records = _inputs(options)
    entries = _entries(options)
    out = _made(options.out)
    rows = [
        _videos_row(options, entry, pairs[entry.path], tools)
        if entry.path in pairs
        else _checkpoint_row(options, entry, records, tools)
        for entry in entries
    ]
    write_report(out, rows, options)
    return rows


def load_tools(options: Options) -> Tools:
    """The backbones that the user brought.

    Raises:
        InputError: a file is missing or holds no TorchScript.
    """
    device = options.device
    return Tools(
        lpips=LPIPS(options.lpips, device) if options.lpips else None,
        fvd=FVD(options.fvd, device) if options.fvd else None,
        identity=Identity(options.identity, device) if options.identity else None,
    )


def _inputs(options: Options) -> tuple[dict[str, list[VideoPair]], list[ClipRecord]]:
    """The videos of every folder and the data set's clips: what is wrong is said at once."""
    pairs: dict[str, list[VideoPair]] = {}
    for path in options.paths:
        if Path(path).is_dir():
            pairs[path] = match(path, options.truth, options.beats)
        elif not Path(path).exists():
            raise InputError(f"There is no folder of videos and no checkpoint at {path}.")
        elif Path(path).suffix.lower() != CHECKPOINT:
            raise InputError(f"{path} is neither a folder of videos nor a {CHECKPOINT} checkpoint.")
        else:
            read_header(path)
    _check_needed(options, len(pairs))
    if options.dataset is None:
        return pairs, []
    seed = options.sampling.seed
    return pairs, chosen_records(options.dataset, options.split, options.clips, seed)


def _check_needed(options: Options, folders: int) -> None:
    """Refuse what would be left unused."""
    if folders == 0 and (options.truth or options.beats):
        raise InputError("--truth and --beats belong to folders of videos, but none is given.")
    if folders == len(options.paths) and (options.dataset or options.seconds):
        raise InputError("--dataset and --seconds belong to checkpoints, but none is given.")
    if options.dataset and options.seconds:
        raise InputError(
            "--seconds is for the procedural world; a data set's clips have their own."
        )


def _entries(options: Options) -> list[Entry]:
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


def _made(folder: str) -> Path:
    out = Path(folder)
    if out.exists() and not out.is_dir():
        raise InputError(f"{folder} is a file; give the name of a folder to write to.")
    if not out.resolve().parent.is_dir():
        raise InputError(f"The folder {out.resolve().parent} of {out.name} does not exist.")
    out.mkdir(exist_ok=True)
    return out


def _videos_row(options: Options, entry: Entry, pairs: Sequence[VideoPair], tools: Tools) -> Row:
    clips = video_clips(pairs, Path(options.out), entry.place)
    measured = _measured(clips, len(pairs), entry.label, tools)
    notes = [_beats_note(measured), REFERENCE_NOTES[options.truth is not None]]
    return summarise(entry.label, entry.path, measured, notes, options.sampling.seed)


def _checkpoint_row(options: Options, entry: Entry, records: list[ClipRecord], tools: Tools) -> Row:
    sampling = options.sampling
    pipeline = MuseDancePipeline.from_checkpoint(
        entry.path, options.device, getattr(torch, sampling.dtype), sampling.allow_untrained
    )
    if options.dataset is None:
        judges = load_judges(device=options.device)
        frames = world_frames(pipeline.config.clip, options.seconds)
        tools = _with_judges(tools, judges, frames)
        scenes = world_scenes(pipeline.config, options.split, options.clips, frames)
        about = [f"the procedural world, split {options.split}", f"judged by {judges.name}"]
    else:
        scenes = dataset_scenes(pipeline.config, options.dataset, records)
        about = [f"the data set {options.dataset}, split {options.split}"]
    clips = sampled_clips(pipeline, scenes, sampling, Path(options.out), entry.place)
    total = options.clips if options.dataset is None else len(records)
    measured = _measured(clips, total, entry.label, tools)
    schedule = pipeline.config.schedule
    steps = sampling.steps or schedule.sampling_steps
    strength = schedule.guidance if sampling.guidance is None else sampling.guidance
    notes = [*about, f"{steps} steps, guidance {strength:g}, seed {sampling.seed}"]
    return summarise(entry.label, entry.path, measured, notes, sampling.seed)


def _with_judges(tools: Tools, judges: Judges, frames: int) -> Tools:
    """The sticker world's judges beside the user's own; an embedder of the user's comes first."""
    motion = judges.motion if frames >= FEWEST else None
    return replace(tools, identity=tools.identity or judges.identity, motion=motion)


def _measured(clips: Iterator[Clip], total: int, label: str, tools: Tools) -> list[Measured]:
    return [measure(clip, tools) for clip in tqdm(clips, label, total, unit="clip")]


def _beats_note(clips: Sequence[Measured]) -> str:
    told = Counter(clip.beats_from for clip in clips)
    return "beats told by " + ", ".join(f"{who} ({count})" for who, count in told.items())
