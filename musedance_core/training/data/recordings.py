"""Samples of a data set on disk, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...audio.beats import BeatGrid, beat_frames
from ...audio.mel import clip_window
from ...config import MuseDanceConfig
from ...dataset.format import ClipRecord, read_metadata, verify_splits
from ...dataset.reading import read_frames, read_part_maps
from ...errors import InputError
from ...models.tokenizer import Tokenizer
from ..config import DataConfig
from ..stages.base import LATENTS, Batch
from .caches import CachedClip, ClipCache, TrackMels, possible_offsets

CONTINUED_SHARE = 0.5
"""Share of the samples that continue from the frames before them, as a second segment does."""
ORDER_STREAM, SAMPLE_STREAM = 200, 201


def split_records(folder: str, split: str) -> list[ClipRecord]:
    """Returns the clips of one split.

    Raises:
        InputError: there is no data set, its splits share a song or video, or this one is empty.
    """
    records = read_metadata(folder)
    verify_splits(records)
    chosen = [record for record in records if record.split == split]
    if not chosen:
        raise InputError(f"The data set {folder} has no clip in its split {split!r}.")
    return chosen


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Returns the permutation of `count` clips in one epoch."""
    return np.random.default_rng((seed, ORDER_STREAM, epoch)).permutation(count)


def track_beats(record: ClipRecord) -> BeatGrid:
    """Returns the beats of the clip's track."""
    return BeatGrid(np.array(record.beats), np.array(record.downbeats), record.tempo)


@dataclass(frozen=True)
class FrameSelection:
    """The frames of a clip that make up one sample, as frame numbers in the clip's file."""

    record: ClipRecord
    frames: list[int]
    previous: list[int]
    reference: int

    @property
    def start(self) -> float:
        """The sample's start in the track, in seconds."""
        return self.record.start + self.frames[0] / self.record.fps


class RecordedSource:
    """Samples of a data set; subclasses select the frames and load them."""

    def __init__(
        self,
        model: MuseDanceConfig,
        data: DataConfig,
        tokenizer: Tokenizer,
        split: str,
        cache: ClipCache | None,
    ) -> None:
        """
        Raises:
            InputError: the data set cannot be read, or a clip does not suit the model.
        """
        self.model, self.data, self.tokenizer, self.cache = model, data, tokenizer, cache
        self.track_mels = TrackMels(data.dataset, model.music.mel_bins)
        self.records = split_records(data.dataset, split)
        for record in self.records:
            self.check_clip(record)
        self._epoch, self._order = 0, epoch_order(len(self.records), data.seed, 0)

    def check_clip(self, record: ClipRecord) -> None:
        """Refuses a clip from which no sample can be taken.

        Raises:
            InputError: its frame rate is not the model's, or it is too short.
        """
        if record.fps != self.model.clip.fps:
            raise InputError(
                f"{record.file_name} has {record.fps} frames a second, the model "
                f"{self.model.clip.fps}."
            )

    def names(self, indices: Sequence[int]) -> list[str]:
        return [self.record(index).file_name for index in indices]

    def record(self, index: int) -> ClipRecord:
        """Returns the clip of a sample; every epoch has its own order."""
        epoch, place = divmod(index, len(self.records))
        if self._epoch != epoch:
            self._epoch = epoch
            self._order = epoch_order(len(self.records), self.data.seed, epoch)
        return self.records[int(self._order[place])]

    def __call__(self, indices: list[int]) -> Batch:
        samples = [self.sample(index) for index in indices]
        return {name: torch.stack([s[name] for s in samples]) for name in samples[0]}

    def sample(self, index: int) -> Batch:
        """Returns one sample, without a batch axis."""
        record = self.record(index)
        rng = np.random.default_rng((self.data.seed, SAMPLE_STREAM, index))
        selection = self.select_frames(record, rng)
        return self.load(selection, None if self.cache is None else self.cache.read(record))

    def select_frames(self, record: ClipRecord, rng: np.random.Generator) -> FrameSelection:
        """Chooses the frames of a sample at random."""
        raise NotImplementedError

    def load(self, selection: FrameSelection, cached: CachedClip | None) -> Batch:
        """Returns the sample of these frames, from the clip's cache entry where there is one."""
        raise NotImplementedError

    def load_frames(
        self, selection: FrameSelection, cached: CachedClip | None, numbers: dict[str, list[int]]
    ) -> Batch:
        """Returns frames under the names of `numbers`.

        They are pictures `[n 3 s s]` or, with the suffix `_latents`, cached latents `[n c h w]`.
        """
        if cached is not None:
            return {name + LATENTS: cached.latents[chosen] for name, chosen in numbers.items()}
        # All in one pass over the video.
        wanted = [i for chosen in numbers.values() for i in chosen]
        frames = read_frames(self.data.dataset, selection.record, wanted, self.model.clip.size)
        groups = torch.split(frames, [len(chosen) for chosen in numbers.values()])
        return dict(zip(numbers, groups, strict=True))

    def load_text_and_map(self, selection: FrameSelection, cached: CachedClip | None) -> Batch:
        """Returns the sentence, and the part map of the reference frame."""
        size, record = self.model.clip.size, selection.record
        maps = read_part_maps(self.data.dataset, record, [selection.reference], size)
        part_map = torch.zeros(size, size, dtype=torch.int64) if maps is None else maps[0]
        entries: Batch = {"part_map": part_map, "has_map": torch.tensor(maps is not None)}
        if cached is not None:
            return {**entries, "text_tokens": cached.text}
        return {**entries, "ids": self.tokenizer.encode([record.text])[0]}


class RecordedPairs(RecordedSource):
    """Two frames of one clip: the paper's short time window (figure 2)."""

    def select_frames(self, record: ClipRecord, rng: np.random.Generator) -> FrameSelection:
        reference, target = (int(i) for i in rng.integers(record.frames, size=2))
        return FrameSelection(record, [target], [], reference)

    def load(self, selection: FrameSelection, cached: CachedClip | None) -> Batch:
        numbers = {"reference": [selection.reference], "target": selection.frames}
        frames = self.load_frames(selection, cached, numbers)
        single = {name: tensor[0] for name, tensor in frames.items()}
        return {**single, **self.load_text_and_map(selection, cached)}


class RecordedClips(RecordedSource):
    """A section of a clip with its music, its beats and the previous frames."""

    def check_clip(self, record: ClipRecord) -> None:
        super().check_clip(record)
        if record.frames < self.data.frames:
            raise InputError(
                f"{record.file_name} has {record.frames} frames, data.frames is {self.data.frames}."
            )

    def select_frames(self, record: ClipRecord, rng: np.random.Generator) -> FrameSelection:
        frames, m = self.data.frames, self.model.clip.previous
        offsets = possible_offsets(record.frames - frames, self.cache is not None)
        offset = offsets[int(rng.integers(len(offsets)))]
        reference = int(rng.integers(record.frames))
        # A first segment has no frames before it: the reference stands in for them.
        continued = offset >= m and rng.random() < CONTINUED_SHARE
        previous = list(range(offset - m, offset)) if continued else [reference] * m
        return FrameSelection(record, list(range(offset, offset + frames)), previous, reference)

    def load(self, selection: FrameSelection, cached: CachedClip | None) -> Batch:
        record, numbers = selection.record, selection.frames
        entries = self.load_frames(
            selection,
            cached,
            {
                "frames": numbers,
                "previous": selection.previous,
                "reference": [selection.reference],
            },
        )
        reference = "reference" + (LATENTS if cached is not None else "")
        entries[reference] = entries[reference][0]
        beats = beat_frames(track_beats(record), selection.start, len(numbers), record.fps)
        return {
            **entries,
            **self.load_text_and_map(selection, cached),
            **self.load_music(selection, cached),
            "beat_ids": torch.from_numpy(beats.ids),
            "beat_count": torch.from_numpy(beats.count).float(),
        }

    def load_music(self, selection: FrameSelection, cached: CachedClip | None) -> Batch:
        """Returns the log-mel around the sample, or its cached music tokens."""
        if cached is not None:
            return {"music_tokens": cached.music[selection.frames[0]]}
        frames, fps = len(selection.frames), self.model.clip.fps
        mel = self.track_mels.read(selection.record)
        return {"mel": clip_window(mel, selection.start, frames, fps, self.model.music.length)}
