"""Training samples of the choreographer: dances of the world with their songs, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...audio.beats import BeatGrid, beat_frames
from ...audio.mel import clip_window
from ...config import MuseDanceConfig
from ...models.tokenizer import Tokenizer
from ...world.clip_music import ClipMusic, clip_music, random_beat_edit
from ...world.dances.captions import caption, random_sentence
from ...world.dances.dance import Dance, Take, random_dance, random_take
from ...world.dances.performing import dance_motions
from ...world.easing import ease
from ...world.song_bank import SongBank
from ...world.songs import SONG_SECONDS, Song, make_song
from ..config import DataConfig
from ..stages.base import SPLIT_SEEDS, Batch

DANCE_STREAM, SONG_STREAM, WINDOW_STREAM, SENTENCE_STREAM = 201, 202, 203, 204


@dataclass(frozen=True)
class DanceSampling:
    """Songs, sentences and the poses before, of training samples."""

    sentences: int = 8192  # different sentences in training, each of which is encoded once
    windows: int = 24  # places in a song to start at: the music is encoded once for each of them
    any_tempo: float = 0.35  # share of songs at any tempo; the others have one of their genre
    tempo: tuple[float, float] = (60.0, 190.0)  # range of these, in beats a minute
    edited: float = 0.5  # share of samples with edited beats, in training
    continued: float = 0.5  # share of samples with the poses before them
    switched: float = 0.3  # share of those with another dance before them, in training
    switch_seconds: float = 0.6  # time that the change from one dance to another takes


SAMPLING = DanceSampling()


@dataclass(frozen=True)
class DanceScene:
    """All random choices of one sample.

    Attributes:
        sentence: caption of `dance`, or "".
        song, window: indices of the song in the bank and of the sample's place in it.
        grid: beats to dance to.
        start: start of the sample in the song, in seconds.
        continued: whether the poses before the sample are known.
        before: the dance before the sample, if it is another one.
        music: of the poses before the sample and in it.
    """

    dance: Dance
    take: Take
    sentence: str
    song: int
    window: int
    grid: BeatGrid
    start: float
    continued: bool
    before: tuple[Dance, Take] | None
    music: ClipMusic


class WorldDances:
    """Segments of dances with sentence, song, beats and the poses before.

    A batch holds `poses [b k 27]` and `previous [b m 27]` as `DanceMotion.features`, `continued
    [b]`, `mel [b 1024 mel]` with `window [b]`, a number for each different window of music,
    `beat_ids` and `beat_count [b f]`, and the sentence's `ids [b 77]`.

    Raises:
        ValueError: the model has no choreographer.
    """

    def __init__(
        self, model: MuseDanceConfig, data: DataConfig, tokenizer: Tokenizer, split: str
    ) -> None:
        if model.choreographer is None:
            raise ValueError("the model has no choreographer")
        self.model, self.data, self.tokenizer, self.split = model, data, tokenizer, split
        self.poses = model.choreographer.poses
        self.frames, self.previous = model.clip.frames, model.choreographer.previous
        self.fps = model.clip.fps * self.poses
        self.seed = data.seed * 3 + SPLIT_SEEDS[split]
        self.songs = SongBank(self.song, model.music.mel_bins)

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"{self.split} dance {index} of the world" for index in indices]

    def song(self, index: int) -> Song:
        """Returns song `index`, with its sound."""
        rng = np.random.default_rng((self.seed, SONG_STREAM, index))
        tempo = float(rng.uniform(*SAMPLING.tempo)) if rng.random() < SAMPLING.any_tempo else None
        return make_song(self.seed, index, tempo=tempo)

    def __call__(self, indices: list[int]) -> Batch:
        scenes = [self.scene(index) for index in indices]
        features = self.features(scenes)
        m = self.previous * self.poses
        clip = self.model.clip
        beats = [beat_frames(s.grid, s.start, clip.frames, clip.fps) for s in scenes]
        mels = [
            clip_window(
                self.songs[s.song][1], s.start, clip.frames, clip.fps, self.model.music.length
            )
            for s in scenes
        ]
        return {
            "poses": features[:, m:],
            "previous": features[:, :m],
            "continued": torch.tensor([scene.continued for scene in scenes]),
            "mel": torch.stack(mels),
            "window": torch.tensor([s.song * SAMPLING.windows + s.window for s in scenes]),
            "beat_ids": torch.from_numpy(np.stack([beat.ids for beat in beats])),
            "beat_count": torch.from_numpy(np.stack([beat.count for beat in beats])).float(),
            "ids": self.tokenizer.encode([scene.sentence for scene in scenes]),
        }

    def features(self, scenes: Sequence[DanceScene]) -> Tensor:
        """Returns the features `[b m+k 27]` of the poses before each sample and in it."""
        music = [scene.music for scene in scenes]
        motions = dance_motions(
            [scene.dance for scene in scenes], music, [scene.take for scene in scenes], self.fps
        )
        features = torch.stack([motion.features() for motion in motions])
        # Go over from the dance before, where it is another one.
        for i, scene in enumerate(scenes):
            if scene.before is not None:
                dance, take = scene.before
                (motion,) = dance_motions([dance], [scene.music], [take], self.fps)
                features[i] = self._go_over(motion.features(), features[i])
        return features

    def _go_over(self, before: Tensor, after: Tensor) -> Tensor:
        """Features `[m+k 27]` of `before`, from the first pose of the sample on going over to
        `after`."""
        m = self.previous * self.poses
        pose = np.arange(len(after)) - m + 1
        way = ease(np.clip(pose / (SAMPLING.switch_seconds * self.fps), 0, 1), 1.0)
        share = torch.from_numpy(way).float()[:, None]
        return before + share * (after - before)

    def scene(self, index: int) -> DanceScene:
        """Returns the choices of sample `index`."""
        rng = np.random.default_rng((self.seed, DANCE_STREAM, index))
        training = self.split == "train"
        # The song, a place in it, and the beats, as they are or edited.
        number, window = int(rng.integers(self.data.songs)), int(rng.integers(SAMPLING.windows))
        song, _ = self.songs[number]
        place = np.random.default_rng((self.seed, WINDOW_STREAM, number, window)).random()
        lead = self.previous / self.model.clip.fps
        start = float(lead + place * (SONG_SECONDS - lead - self.model.clip.seconds))
        edited = rng.random() < SAMPLING.edited and training
        grid = random_beat_edit(song.grid, rng) if edited else song.grid
        poses = np.arange(-self.previous * self.poses, self.frames * self.poses)
        music = clip_music(song, grid, start + poses / self.fps)
        # The sentence, in training sometimes an empty one, and the take.
        if training:
            energy = float(music.energy.mean())
            place_in_bank = int(rng.integers(SAMPLING.sentences))
            words = np.random.default_rng((self.seed, SENTENCE_STREAM, place_in_bank))
            dance, sentence = random_sentence(words, energy, song.smoothness)
        else:
            dance = random_dance(rng)
            sentence = caption(dance, rng)
        continued = bool(rng.random() < SAMPLING.continued)
        switched = continued and training and rng.random() < SAMPLING.switched
        before = (random_dance(rng), random_take(rng)) if switched else None
        take = random_take(rng)
        return DanceScene(
            dance, take, sentence, number, window, grid, start, continued, before, music
        )
