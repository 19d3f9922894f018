"""Batches by step, made ahead in the background. The order is a function of the step alone."""

from __future__ import annotations

import signal
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


def _leave_signals_to_the_trainer(worker: int) -> None:
    """A scheduler's SIGTERM reaches all processes; only the trainer answers, by saving."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def batches(steps: Steps, workers: int) -> Iterator[Batch]:
    """The batches of `steps` in order, up to two per worker ahead of their use."""
    loader = DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_leave_signals_to_the_trainer,
    )
    yield from loader
