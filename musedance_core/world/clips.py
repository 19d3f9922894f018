"""Clips of the dance world with exact ground truth, addressed by index.

A clip is a pure function of (split, seed, index) and of the `World`'s settings. Its motion is a
function of exactly the model's inputs: picture, song, beat grid, sentence and previous frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..audio.beats import BeatGrid, beat_frames
from ..audio.mel import clip_window, song_log_mel
from ..audio.waveform import Waveform
from .captions import caption
from .cast import Appearance, Cast
from .choreography import (
    MOVES,
    Dance,
    Pose,
    blend,
    body_points,
    ease,
    perform,
    random_dance,
    stack_poses,
)
from .clip_music import ClipMusic, clip_music, random_beat_edit
from .render import Rendered, render
from .songs import Song, make_song

SPLITS = ("train", "validation", "test")
FPS = 12
PREVIOUS = 2
SONG_SECONDS = 24.0
EDITED_SHARE = 0.3
CONTINUED_SHARE = 0.5
SWITCHED_SHARE = 0.15
SWITCH_FRAMES = 4
CLIP_STREAM, PICTURE_STREAM, PAIR_STREAM, SONG_STREAM = range(4)
BYSTANDER = 1
SILENCE = Waveform(np.zeros((1, 1), np.float32), 32_000)


@dataclass(frozen=True)
class BodyBatch:
    """A batch of clips without rendered frames: conditions and body positions.

    reference [b 3 h w] are pictures 0..1; part_map [b h w] int64 belongs to them. mel [b 1024 mel]
    is the log-mel around the clip. beat_ids [b f] int64 and beat_count [b f] float32 come from a
    grid that may be edited. outlines [b f 9 2] and still_outline [b 9 2] are the `body_points` in
    frames and reference, x and y as shares of the picture.
    """

    reference: Tensor
    part_map: Tensor
    captions: list[str]
    mel: Tensor
    beat_ids: Tensor
    beat_count: Tensor
    outlines: Tensor
    still_outline: Tensor


@dataclass(frozen=True)
class ClipBatch(BodyBatch):
    """A batch of rendered clips with their conditions and exact motion.

    frames [b f 3 h w] and previous [b m 3 h w] are pictures 0..1; `previous`
    are the m frames before the clip or, where `continued` [b] is False, the reference m times.
    Where `switched` [b] is True, the previous frames show another dance, and the dancer changes
    over during the clip's first `SWITCH_FRAMES` frames.
    positions [b f p 2] are pixels (x, y) of the parts, NaN where a subject has fewer than p.
    poses [b f] are the dancers' poses, frozen [b f] bool the frames in which they hold still.
    starts [b] are the seconds of the `songs` at which the clips start. `songs` hold beats and
    energy but no sound; `World.song` returns the sound as well.
    """

    frames: Tensor
    previous: Tensor
    positions: Tensor
    poses: Pose
    frozen: Tensor
    continued: Tensor
    switched: Tensor
    dances: list[Dance]
    songs: list[Song]
    song_indices: list[int]
    grids: list[BeatGrid]
    starts: list[float]


@dataclass(frozen=True)
class _Scene:
    """All random choices of one clip.

    `music` covers the m previous frames, the f frames and the reference; `before` is the previous
    dance where the clip begins with a change of dance.
    """

    appearance: Appearance
    dance: Dance
    caption: str
    song_index: int
    grid: BeatGrid
    start: float
    continued: bool
    before: Dance | None
    music: ClipMusic

    def to_song_of(self, other: _Scene) -> _Scene:
        """Returns this dancer and sentence with the other scene's song."""
        return replace(other, appearance=self.appearance, dance=self.dance, caption=self.caption)

    def pose(self) -> Pose:
        """Returns the poses of all frames that `music` covers."""
        pose = self.music.perform(self.dance)
        return pose if self.before is None else _switch(self.music.perform(self.before), pose)


class World:
    """The dance world of one split, "train", "validation" or "test"; see `__init__`."""

    def __init__(
        self,
        split: str = "train",
        size: int = 64,
        seed: int = 0,
        songs: int = 64,
        mel_bins: int = 64,
        mixture: Mapping[str, float] | None = None,
        font: str | None = None,
        flat_backgrounds: bool = False,
        edited: float | None = None,
        continued: float = CONTINUED_SHARE,
        switched: float | None = None,
        moves: Sequence[str] = MOVES,
        bystanders: float = 0.0,
    ) -> None:
        """Pictures are `size` x `size`; `songs` is the size of the bank, filled as it is used.

        mixture: weights of the kinds of subjects, "emoji" and "puppet".
        edited: share of clips with a beat grid that was edited against the sound and is danced as
            it is; by default 0.3 in training and 0 elsewhere.
        continued: share of clips that include the true previous frames.
        switched: share of those with another sentence before the clip; by default 0.15 in training
            and 0 elsewhere.
        moves: the moves to draw from.
        bystanders: share of clips and pairs with a motionless bystander in the picture; the part
            map identifies the dancer.

        Raises:
            ValueError: an unknown split or kind of subject.
            InputError: `mixture` includes emoji and the font is missing.
        """
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}: {split!r}")
        self.size, self.mel_bins, self.song_count = size, mel_bins, songs
        self.key = (seed, SPLITS.index(split))
        self.cast = Cast(split, size, mixture, font, flat_backgrounds)
        self.edited = edited if edited is not None else EDITED_SHARE * (split == "train")
        self.continued, self.moves, self.bystanders = continued, tuple(moves), bystanders
        self.switched = switched if switched is not None else SWITCHED_SHARE * (split == "train")
        self._songs: dict[int, tuple[Song, Tensor]] = {}

    def clips(
        self, indices: Sequence[int], frames: int = 48, to: Sequence[int] | None = None
    ) -> ClipBatch:
        """Returns the clips with these indices, each `frames` long.

        With `to`, they are danced to the songs of the clips with those indices instead.
        """
        scenes = [self._scene(index, frames) for index in indices]
        if to is not None:
            others = [self._scene(index, frames) for index in to]
            scenes = [mine.to_song_of(other) for mine, other in zip(scenes, others, strict=True)]
        pose = stack_poses([scene.pose() for scene in scenes])
        rendered = _render([scene.appearance for scene in scenes], pose)
        before, clip, still = torch.split(rendered.frames, [PREVIOUS, frames, 1], dim=1)
        continued = torch.tensor([scene.continued for scene in scenes])
        previous = torch.where(continued[:, None, None, None, None], before, still)
        outlines = _outlines(scenes, pose)
        mel, beat_ids, beat_count = self._music(scenes, frames)
        return ClipBatch(
            frames=clip,
            previous=previous,
            reference=still[:, 0],
            part_map=rendered.part_map[:, -1],
            captions=[scene.caption for scene in scenes],
            mel=mel,
            beat_ids=beat_ids,
            beat_count=beat_count,
            outlines=outlines[:, PREVIOUS:-1],
            still_outline=outlines[:, -1],
            positions=rendered.positions[:, PREVIOUS:-1],
            poses=Pose.from_stacked(pose.stacked()[:, PREVIOUS:-1]),
            frozen=torch.from_numpy(np.stack([s.music.frozen[PREVIOUS:-1] for s in scenes])),
            continued=continued,
            switched=torch.tensor([scene.before is not None for scene in scenes]),
            dances=[scene.dance for scene in scenes],
            songs=[self._cached_song(scene.song_index)[0] for scene in scenes],
            song_indices=[scene.song_index for scene in scenes],
            grids=[scene.grid for scene in scenes],
            starts=[scene.start for scene in scenes],
        )

    def bodies(self, indices: Sequence[int], frames: int) -> BodyBatch:
        """Returns the body positions of the clips with these indices, without rendering frames."""
        scenes = [self._scene(index, frames) for index in indices]
        pose = stack_poses([scene.pose() for scene in scenes])
        still = Pose.from_stacked(pose.stacked()[:, -1:])
        rendered = _render([scene.appearance for scene in scenes], still)
        outlines = _outlines(scenes, pose)
        mel, beat_ids, beat_count = self._music(scenes, frames)
        return BodyBatch(
            reference=rendered.frames[:, 0],
            part_map=rendered.part_map[:, 0],
            captions=[scene.caption for scene in scenes],
            mel=mel,
            beat_ids=beat_ids,
            beat_count=beat_count,
            outlines=outlines[:, PREVIOUS:-1],
            still_outline=outlines[:, -1],
        )

    def pictures(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns single pictures [b 3 h w] of dancers in mid-dance, and part maps [b h w]."""
        rngs = [self._rng(PICTURE_STREAM, index) for index in indices]
        appearances = [self.cast.appearance(rng) for rng in rngs]
        pose = stack_poses([_moments(random_dance(rng, self.moves), rng, 1) for rng in rngs])
        rendered = _render(appearances, pose)
        return rendered.frames[:, 0], rendered.part_map[:, 0]

    def pairs(self, indices: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, list[str]]:
        """Returns two moments of one dance: reference and target [b 3 h w], the reference's part
        map [b h w], and captions.
        """
        rngs = [self._rng(PAIR_STREAM, index) for index in indices]
        appearances = [
            self._appearance(PAIR_STREAM, index, rng)
            for index, rng in zip(indices, rngs, strict=True)
        ]
        dances = [random_dance(rng, self.moves) for rng in rngs]
        captions = [caption(dance, rng) for dance, rng in zip(dances, rngs, strict=True)]
        poses = [_moments(dance, rng, 2) for dance, rng in zip(dances, rngs, strict=True)]
        rendered = _render(appearances, stack_poses(poses))
        return rendered.frames[:, 0], rendered.frames[:, 1], rendered.part_map[:, 0], captions

    def song(self, index: int) -> Song:
        """Returns song `index` of the bank, with its sound."""
        return make_song(self._song_seed(), index, seconds=SONG_SECONDS)

    def _music(self, scenes: Sequence[_Scene], frames: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns mel [b 1024 mel], beat ids [b f] and beat counts [b f]."""
        beats = [beat_frames(scene.grid, scene.start, frames, FPS) for scene in scenes]
        mels = [
            clip_window(self._cached_song(scene.song_index)[1], scene.start, frames, FPS)
            for scene in scenes
        ]
        ids = torch.from_numpy(np.stack([beat.ids for beat in beats]))
        count = torch.from_numpy(np.stack([beat.count for beat in beats])).float()
        return torch.stack(mels), ids, count

    def _song_seed(self) -> int:
        return int(np.random.default_rng((*self.key, SONG_STREAM)).integers(2**31))

    def _cached_song(self, index: int) -> tuple[Song, Tensor]:
        if index not in self._songs:
            song = self.song(index)
            mel = song_log_mel(song.wave, self.mel_bins)
            self._songs[index] = replace(song, wave=SILENCE), mel
        return self._songs[index]

    def _rng(self, stream: int, *index: int) -> np.random.Generator:
        return np.random.default_rng((*self.key, stream, *index))

    def _appearance(self, stream: int, index: int, rng: np.random.Generator) -> Appearance:
        """Returns a dancer, with a bystander in a share of `bystanders`.

        The bystander has random numbers of its own, so that it does not change the others.
        """
        dancer, own = self.cast.appearance(rng), self._rng(stream, index, BYSTANDER)
        if own.random() < self.bystanders:
            dancer = self.cast.with_bystander(dancer, own)
        return dancer

    def _scene(self, index: int, frames: int) -> _Scene:
        rng = self._rng(CLIP_STREAM, index)
        appearance = self._appearance(CLIP_STREAM, index, rng)
        dance = random_dance(rng, self.moves)
        sentence = caption(dance, rng)
        song_index = int(rng.integers(self.song_count))
        song, _ = self._cached_song(song_index)
        grid = random_beat_edit(song.grid, rng) if rng.random() < self.edited else song.grid
        start = float(rng.uniform(PREVIOUS / FPS, SONG_SECONDS - frames / FPS))
        continued = bool(rng.random() < self.continued)
        switched = continued and bool(rng.random() < self.switched)
        times = start + np.arange(-PREVIOUS, frames) / FPS
        music = clip_music(song, grid, np.append(times, rng.uniform(0, SONG_SECONDS)))
        return _Scene(
            appearance=appearance,
            dance=dance,
            caption=sentence,
            song_index=song_index,
            grid=grid,
            start=start,
            continued=continued,
            before=random_dance(rng, self.moves) if switched else None,
            music=music,
        )


def _moments(dance: Dance, rng: np.random.Generator, count: int) -> Pose:
    """Returns `count` random moments of a dance."""
    smoothness = float(rng.random())
    return perform(dance, rng.uniform(0, 2, count), rng.random(count), smoothness)


def _switch(before: Pose, after: Pose) -> Pose:
    """Starts with `before` in the m previous frames and blends its last pose into `after`."""
    values = before.stacked()
    values[PREVIOUS:] = values[PREVIOUS - 1]
    frame = np.arange(1 - PREVIOUS, after.shape[0] + 1 - PREVIOUS)
    share = ease(np.clip(frame / (SWITCH_FRAMES + 1), 0, 1), 1.0)
    return blend(Pose.from_stacked(values), after, torch.from_numpy(share).float())


def _outlines(scenes: Sequence[_Scene], pose: Pose) -> Tensor:
    """Returns the body points as shares of the picture, `[b f 9 2]`."""
    places = torch.tensor([scene.appearance.place for scene in scenes])[:, None, None]
    return body_points(pose).float() * places[..., 2:] + places[..., :2]


def _render(appearances: Sequence[Appearance], pose: Pose) -> Rendered:
    return render(
        [one.subject for one in appearances],
        torch.stack([one.background for one in appearances]),
        pose,
        torch.tensor([one.place for one in appearances]),
    )
