"""Scenes for evaluating a checkpoint: clips of the procedural world or of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from ..audio.beats import BeatGrid
from ..audio.waveform import Waveform
from ..config import ClipConfig, MuseDanceConfig
from ..dance.motion import DanceMotion
from ..dance.rig import Rig
from ..dataset.format import ClipRecord, read_metadata
from ..dataset.reading import read_frames, read_part_maps, read_track
from ..errors import InputError
from ..world.clips import FPS, PREVIOUS, World
from ..world.dances import MOVES, Dance
from ..world.shots import PLAN_SCALE
from ..world.songs import SONG_SECONDS
from .clip import quantise

WORLD_SIZE = 128
"""Pixels of the world's pictures, for models that make frames of the picture's own size."""
SONGS = 32
"""Number of songs that the test clips are drawn from."""
LONGEST = SONG_SECONDS - 4
"""Longest clip in seconds; its start must have room to vary."""


@dataclass(frozen=True)
class Scene:
    """The model's inputs for one clip, and the true frames.

    Attributes:
        name: of the clip.
        truth: the true frames `[f 3 h w]` in 0..1.
        reference: the picture `[3 h w]` in 0..1.
        part_map: part ids `[h w]`, or None.
        song, music: the song and its name.
        grid: beats on the song's clock.
        start: the clip's start in the song, in seconds.
        caption: the sentence.
        dance: the dance of the sentence, or None.
        mask: the dancer's alpha in the picture `[h w]`, or None.
        motion: the true dance, or None.
        rig: the dancer's true joints and parts in the picture, or None.
        background: the picture without the dancer `[3 h w]` in 0..1, or None.
    """

    name: str
    truth: Tensor
    reference: Tensor
    part_map: Tensor | None
    song: Waveform
    music: str
    grid: BeatGrid
    start: float
    caption: str
    dance: Dance | None
    mask: Tensor | None = None
    motion: DanceMotion | None = None
    rig: Rig | None = None
    background: Tensor | None = None


def scene_size(config: MuseDanceConfig) -> int:
    """Returns the pixels of the scenes' pictures for a model."""
    return WORLD_SIZE if config.plans_dance else config.clip.size


def world_frames(clip: ClipConfig, seconds: float | None) -> int:
    """Returns the frames of a clip of the world that lasts `seconds`, or one segment.

    Raises:
        InputError: the checkpoint's frame rate is not the world's, or its songs are too short.
    """
    if clip.fps != FPS:
        raise InputError(f"The procedural world has {FPS} fps, the checkpoint has {clip.fps}.")
    if seconds is None:
        return clip.frames
    if not 1 <= seconds <= LONGEST:
        raise InputError(
            f"A clip of the procedural world lasts 1 to {LONGEST:g} s, got {seconds:g}."
        )
    return round(seconds * FPS)


def scene_world(
    config: MuseDanceConfig, split: str, size: int | None = None, moves: Sequence[str] = MOVES
) -> World:
    """Returns the world of the scenes of a split, in pictures of `size` pixels."""
    return World(
        *(split, size or scene_size(config)),
        songs=SONGS,
        mel_bins=config.music.mel_bins,
        edited=0.0,
        continued=0.0,
        moves=moves,
    )


def world_scenes(
    config: MuseDanceConfig,
    split: str,
    count: int,
    frames: int,
    moves: Sequence[str] = MOVES,
    size: int | None = None,
) -> Iterator[Scene]:
    """Yields the first `count` clips of the world's split, each `frames` frames long, in pictures
    of `size` pixels."""
    world = scene_world(config, split, size, moves)
    for index in range(count):
        yield world_scene(world, index, frames)


def world_scene(world: World, index: int, frames: int) -> Scene:
    """Returns clip `index` of a world."""
    batch = world.clips([index], frames)
    shot = batch.shots[0]
    return Scene(
        name=f"{world.cast.split}-{index:04d}",
        truth=quantise(batch.frames[0]),
        reference=quantise(batch.reference[0]),
        part_map=batch.part_map[0],
        song=world.song(batch.song_indices[0]).wave,
        music=f"song {batch.song_indices[0]}",
        grid=batch.grids[0],
        start=batch.starts[0],
        caption=batch.captions[0],
        dance=batch.dances[0],
        mask=F.avg_pool2d(shot.figure[3:], PLAN_SCALE)[0],
        motion=batch.motions[0][PREVIOUS:],
        rig=replace(shot.rig.scaled((world.size, world.size)), parts=shot.rig.parts),
        background=quantise(shot.appearance.background),
    )


def chosen_records(folder: str, split: str, count: int, seed: int) -> list[ClipRecord]:
    """Returns `count` random clips of a data set's split, or all if it has fewer.

    Raises:
        InputError: there is no data set, or its split is empty.
    """
    records = [record for record in read_metadata(folder) if record.split == split]
    if not records:
        raise InputError(f"The data set in {folder} has no clips in its split {split!r}.")
    order = np.random.default_rng(seed).permutation(len(records))
    return [records[i] for i in sorted(order[:count].tolist())]


def require_rate(folder: str, records: list[ClipRecord], clip: ClipConfig) -> None:
    """Checks that all clips have the checkpoint's frame rate.

    Raises:
        InputError: one has another frame rate; the message names it.
    """
    for record in records:
        if record.fps != clip.fps:
            path = Path(folder) / record.file_name
            raise InputError(f"{path} has {record.fps} fps, the checkpoint has {clip.fps}.")


def dataset_scenes(
    config: MuseDanceConfig, folder: str, records: list[ClipRecord]
) -> Iterator[Scene]:
    """Yields the clips `records` of a data set, from their first frame, at most one segment long.

    Raises:
        InputError: a clip's files cannot be read.
    """
    size = scene_size(config)
    for record in records:
        frames = range(min(record.frames, config.clip.frames))
        truth = quantise(read_frames(folder, record, frames, size))
        maps = read_part_maps(folder, record, [0], size)
        yield Scene(
            name=record.key,
            truth=truth,
            reference=truth[0],
            part_map=None if maps is None else maps[0],
            song=read_track(folder, record),
            music=record.track_id,
            grid=BeatGrid(np.array(record.beats), np.array(record.downbeats), record.tempo),
            start=record.start,
            caption=record.text,
            dance=None,
        )
