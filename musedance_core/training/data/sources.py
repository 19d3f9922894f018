"""Sample sources with one interface: the procedural dance world, and data sets on disk.

A batch of stage 1 holds `reference` and `target`; one of stage 2 `frames`, `previous` and
`reference`. They are pictures or, with the suffix `_latents`, cached latents. Both stages have
`part_map` with `has_map`, and `ids` or cached `text_tokens`. Stage 2 also has the song as `mel` or
cached `music_tokens`, and `beat_ids` and `beat_count`; the dance world adds `planned` and
`coverage`, the frames as they are planned from the picture and the dancer's alpha in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch

from ...config import MuseDanceConfig
from ...models.tokenizer import Tokenizer
from ...world.clips import World
from ..config import DataConfig
from ..stages.base import Batch, SampleSource
from .caches import ClipCache
from .recordings import RecordedClips, RecordedPairs


def pair_source(
    model: MuseDanceConfig,
    data: DataConfig,
    tokenizer: Tokenizer,
    split: str,
    cache: ClipCache | None = None,
) -> SampleSource:
    """Returns the samples of stage 1: two frames of one dance."""
    if data.dataset:
        return RecordedPairs(model, data, tokenizer, split, cache)
    return WorldPairs(model, data, tokenizer, split)


def clip_source(
    model: MuseDanceConfig,
    data: DataConfig,
    tokenizer: Tokenizer,
    split: str,
    cache: ClipCache | None = None,
) -> SampleSource:
    """Returns the samples of stage 2: clips with music."""
    if data.dataset:
        return RecordedClips(model, data, tokenizer, split, cache)
    return WorldClips(model, data, tokenizer, split)


class WorldSource:
    """Samples of the dance world, which is built on first use in the data loader's process."""

    def __init__(
        self, model: MuseDanceConfig, data: DataConfig, tokenizer: Tokenizer, split: str
    ) -> None:
        self.model, self.data, self.tokenizer, self.split = model, data, tokenizer, split

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"{self.split} sample {index} of the dance world" for index in indices]

    @cached_property
    def world(self) -> World:
        """The dance world of this split."""
        return World(
            split=self.split,
            size=self.model.clip.size,
            seed=self.data.seed,
            songs=self.data.songs,
            mel_bins=self.model.music.mel_bins,
            mixture=self.data.mixture,
            font=self.data.font or None,
            moves=self.data.moves,
            bystanders=self.data.bystanders,
        )


class WorldPictures(WorldSource):
    """`pictures [b 3 h w]` with the dancer's `part_map [b h w]`, for the autoencoder."""

    def __call__(self, indices: list[int]) -> Batch:
        pictures, part_map = self.world.pictures(indices)
        return {"pictures": pictures, "part_map": part_map}


class WorldPairs(WorldSource):
    """Two frames of one dance."""

    def __call__(self, indices: list[int]) -> Batch:
        reference, target, part_map, captions = self.world.pairs(indices)
        return {
            "reference": reference,
            "target": target,
            "part_map": part_map,
            "has_map": torch.ones(len(indices), dtype=torch.bool),
            "ids": self.tokenizer.encode(captions),
        }


class WorldClips(WorldSource):
    """Clips with their frames, and the frames as they are planned from the picture."""

    tensors: tuple[str, ...] = (
        *("frames", "previous", "reference", "part_map"),
        *("planned", "coverage", "mel", "beat_ids", "beat_count"),
    )

    def __call__(self, indices: list[int]) -> Batch:
        clips = self.world.clips(indices, frames=self.data.frames)
        tensors: Batch = {name: getattr(clips, name) for name in self.tensors}
        has_map = torch.ones(len(indices), dtype=torch.bool)
        return {**tensors, "has_map": has_map, "ids": self.tokenizer.encode(clips.captions)}
