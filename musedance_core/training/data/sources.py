"""Where batches come from: one interface to the dance world and to data sets on disk.

A batch of stage 1 holds `reference` and `target`, one of stage 2 `frames`, `previous` and
`reference`, as pictures or, with the ending `_latents`, as cached latents; `part_map` with
`has_map`; `ids` or cached `text_tokens`. Stage 2 has the song as `mel` or cached `music_tokens`
too, and `beat_ids` and `beat_count`; from the world also `outlines` and `still_outline`, the points
of bodies in frames and reference. What teaches where a body goes has no `frames` and no `previous`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch

from ...config import MuseDanceConfig
from ...models.tokenizer import Tokenizer
from ...world.clips import BodyBatch, ClipBatch, World
from ..config import DataConfig
from ..stages.base import Batch, SampleSource
from .caches import ClipCache
from .recordings import RecordedClips, RecordedPairs


def pairs(
    model: MuseDanceConfig,
    data: DataConfig,
    tokenizer: Tokenizer,
    split: str,
    cache: ClipCache | None = None,
) -> SampleSource:
    """Two moments of one dance, for stage 1."""
    if data.dataset:
        return RecordedPairs(model, data, tokenizer, split, cache)
    return WorldPairs(model, data, tokenizer, split)


def clips(
    model: MuseDanceConfig,
    data: DataConfig,
    tokenizer: Tokenizer,
    split: str,
    cache: ClipCache | None = None,
) -> SampleSource:
    """Clips, for stage 2."""
    if data.dataset:
        return RecordedClips(model, data, tokenizer, split, cache)
    return WorldClips(model, data, tokenizer, split)


class WorldSource:
    """A `World` that is built where it is used, in the loader's process."""

    def __init__(
        self, model: MuseDanceConfig, data: DataConfig, tokenizer: Tokenizer, split: str
    ) -> None:
        self.model, self.data, self.tokenizer, self.split = model, data, tokenizer, split

    def names(self, indices: Sequence[int]) -> list[str]:
        """What to call these samples."""
        return [f"{self.split} sample {index} of the dance world" for index in indices]

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
            bystanders=self.data.bystanders,
        )


class WorldPictures(WorldSource):
    """`pictures [b 3 h w]` for the VAE, with the `part_map [b h w]` that says where dancers are."""

    def __call__(self, indices: list[int]) -> Batch:
        pictures, part_map = self.world.pictures(indices)
        return {"pictures": pictures, "part_map": part_map}


class WorldPairs(WorldSource):
    """Two moments of one dance of the world."""

    def __call__(self, indices: list[int]) -> Batch:
        reference, target, part_map, captions = self.world.pairs(indices)
        return {
            "reference": reference,
            "target": target,
            "part_map": part_map,
            "has_map": torch.ones(len(indices), dtype=torch.bool),
            "ids": self.tokenizer.encode(captions),
        }


class WorldBodies(WorldSource):
    """Where the dancers of the world's clips are."""

    tensors: tuple[str, ...] = (
        *("reference", "part_map", "mel", "beat_ids", "beat_count"),
        *("outlines", "still_outline"),
    )

    def __call__(self, indices: list[int]) -> Batch:
        clips = self.clips(indices)
        tensors: Batch = {name: getattr(clips, name) for name in self.tensors}
        has_map = torch.ones(len(indices), dtype=torch.bool)
        return {**tensors, "has_map": has_map, "ids": self.tokenizer.encode(clips.captions)}

    def clips(self, indices: list[int]) -> BodyBatch:
        """What the world says of them."""
        return self.world.bodies(indices, frames=self.data.frames)


class WorldClips(WorldBodies):
    """Clips of the world."""

    tensors = ("frames", "previous", *WorldBodies.tensors)

    def clips(self, indices: list[int]) -> ClipBatch:
        return self.world.clips(indices, frames=self.data.frames)
