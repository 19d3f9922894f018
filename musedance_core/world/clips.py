"""Clips of the dance world with exact ground truth, addressed by index.

A clip is a pure function of (split, seed, index) and of the `World`'s settings. Its motion is a
function of the model's inputs (picture, song, beat grid, sentence and previous frames) and of a
take, which is what another seed changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..audio.beats import BeatGrid, beat_frames
from ..audio.mel import clip_window
from ..dance.motion import DanceMotion
from .cast import Appearance, Cast
from .clip_music import ClipMusic, clip_music, random_beat_edit
from .dances import (
    MOVES,
    Dance,
    Take,
    caption,
    dance_motion,
    random_dance,
    random_sentence,
    random_take,
)
from .easing import ease
from .rest_poses import random_rest_pose
from .shots import Shot, canvas_joints, dance_frames, planned_frames, shot
from .song_bank import SongBank
from .songs import SONG_SECONDS, Song, make_song

SPLITS = ("train", "validation", "test")
FPS = 12
PREVIOUS = 2
"""Frames before a clip that the denoiser sees (the paper's m)."""
CLIP_STREAM, PICTURE_STREAM, PAIR_STREAM, SONG_STREAM = range(4)
"""Random numbers of clips, of single pictures, of pairs and of the bank of songs."""
BYSTANDER = 1
"""Random numbers of a bystander, within those of a clip or pair."""


@dataclass(frozen=True)
class ClipShares:
    """Shares of clips and pictures; see `World`."""

    edited: float = 0.3  # clips with edited beats, in training
    continued: float = 0.5  # clips with the true frames before them
    switched: float = 0.15  # those of them with another dance there, in training
    mid_dance: float = 0.3  # pictures of a dancer in mid-dance; the others show one who poses


SHARES = ClipShares()
SWITCH_FRAMES = 4
"""Frames of a clip in which the dancer changes from the dance before it."""


@dataclass(frozen=True)
class ClipBatch:
    """A batch of rendered clips with their conditions and exact motion.

    Attributes:
        reference: pictures `[b 3 h w]` in 0..1.
        part_map: `[b h w]` int64 of these pictures.
        captions: the sentences; an empty one leaves the dance to the song.
        mel: `[b 1024 mel]`, the log-mel around the clip.
        beat_ids, beat_count: `[b f]` int64 and float32 of a grid that may be edited.
        frames: `[b f 3 h w]` in 0..1.
        previous: `[b m 3 h w]`, the frames before the clip or, where `continued` is False, the
            reference m times.
        planned, coverage: the dance as it is planned from the picture (`shots.planned_frames`),
            `[b f 3 h w]` and `[b f 1 h w]`.
        joints: `[b f 16 2]` in pixels, NaN where a dancer has none.
        motions: the dances over the previous frames and the clip's, at 12 poses a second.
        frozen: `[b f]` bool, the frames in which the dancer holds still.
        continued, switched: `[b]` bool. Where `switched`, the previous frames show another dance,
            and the dancer changes over during the clip's first `SWITCH_FRAMES` frames.
        songs: with beats and energy but no sound; `World.song` returns the sound as well.
        starts: seconds of the `songs` at which the clips start.
    """

    reference: Tensor
    part_map: Tensor
    captions: list[str]
    mel: Tensor
    beat_ids: Tensor
    beat_count: Tensor
    frames: Tensor
    previous: Tensor
    planned: Tensor
    coverage: Tensor
    joints: Tensor
    motions: list[DanceMotion]
    frozen: Tensor
    continued: Tensor
    switched: Tensor
    dances: list[Dance]
    takes: list[Take]
    shots: list[Shot]
    songs: list[Song]
    song_indices: list[int]
    grids: list[BeatGrid]
    starts: list[float]


@dataclass(frozen=True)
class _Scene:
    """All random choices of one clip.

    `music` covers the m previous frames and the f frames; `before` is the previous dance where the
    clip begins with a change of dance.
    """

    appearance: Appearance
    pose: DanceMotion
    dance: Dance
    take: Take
    caption: str
    song_index: int
    grid: BeatGrid
    start: float
    continued: bool
    before: Dance | None
    music: ClipMusic

    def to_song_of(self, other: _Scene) -> _Scene:
        """Returns this dancer and sentence with the other scene's song."""
        return replace(
            other,
            appearance=self.appearance,
            pose=self.pose,
            dance=self.dance,
            take=self.take,
            caption=self.caption,
        )

    def motion(self) -> DanceMotion:
        """Returns the poses of all frames that `music` covers."""
        motion = dance_motion(self.dance, self.music, self.take, FPS)
        if self.before is None:
            return motion
        return _switch(dance_motion(self.before, self.music, self.take, FPS), motion)


class World:
    """The dance world of one split, "train", "validation" or "test"; see `__init__`.

    Only sentences of the training split may leave the move to the song.
    """

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
        continued: float = SHARES.continued,
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
        self.edited = edited if edited is not None else SHARES.edited * (split == "train")
        self.continued, self.moves, self.bystanders = continued, tuple(moves), bystanders
        self.open_sentences = split == "train"
        self.switched = switched if switched is not None else SHARES.switched * (split == "train")
        self._songs = SongBank(self.song, mel_bins)

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
        motions = [scene.motion() for scene in scenes]
        shots = [shot(scene.appearance, scene.pose) for scene in scenes]

        # True frames before and in the clip, and the plan of the clip from the picture.
        true = [dance_frames(s.appearance, m) for s, m in zip(scenes, motions, strict=True)]
        rendered = torch.stack([pictures for pictures, _ in true])
        plans = [planned_frames(s, m[PREVIOUS:]) for s, m in zip(shots, motions, strict=True)]
        still = torch.stack([s.picture for s in shots])
        continued = torch.tensor([scene.continued for scene in scenes])
        before = rendered[:, :PREVIOUS]
        previous = torch.where(continued[:, None, None, None, None], before, still[:, None])
        mel, beat_ids, beat_count = self._music(scenes, frames)
        return ClipBatch(
            reference=still,
            part_map=torch.stack([s.part_map for s in shots]),
            captions=[scene.caption for scene in scenes],
            mel=mel,
            beat_ids=beat_ids,
            beat_count=beat_count,
            frames=rendered[:, PREVIOUS:],
            previous=previous,
            planned=torch.stack([planned for planned, _ in plans]),
            coverage=torch.stack([alpha for _, alpha in plans]),
            joints=torch.stack(
                [
                    _visible(scene.appearance, canvas_joints(posed, scene.appearance.canvas))
                    for scene, (_, posed) in zip(scenes, true, strict=True)
                ]
            )[:, PREVIOUS:],
            motions=motions,
            frozen=torch.from_numpy(np.stack([s.music.frozen[PREVIOUS:] for s in scenes])),
            continued=continued,
            switched=torch.tensor([scene.before is not None for scene in scenes]),
            dances=[scene.dance for scene in scenes],
            takes=[scene.take for scene in scenes],
            shots=shots,
            songs=[self._songs[scene.song_index][0] for scene in scenes],
            song_indices=[scene.song_index for scene in scenes],
            grids=[scene.grid for scene in scenes],
            starts=[scene.start for scene in scenes],
        )

    def pictures(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns single pictures [b 3 h w] of dancers, and part maps [b h w]."""
        shots = []
        for index in indices:
            rng = self._rng(PICTURE_STREAM, index)
            appearance = self.cast.appearance(rng)
            shots.append(shot(appearance, self._pose(rng)))
        return torch.stack([s.picture for s in shots]), torch.stack([s.part_map for s in shots])

    def pairs(self, indices: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, list[str]]:
        """Returns a picture and a moment of a dance: reference and target [b 3 h w], the
        reference's part map [b h w], and captions.
        """
        shots, targets, captions = [], [], []
        for index in indices:
            rng = self._rng(PAIR_STREAM, index)
            appearance = self._appearance(PAIR_STREAM, index, rng)
            dance = random_dance(rng, self.moves)
            captions.append(caption(dance, rng))
            shots.append(shot(appearance, self._pose(rng)))
            targets.append(dance_frames(appearance, random_moment(dance, rng))[0][0])
        return (
            torch.stack([s.picture for s in shots]),
            torch.stack(targets),
            torch.stack([s.part_map for s in shots]),
            captions,
        )

    def song(self, index: int) -> Song:
        """Returns song `index` of the bank, with its sound."""
        return make_song(self._song_seed(), index)

    def _music(self, scenes: Sequence[_Scene], frames: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns mel [b 1024 mel], beat ids [b f] and beat counts [b f]."""
        beats = [beat_frames(scene.grid, scene.start, frames, FPS) for scene in scenes]
        mels = [
            clip_window(self._songs[scene.song_index][1], scene.start, frames, FPS)
            for scene in scenes
        ]
        ids = torch.from_numpy(np.stack([beat.ids for beat in beats]))
        count = torch.from_numpy(np.stack([beat.count for beat in beats])).float()
        return torch.stack(mels), ids, count

    def _song_seed(self) -> int:
        return int(np.random.default_rng((*self.key, SONG_STREAM)).integers(2**31))

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

    def _pose(self, rng: np.random.Generator) -> DanceMotion:
        """Returns the pose of a picture."""
        if rng.random() < SHARES.mid_dance:
            return random_moment(random_dance(rng, self.moves), rng)
        return random_rest_pose(rng, 0.0)

    def _scene(self, index: int, frames: int) -> _Scene:
        rng = self._rng(CLIP_STREAM, index)
        appearance = self._appearance(CLIP_STREAM, index, rng)
        pose = self._pose(rng)
        song_index = int(rng.integers(self.song_count))
        song, _ = self._songs[song_index]
        grid = random_beat_edit(song.grid, rng) if rng.random() < self.edited else song.grid
        start = float(rng.uniform(PREVIOUS / FPS, SONG_SECONDS - frames / FPS))
        energy = float(np.mean(song.energy_at(start + np.arange(frames) / FPS)))
        if self.open_sentences:
            dance, sentence = random_sentence(rng, energy, song.smoothness, self.moves)
        else:
            dance = random_dance(rng, self.moves)
            sentence = caption(dance, rng)
        take = random_take(rng)
        # Drawn last, so that the shares of these do not change the rest.
        continued = bool(rng.random() < self.continued)
        switched = continued and bool(rng.random() < self.switched)
        times = start + np.arange(-PREVIOUS, frames) / FPS
        return _Scene(
            appearance=appearance,
            pose=pose,
            dance=dance,
            take=take,
            caption=sentence,
            song_index=song_index,
            grid=grid,
            start=start,
            continued=continued,
            before=random_dance(rng, self.moves) if switched else None,
            music=clip_music(song, grid, times),
        )


def random_moment(dance: Dance, rng: np.random.Generator) -> DanceMotion:
    """Returns one random moment of a dance."""
    count = rng.uniform(0, 8, 1)
    music = ClipMusic(
        count=count,
        energy=rng.random(1),
        smoothness=float(rng.random()),
        frozen=np.zeros(1, dtype=bool),
        origin=np.floor(count),
    )
    return dance_motion(dance, music, random_take(rng), FPS)


def _switch(before: DanceMotion, after: DanceMotion) -> DanceMotion:
    """Starts with `before` in the m previous frames and blends its last pose into `after`."""
    start = before.features()
    start[PREVIOUS:] = start[PREVIOUS - 1]
    frame = np.arange(1 - PREVIOUS, len(after) + 1 - PREVIOUS)
    share = torch.from_numpy(ease(np.clip(frame / (SWITCH_FRAMES + 1), 0, 1), 1.0)).float()
    blended = torch.lerp(start, after.features(), share[:, None])
    return DanceMotion.from_features(blended, FPS)


def _visible(appearance: Appearance, joints: Tensor) -> Tensor:
    """Joints `[f 16 2]`, NaN where the dancer has none."""
    present = appearance.figure.body.present
    return torch.where(present[:, None], joints, torch.nan)
