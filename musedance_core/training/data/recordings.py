"""Samples from a data set on disk. Their order is a function of the seed and the epoch alone."""

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
from .caches import Cached, ClipCache, Songs, possible_offsets

CONTINUED_SHARE = 0.5
ORDER_STREAM, SAMPLE_STREAM = 200, 201


def split_records(folder: str, split: str) -> list[ClipRecord]:
    """The clips of one split.

    Raises:
        InputError: no data set, a leaking split, or no clip in it.
    """
    records = read_metadata(folder)
    verify_splits(records)
    chosen = [record for record in records if record.split == split]
    if not chosen:
        raise InputError(f"The data set {folder} has no clip in its split {split!r}.")
    return chosen


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of `count` clips in one epoch, a pure function: a resumed run finds its place."""
    return np.random.default_rng((seed, ORDER_STREAM, epoch)).permutation(count)


def grid_of(record: ClipRecord) -> BeatGrid:
    """The beats of the clip's track."""
    return BeatGrid(np.array(record.beats), np.array(record.downbeats), record.tempo)


@dataclass(frozen=True)
class Cut:
    """What of a clip one sample shows: frame numbers in the clip's file."""

    record: ClipRecord
    frames: list[int]
    previous: list[int]
    reference: int

    @property
    def start(self) -> float:
        """Seconds of the track at which the sample starts."""
        return self.record.start + self.frames[0] / self.record.fps


class Recorded:
    """What samples of both stages share."""

    def __init__(
        self,
        model: MuseDanceConfig,
        data: DataConfig,
        tokenizer: Tokenizer,
        split: str,
        cache: ClipCache | None,
    ) -> None:
        self.model, self.data, self.tokenizer, self.cache = model, data, tokenizer, cache
        self.songs = Songs(data.dataset, model.music.mel_bins)
        self.records = split_records(data.dataset, split)
        for record in self.records:
            self.require_fit(record)
        self.order = (0, epoch_order(len(self.records), data.seed, 0))

    def require_fit(self, record: ClipRecord) -> None:
        """Samples can be cut out of this clip.

        Raises:
            InputError: its rate is another than the model's, or it is too short.
        """
        if record.fps != self.model.clip.fps:
            raise InputError(
                f"{record.file_name} has {record.fps} frames a second, the model "
                f"{self.model.clip.fps}."
            )

    def names(self, indices: Sequence[int]) -> list[str]:
        """The files of these samples."""
        return [self.record(index).file_name for index in indices]

    def record(self, index: int) -> ClipRecord:
        """The clip of sample `index`; every epoch has an order of its own."""
        epoch, place = divmod(index, len(self.records))
        if self.order[0] != epoch:
            self.order = (epoch, epoch_order(len(self.records), self.data.seed, epoch))
        return self.records[int(self.order[1][place])]

    def __call__(self, indices: list[int]) -> Batch:
        samples = [self.sample(index) for index in indices]
        return {name: torch.stack([s[name] for s in samples]) for name in samples[0]}

    def sample(self, index: int) -> Batch:
        """One sample, without an axis for the batch."""
        record = self.record(index)
        cut = self.cut(record, np.random.default_rng((self.data.seed, SAMPLE_STREAM, index)))
        return self.of(cut, None if self.cache is None else self.cache.read(record))

    def cut(self, record: ClipRecord, rng: np.random.Generator) -> Cut:
        """Which frames a sample shows."""
        raise NotImplementedError

    def of(self, cut: Cut, cached: Cached | None) -> Batch:
        """The sample that shows this cut."""
        raise NotImplementedError

    def pictures(self, cut: Cut, cached: Cached | None, parts: dict[str, list[int]]) -> Batch:
        """Frames of the clip by name, pictures `[n 3 s s]` or cached latents `[n c h w]`."""
        if cached is not None:
            return {name + LATENTS: cached.latents[chosen] for name, chosen in parts.items()}
        wanted = [i for chosen in parts.values() for i in chosen]
        frames = read_frames(self.data.dataset, cut.record, wanted, self.model.clip.size)
        pieces = torch.split(frames, [len(chosen) for chosen in parts.values()])
        return dict(zip(parts, pieces, strict=True))

    def said(self, cut: Cut, cached: Cached | None) -> Batch:
        """Sentence, and part map of the reference."""
        size = self.model.clip.size
        maps = read_part_maps(self.data.dataset, cut.record, [cut.reference], size)
        part_map = torch.zeros(size, size, dtype=torch.int64) if maps is None else maps[0]
        known: Batch = {"part_map": part_map, "has_map": torch.tensor(maps is not None)}
        if cached is not None:
            return {**known, "text_tokens": cached.text}
        return {**known, "ids": self.tokenizer.encode([cut.record.text])[0]}


class RecordedPairs(Recorded):
    """Two frames of one clip: the paper's short time window (figure 2)."""

    def cut(self, record: ClipRecord, rng: np.random.Generator) -> Cut:
        reference, target = (int(i) for i in rng.integers(record.frames, size=2))
        return Cut(record, [target], [], reference)

    def of(self, cut: Cut, cached: Cached | None) -> Batch:
        shown = {"reference": [cut.reference], "target": cut.frames}
        single = {name: t[0] for name, t in self.pictures(cut, cached, shown).items()}
        return {**single, **self.said(cut, cached)}


class RecordedClips(Recorded):
    """A stretch of a clip with its song, its beats and the frames before it."""

    def require_fit(self, record: ClipRecord) -> None:
        super().require_fit(record)
        if record.frames < self.data.frames:
            raise InputError(
                f"{record.file_name} has {record.frames} frames, data.frames is {self.data.frames}."
            )

    def cut(self, record: ClipRecord, rng: np.random.Generator) -> Cut:
        frames, m = self.data.frames, self.model.clip.previous
        offsets = possible_offsets(record.frames - frames, self.cache is not None)
        offset = offsets[int(rng.integers(len(offsets)))]
        reference = int(rng.integers(record.frames))
        continued = offset >= m and rng.random() < CONTINUED_SHARE
        previous = list(range(offset - m, offset)) if continued else [reference] * m
        return Cut(record, list(range(offset, offset + frames)), previous, reference)

    def of(self, cut: Cut, cached: Cached | None) -> Batch:
        shown = {"frames": cut.frames, "previous": cut.previous, "reference": [cut.reference]}
        pictures = self.pictures(cut, cached, shown)
        reference = "reference" + (LATENTS if cached is not None else "")
        pictures[reference] = pictures[reference][0]
        beats = beat_frames(grid_of(cut.record), cut.start, len(cut.frames), cut.record.fps)
        return {
            **pictures,
            **self.said(cut, cached),
            **self.heard(cut, cached),
            "beat_ids": torch.from_numpy(beats.ids),
            "beat_count": torch.from_numpy(beats.count).float(),
        }

    def heard(self, cut: Cut, cached: Cached | None) -> Batch:
        """The song around the sample, or what the AST says of it."""
        if cached is not None:
            return {"music_tokens": cached.music[cut.frames[0]]}
        mel, clip = self.songs.mel(cut.record), self.model.clip
        return {
            "mel": clip_window(mel, cut.start, len(cut.frames), clip.fps, self.model.music.length)
        }
