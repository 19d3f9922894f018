"""Clips from a folder of videos of any system, matched with their ground truth by file stem."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from ..audio.beat_files import SUFFIXES as BEAT_SUFFIXES
from ..audio.beat_files import read_beats
from ..audio.tracker import track_beats
from ..audio.waveform import load_waveform, require_music
from ..errors import InputError
from ..files import atomic_path
from ..media.video import first_frame_seconds, read_video
from .clip import Clip

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
FEWEST_FRAMES = 5
"""Fewest frames in which a motion beat can be found."""


@dataclass(frozen=True)
class VideoPair:
    """A video with its ground truth and beats file, if any."""

    video: Path
    truth: Path | None
    beats: Path | None


def match(folder: str, truth: str | None, beats: str | None) -> list[VideoPair]:
    """Pairs the videos of `folder` with the files of the same stem in `truth` and `beats`.

    `beats` may be one file for all. Truth without a video is ignored.

    Raises:
        InputError: no videos, two of one stem, or a video without its truth or beats.
    """
    videos = _by_stem(Path(folder), SUFFIXES, "videos")
    truths = {} if truth is None else _by_stem(Path(truth), SUFFIXES, "videos")
    if truth is not None and not set(videos) & set(truths):
        raise InputError(f"No video in {folder} has the name of one in {truth}.")
    grids = _grids(beats, list(videos))
    for wanted, found, kind in ((truth, truths, "truth"), (beats, grids, "beats")):
        missing = sorted(set(videos) - set(found))
        if wanted is not None and missing:
            raise InputError(f"{videos[missing[0]]} has no {kind} of its name in {wanted}.")
    return [VideoPair(path, truths.get(stem), grids.get(stem)) for stem, path in videos.items()]


def _grids(beats: str | None, stems: Sequence[str]) -> dict[str, Path]:
    if beats is None:
        return {}
    if Path(beats).is_dir():
        return _by_stem(Path(beats), BEAT_SUFFIXES, f"beats files ({', '.join(BEAT_SUFFIXES)})")
    return {stem: Path(beats) for stem in stems}


def _by_stem(folder: Path, suffixes: tuple[str, ...], what: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith("."):
            if path.stem in found:
                raise InputError(f"{folder} holds both {found[path.stem].name} and {path.name}.")
            found[path.stem] = path
    if not found:
        raise InputError(f"{folder} holds no {what}.")
    return found


def video_clips(pairs: Sequence[VideoPair], out: Path, subfolder: str) -> Iterator[Clip]:
    """Yields one clip a pair; files are copied to `out`/`subfolder` and `out`/truth for the report.

    The reference picture is the truth's first frame, or the video's own without a truth.

    Raises:
        InputError: a video cannot be read or is too short, or differs from its truth in size,
            length or frame rate.
    """
    for pair in pairs:
        frames, fps = read_video(pair.video)
        if len(frames) < FEWEST_FRAMES:
            raise InputError(
                f"{pair.video} has {len(frames)} frames; at least {FEWEST_FRAMES} are needed."
            )
        truth = None if pair.truth is None else _truth(pair.video, frames, fps, pair.truth)
        beats, source = _beats(pair)
        yield Clip(
            name=pair.video.stem,
            frames=frames,
            fps=fps,
            reference=(frames if truth is None else truth)[0],
            video=_copied(pair.video, out, subfolder),
            truth=truth,
            truth_video=None if pair.truth is None else _copied(pair.truth, out, "truth"),
            beats=beats,
            beats_from=source,
            music=None if pair.beats is None else str(pair.beats),
        )


def _truth(video: Path, frames: Tensor, fps: float, path: Path) -> Tensor:
    """Reads the truth at `path`; its shape and frame rate must match those of `video`."""
    truth, true_fps = read_video(path)
    if truth.shape != frames.shape or abs(true_fps - fps) > 0.01:
        raise InputError(
            f"{video} has {_shape(frames, fps)} but its truth {path} has {_shape(truth, true_fps)}."
        )
    return truth


def _shape(frames: Tensor, fps: float) -> str:
    count, _, height, width = frames.shape
    return f"{count} frames of {width} x {height} at {fps:g} fps"


def _beats(pair: VideoPair) -> tuple[np.ndarray | None, str]:
    """Returns beats in seconds from the first frame and their source: a file or a sound track."""
    if pair.beats is not None:
        return read_beats(pair.beats).times, "a file"
    for path, source in ((pair.video, "the video's sound"), (pair.truth, "the truth's sound")):
        tracked = None if path is None else _tracked(path)
        if tracked is not None:
            return tracked, source
    return None, "no source"


def _tracked(path: Path) -> np.ndarray | None:
    """Tracks the beats of a video's sound, from its first frame on; None without music."""
    try:
        sound = load_waveform(path)
        require_music(sound, str(path))
    except InputError:
        return None
    grid = track_beats(sound)
    return None if grid.assumed else grid.times - first_frame_seconds(path)


def _copied(path: Path, out: Path, subfolder: str) -> str:
    """Copies `path` into `out`/`subfolder`; returns its path relative to `out`."""
    target = out / subfolder / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)
    return f"{subfolder}/{path.name}"
