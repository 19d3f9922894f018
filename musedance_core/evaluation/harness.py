"""`musedance evaluate`: a row per folder of videos or checkpoint, and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from ..diffusion.guidance import Guidance
from ..errors import InputError
from ..metrics.image import image_metrics
from ..pipeline import MuseDancePipeline
from ..world.clips import FPS
from .backbones import FVD, LPIPS, Identity
from .clip import Clip
from .inputs import UNFINISHED, Entry, Inputs, named_rows, read_inputs, report_folder
from .judges.networks import FEWEST, Judges, load_judges
from .measure import MeasuredClip, MetricNetworks, measure
from .options import EvaluationOptions
from .report.files import write_report
from .report.summary import Row, summarise
from .samples import sampled_clips
from .scenes import dataset_scenes, world_scenes
from .videos import VideoPair, video_clips

REFERENCE_NOTES = {
    True: "identity and background are compared with the truth's first frame",
    False: "identity and background are compared with the video's own first frame",
}


def evaluate(options: EvaluationOptions) -> list[Row]:
    """Evaluates everything and returns the rows.

    results.json, results.md and index.html are rewritten after every row.

    Raises:
        InputError: an input cannot be used.
    """
    image_metrics()
    networks = load_networks(options)
    inputs = read_inputs(options)
    entries = named_rows(options)
    out = report_folder(options.out)
    if inputs.clip is not None:
        _probe(networks, inputs.clip.size, inputs.frames)
    rows: list[Row] = []
    (out / UNFINISHED).touch()
    for entry in entries:
        if entry.path in inputs.videos:
            rows.append(_videos_row(options, entry, inputs.videos[entry.path], networks))
        else:
            rows.append(_checkpoint_row(options, entry, inputs, networks))
        write_report(out, rows, options)
    (out / UNFINISHED).unlink()
    return rows


def load_networks(options: EvaluationOptions) -> MetricNetworks:
    """Loads the user's backbones.

    Raises:
        InputError: a file is missing or is not TorchScript.
    """
    device = options.device
    return MetricNetworks(
        lpips=LPIPS(options.lpips, device) if options.lpips else None,
        fvd=FVD(options.fvd, device) if options.fvd else None,
        identity=Identity(options.identity, device) if options.identity else None,
    )


def _probe(networks: MetricNetworks, size: int, frames: int) -> None:
    """Calls the networks on a grey clip, so that an unusable one fails before any sampling."""
    grey = torch.full((frames, 3, size, size), 0.5)
    if networks.lpips is not None:
        networks.lpips(grey, grey)
    if networks.fvd is not None:
        networks.fvd(grey)
    if networks.identity is not None:
        networks.identity(grey)


def _videos_row(
    options: EvaluationOptions, entry: Entry, pairs: Sequence[VideoPair], networks: MetricNetworks
) -> Row:
    clips, about = video_clips(pairs, Path(options.out), entry.subfolder), []
    if options.world:
        judges = load_judges(device=options.device)
        networks, about = _with_judges(networks, judges, FEWEST), [f"judged by {judges.name}"]
        clips = (_require_world_shape(clip, entry.path) for clip in clips)
    measured = _measured(clips, len(pairs), entry.label, networks)
    notes = [_beats_note(measured), REFERENCE_NOTES[options.truth is not None], *about]
    return summarise(entry.label, entry.path, measured, notes, options.sampling.seed)


def _require_world_shape(clip: Clip, folder: str) -> Clip:
    """Returns the clip if the judges can read it."""
    frames, _, height, width = clip.frames.shape
    if height != width or frames < FEWEST or abs(clip.fps - FPS) > 0.01:
        raise InputError(
            f"{clip.name} in {folder} has {frames} frames of {width} x {height} at {clip.fps:g} "
            f"fps, but --world is for square videos of {FEWEST} frames or more at {FPS} fps."
        )
    return clip


def _checkpoint_row(
    options: EvaluationOptions, entry: Entry, inputs: Inputs, networks: MetricNetworks
) -> Row:
    sampling = options.sampling
    pipeline = MuseDancePipeline.from_pretrained(
        entry.path, options.device, getattr(torch, sampling.dtype), sampling.allow_untrained
    )
    if options.dataset is None or inputs.records is None:
        judges = load_judges(device=options.device)
        networks = _with_judges(networks, judges, inputs.frames)
        scenes = world_scenes(pipeline.config, options.split, options.clips, inputs.frames)
        total = options.clips
        about = [f"the procedural world, split {options.split}", f"judged by {judges.name}"]
    else:
        scenes = dataset_scenes(pipeline.config, options.dataset, inputs.records)
        total = len(inputs.records)
        about = [f"the data set {options.dataset}, split {options.split}"]
    clips = sampled_clips(pipeline, scenes, sampling, Path(options.out), entry.subfolder)
    measured = _measured(clips, total, entry.label, networks)
    schedule = pipeline.config.schedule
    steps = sampling.steps or schedule.sampling_steps
    guidance = Guidance.of(schedule, sampling.guidance)
    notes = [
        *about,
        f"{steps} steps, guidance {guidance}, seeds from {sampling.seed} on",
    ]
    return summarise(entry.label, entry.path, measured, notes, sampling.seed)


def _with_judges(networks: MetricNetworks, judges: Judges, frames: int) -> MetricNetworks:
    """Adds the sticker world's judges; the user's identity embedder takes precedence."""
    networks = replace(networks, identity=networks.identity or judges.identity)
    if frames < FEWEST:
        return networks
    return replace(networks, motion=judges.motion, dance=judges.recognise)


def _measured(
    clips: Iterator[Clip], total: int, label: str, networks: MetricNetworks
) -> list[MeasuredClip]:
    return [measure(clip, networks) for clip in tqdm(clips, label, total, unit="clip")]


def _beats_note(clips: Sequence[MeasuredClip]) -> str:
    sources = Counter(clip.beats_from for clip in clips)
    return "beats from " + ", ".join(f"{name} ({count})" for name, count in sources.items())
