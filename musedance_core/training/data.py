"""Batches by step, made ahead in the background. The order is a function of the step alone."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import DataLoader, Dataset

from .stage import Batch, Source


class Steps(Dataset[Batch]):
    """Batch `i` is that of step `first + i`; every process of a run takes its own share."""

    def __init__(
        self, source: Source, batch: int, first: int, last: int, rank: int = 0, world: int = 1
    ) -> None:
        self.source, self.batch = source, batch
        self.first, self.last = first, last
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, i: int) -> Batch:
        begin = ((self.first + i) * self.world + self.rank) * self.batch
        return self.source(list(range(begin, begin + self.batch)))


def batches(steps: Steps, workers: int) -> Iterator[Batch]:
    """The batches of `steps` in order, up to two per worker ahead of their use."""
    loader = DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        persistent_workers=False,
    )
    yield from loader
