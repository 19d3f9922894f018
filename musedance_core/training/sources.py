"""Where batches come from: the dance world, as tensors by index."""

from __future__ import annotations

from functools import cached_property

from ..config import MuseDanceConfig
from ..tokenizer import Tokenizer
from ..world.clips import World
from .config import DataConfig
from .stage import Batch


class WorldSource:
    """A `World` that is built where it is used, in the loader's process."""

    def __init__(
        self, model: MuseDanceConfig, data: DataConfig, tokenizer: Tokenizer, split: str
    ) -> None:
        self.model, self.data, self.tokenizer, self.split = model, data, tokenizer, split

    @cached_property
    def world(self) -> World:
        return World(
            split=self.split,
            size=self.model.clip.size,
            seed=self.data.seed,
            songs=self.data.songs,
            mel_bins=self.model.music.mel_bins,
            mixture=self.data.mixture,
            font=self.data.font or None,
            moves=self.data.moves,
        )


class Pictures(WorldSource):
    """Pictures for the VAE."""

    def __call__(self, indices: list[int]) -> Batch:
        return {"pictures": self.world.pictures(indices)}


class Pairs(WorldSource):
    """Two moments of one dance for stage 1."""

    def __call__(self, indices: list[int]) -> Batch:
        reference, target, part_map, captions = self.world.pairs(indices)
        ids = self.tokenizer.encode(captions)
        return {"reference": reference, "target": target, "part_map": part_map, "ids": ids}


class Clips(WorldSource):
    """Clips for stage 2."""

    def __call__(self, indices: list[int]) -> Batch:
        clips = self.world.clips(indices, frames=self.data.frames)
        names = ("frames", "previous", "reference", "part_map", "mel", "beat_ids", "beat_count")
        tensors: Batch = {name: getattr(clips, name) for name in names}
        return {**tensors, "ids": self.tokenizer.encode(clips.captions)}
