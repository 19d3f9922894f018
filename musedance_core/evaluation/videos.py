"""Clips from a folder of videos, whoever made them, matched with their truth by file stem."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from ..audio.beats import read_beats
from ..audio.tracker import track_beats
from ..audio.waveform import load_waveform, require_music
from ..errors import InputError
from ..files import atomic_path
from ..media.video import begins, read_video
from .clip import Clip

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
FEWEST_FRAMES = 5
"""With fewer there is no dip in the motion to be found."""


@dataclass(frozen=True)
class VideoPair:
    """A video, its truth and the file of its beats, where there are such."""

    video: Path
    truth: Path | None
    beats: Path | None


def match(folder: str, truth: str | None, beats: str | None) -> list[VideoPair]:
    """The videos of `folder` by name, each with the file of the same stem in `truth` and `beats`.

    `beats` may be one file for all. A truth without a video is left out.

    Raises:
        InputError: no videos, two of one stem, or a video without its truth or beats.
    """
    videos = _by_stem(Path(folder), SUFFIXES, "videos")
    truths = {} if truth is None else _by_stem(Path(truth), SUFFIXES, "videos")
    if truth is not None and not set(videos) & set(truths):
        raise InputError(f"No video in {folder} has the name of one in {truth}.")
    grids = _grids(beats, list(videos))
    for wanted, found, place in ((truth, truths, "truth"), (beats, grids, "beats")):
        missing = sorted(set(videos) - set(found))
        if wanted is not None and missing:
            raise InputError(f"{videos[missing[0]]} has no {place} of its name in {wanted}.")
    return [VideoPair(path, truths.get(stem), grids.get(stem)) for stem, path in videos.items()]


def _grids(beats: str | None, stems: Sequence[str]) -> dict[str, Path]:
    if beats is None:
        return {}
    if Path(beats).is_dir():
        return _by_stem(Path(beats), (".json",), "beats files (.json)")
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


def video_clips(pairs: Sequence[VideoPair], out: Path, place: str) -> Iterator[Clip]:
    """Read pair after pair; the files are copied to `out`/`place` and `out`/truth for the report.

    The reference picture is the truth's first frame, or the video's own where there is no truth.

    Raises:
        InputError: a video cannot be read or is too short, or differs from its truth in size,
            length or frame rate.
    """
    for pair in pairs:
        frames, fps = read_video(pair.video)
        if len(frames) < FEWEST_FRAMES:
            raise InputError(
                f"{pair.video} has {len(frames)} frames; {FEWEST_FRAMES} are needed at least."
            )
        truth = None if pair.truth is None else _truth(pair.video, frames, fps, pair.truth)
        beats, told = _beats(pair)
        yield Clip(
            name=pair.video.stem,
            frames=frames,
            fps=fps,
            reference=(frames if truth is None else truth)[0],
            video=_copied(pair.video, out, place),
            truth=truth,
            truth_video=None if pair.truth is None else _copied(pair.truth, out, "truth"),
            beats=beats,
            beats_from=told,
            music=None if pair.beats is None else str(pair.beats),
        )


def _truth(video: Path, frames: Tensor, fps: float, path: Path) -> Tensor:
    """The frames of the truth at `path`, which must be shaped like those of `video`."""
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
    """Seconds from the first frame, and who told: a file, the video's sound or the truth's."""
    if pair.beats is not None:
        return read_beats(pair.beats).times, "a file"
    for path, told in ((pair.video, "the video's sound"), (pair.truth, "the truth's sound")):
        heard = None if path is None else _heard(path)
        if heard is not None:
            return heard, told
    return None, "nobody"


def _heard(path: Path) -> np.ndarray | None:
    """Beats of a video's sound, from its first picture on; None where nobody can dance to it."""
    try:
        sound = load_waveform(path)
        require_music(sound, str(path))
    except InputError:
        return None
    grid = track_beats(sound)
    return None if grid.assumed else grid.times - begins(path)


def _copied(path: Path, out: Path, place: str) -> str:
    """Put a copy of `path` into the report's folder `place`; its name relative to the report."""
    target = out / place / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        shutil.copyfile(path, temporary)
    return f"{place}/{path.name}"
