"""What the commands of `musedance` do, once the command line is read."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor
from tqdm import tqdm

from ..audio.beat_this import track_beats_with_beat_this
from ..audio.beats import BeatGrid, read_beats, regular_grid, whole_beats, write_beats
from ..audio.tracker import track_beats
from ..audio.waveform import Waveform, load_waveform, require_music
from ..diffusion.guidance import CONDITIONS, Guidance, StepInfo
from ..diffusion.runner import Segment
from ..errors import InputError
from ..media.animated import ANIMATED_SUFFIXES, write_animated
from ..media.beat_plot import write_beat_plot
from ..media.contact_sheet import spread, write_contact_sheet
from ..media.images import fit_picture, load_mask, load_picture
from ..media.video import VIDEO_SUFFIXES, write_video
from ..pipeline import MuseDancePipeline, pick_device


def animate(options: argparse.Namespace) -> None:
    """`musedance animate`: check everything, then hear, dance and write.

    Raises:
        InputError: something given cannot be used; nothing has been written then.
    """
    began = time.monotonic()
    _check_outputs(options)
    animated = Path(options.out).suffix.lower() in ANIMATED_SUFFIXES
    if options.loop and not animated:
        raise InputError(f"--loop is for .gif and .webp, not for {options.out}.")
    device = pick_device(options.device)
    source = load_picture(options.picture)
    mask = load_mask(options.mask, source) if options.mask else None
    song = load_song(options.song)
    seconds = _length(song, options.start, options.seconds, options.song)
    if options.beats and options.beat_this:
        raise InputError("--beats says the beats, so --beat-this has nothing to hear.")
    given = read_beats(options.beats) if options.beats else None
    pipeline = MuseDancePipeline.from_pretrained(
        options.checkpoint, device, getattr(torch, options.dtype), options.allow_untrained
    )
    clip, schedule = pipeline.config.clip, pipeline.config.schedule
    total = round(seconds * clip.fps)
    if total < 1:
        raise InputError(f"--seconds {seconds:g} is shorter than one frame at {clip.fps} fps.")
    picture = fit_picture(source, mask, clip.size)
    track = pipeline.encode_song(song, given or heard_beats(song, options.beat_this))
    steps = options.steps or schedule.sampling_steps
    weights = {name: getattr(options, f"{name}_guidance") for name in CONDITIONS}
    kept = range(total)
    if options.loop:
        kept = whole_beats(track.grid, options.start, total, clip.fps)
        total = kept.stop
    sheet = Sheet(kept, clip.fps, options.start)
    with tqdm(total=-(-total // clip.frames) * steps, unit="step") as bar:
        segments = pipeline.animate(
            picture.image,
            track,
            options.text,
            frames=total,
            start=options.start,
            part_map=picture.part_map,
            seed=options.seed,
            steps=steps,
            sampler=options.sampler,
            guidance=Guidance.of(schedule, options.guidance, weights),
            on_step=lambda info: _advance(bar, info),
        )
        if animated:
            write_animated(options.out, only(kept, sheet.watch(segments)), clip.fps)
        else:
            write_video(options.out, sheet.watch(segments), clip.fps, song, options.start)
    if options.preview_sheet:
        write_contact_sheet(options.preview_sheet, sheet.frames, sheet.labels)
    print(
        f"{options.out}: {len(kept) / clip.fps:.2f} s of dance ({len(kept)} frames), "
        f"tempo {'heard' if given is None else 'given'} {track.grid.tempo:.1f} BPM, "
        f"made in {time.monotonic() - began:.1f} s."
    )


def beats(options: argparse.Namespace) -> None:
    """`musedance beats`: print tempo and beats; write them to --json and draw them to --plot.

    Raises:
        InputError: the song or a target cannot be used, or options contradict each other.
    """
    path, bpm, offset = options.song, options.bpm, options.offset
    if offset is not None and bpm is None:
        raise InputError("--offset needs --bpm: together they say where every beat is.")
    if bpm is not None and options.beat_this is not None:
        raise InputError("--beat-this hears the tempo itself; leave out --bpm.")
    for target, suffix in ((options.json, ".json"), (options.plot, ".png")):
        if target is not None:
            _check_target(target, (suffix,), [path])
    song = load_song(path)
    if bpm is not None and offset is not None:
        grid = regular_grid(bpm, offset, song.seconds)
    else:
        grid = heard_beats(song, options.beat_this, bpm)
    print(_table(grid))
    if options.json is not None:
        write_beats(options.json, grid)
    if options.plot is not None:
        write_beat_plot(options.plot, song, grid)
    written = [target for target in (options.json, options.plot) if target is not None]
    print(
        f"{path}: {song.seconds:.2f} s, tempo {grid.tempo:.1f} BPM, {len(grid.times)} beats"
        + "".join(f", written to {target}" for target in written)
        + "."
    )


def heard_beats(song: Waveform, checkpoint: str | None, bpm: float | None = None) -> BeatGrid:
    """The song's beats by librosa, or by a checkpoint of Beat This!."""
    return (
        track_beats(song, bpm)
        if checkpoint is None
        else track_beats_with_beat_this(song, checkpoint)
    )


def load_song(path: str) -> Waveform:
    """The sound of the file at `path`, refused where there is nothing to dance to."""
    song = load_waveform(path)
    require_music(song, path)
    return song


class Sheet:
    """Keeps evenly spread ones of the frames `kept` of a video, as it goes by."""

    def __init__(self, kept: range, fps: int, start: float) -> None:
        self.frames: list[Tensor] = []
        self.wanted = [kept.start + k for k in spread(len(kept))]
        self.labels = [f"{start + k / fps:.2f} s" for k in self.wanted]

    def watch(self, segments: Iterator[Segment]) -> Iterator[Tensor]:
        """Pass the frames `[f 3 h w]` of every segment on."""
        for segment in segments:
            numbers = range(segment.first, segment.first + len(segment.frames))
            chosen = (k - segment.first for k in self.wanted if k in numbers)
            self.frames.extend(segment.frames[k].clone() for k in chosen)
            yield segment.frames


def only(kept: range, chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    """Of frames `[f 3 h w]` that come in chunks those whose numbers are within `kept`."""
    first = 0
    for chunk in chunks:
        yield chunk[max(0, kept.start - first) : max(0, kept.stop - first)]
        first += len(chunk)


def _advance(bar: tqdm[NoReturn], info: StepInfo) -> None:
    bar.set_description(f"segment {info.segment + 1} of {info.segments}", refresh=False)
    bar.update()


def _length(song: Waveform, start: float, seconds: float | None, path: str) -> float:
    """Seconds of video: what was asked for, or the rest of the song."""
    rest = song.seconds - start
    if rest <= 0:
        raise InputError(f"{path} is {song.seconds:.2f} s long, so --start {start:g} is past it.")
    if seconds is not None and seconds > rest + 0.01:
        raise InputError(
            f"{path} is {song.seconds:.2f} s long, so --start {start:g} with --seconds {seconds:g} "
            f"runs past its end."
        )
    return rest if seconds is None else seconds


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse targets that could only fail later, or that would overwrite what we read."""
    named = [options.picture, options.song, options.mask, options.beats]
    named += [options.checkpoint, options.beat_this]
    inputs = [name for name in named if name is not None]
    _check_target(options.out, VIDEO_SUFFIXES + ANIMATED_SUFFIXES, inputs)
    if options.preview_sheet is not None:
        _check_target(options.preview_sheet, (".png",), [*inputs, options.out])


def _check_target(target: str, suffixes: tuple[str, ...], inputs: list[str]) -> None:
    path = Path(target)
    if path.is_dir():
        raise InputError(f"{target} is a directory; give the name of a file to write.")
    if path.suffix.lower() not in suffixes:
        raise InputError(f"The name {target} must end in {' or '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} of {path.name} does not exist.")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"The folder {path.parent} of {path.name} cannot be written to.")
    for name in inputs:
        if path.resolve() == Path(name).resolve():
            raise InputError(f"{target} would overwrite {name}, which is also given.")


def _table(grid: BeatGrid) -> str:
    """The beats in rows of eight, downbeats marked."""
    down = set(grid.downbeats.tolist())
    marks = [f"{t:9.3f}{'*' if t in down else ' '}" for t in grid.times.tolist()]
    rows = ["".join(marks[i : i + 8]).rstrip() for i in range(0, len(marks), 8)]
    return "\n".join(["Beats in seconds (* downbeat):", *rows])
