"""Micro-batches of each step, loaded in the background; their order depends on the step alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event

import torch
from torch.utils.data import DataLoader, Dataset

from ...errors import InputError
from ..stages.base import Batch, SampleSource


@dataclass(frozen=True)
class BatchShare:
    """The share of each step's global batch that one process works on.

    The global batch is a sequence of micro-batches, those with the same number of all processes
    next to each other: (number 0, rank 0), (number 0, rank 1), ..., (number 1, rank 0), ...

    Attributes:
        batch: samples in a micro-batch.
        accumulate: micro-batches in a step.
        rank, world: number of this process, and of processes.
    """

    batch: int
    accumulate: int = 1
    rank: int = 0
    world: int = 1

    @property
    def total(self) -> int:
        """Number of samples in the global batch."""
        return self.batch * self.accumulate * self.world

    def first(self, number: int) -> int:
        """Returns the position in the global batch of a micro-batch's first sample."""
        return (number * self.world + self.rank) * self.batch

    def indices(self, step: int, number: int) -> list[int]:
        """Returns the sample indices of a micro-batch."""
        begin = step * self.total + self.first(number)
        return list(range(begin, begin + self.batch))


class MicroBatches(Dataset["Batch | InputError"]):
    """The micro-batches of the steps `first .. last - 1`, in order.

    An unreadable sample is returned as the error instead of raised: a data loader's process would
    wrap it in a traceback.
    """

    def __init__(self, source: SampleSource, share: BatchShare, first: int, last: int) -> None:
        self.source, self.share, self.first, self.last = source, share, first, last

    def __len__(self) -> int:
        return (self.last - self.first) * self.share.accumulate

    def __getitem__(self, i: int) -> Batch | InputError:
        step, number = divmod(i, self.share.accumulate)
        try:
            return self.source(self.share.indices(self.first + step, number))
        except InputError as error:
            return error


def _leave_signals_to_the_trainer(ending: Event, worker: int) -> None:
    """Ignores SIGTERM and Ctrl+C in a worker: all processes get them, and the trainer saves first.

    Once the trainer is `ending`, SIGTERM ends the worker, since Python sends it one and waits.
    """

    def on_sigterm(number: int, frame: object) -> None:
        if ending.is_set():
            os._exit(0)

    signal.signal(signal.SIGTERM, on_sigterm)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class StepBatches:
    """The micro-batches of one step, and the seconds that the trainer waited for them."""

    micro_batches: list[Batch]
    waited: float


def step_batches(dataset: MicroBatches, workers: int) -> Iterator[StepBatches]:
    """Yields the micro-batches step by step; each worker loads up to two ahead.

    Raises:
        InputError: a sample cannot be read.
    """
    # Forked workers would inherit the locks and thread pools of torch and FFmpeg without the
    # threads that serve them, and wait for ever.
    context = multiprocessing.get_context("spawn")
    ending = context.Event() if workers else None
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=partial(_leave_signals_to_the_trainer, ending) if ending else None,
        multiprocessing_context=context if workers else None,
    )
    try:
        loaded = iter(loader)
        for _ in range(dataset.first, dataset.last):
            begin = time.monotonic()
            micro_batches = [next(loaded) for _ in range(dataset.share.accumulate)]
            for batch in micro_batches:
                if isinstance(batch, InputError):
                    raise batch
            yield StepBatches(micro_batches, time.monotonic() - begin)
    finally:
        if ending:
            ending.set()
