"""Batches by step, made ahead in the background. The order is a function of the step alone."""

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
    """Which samples of every step's global batch one process works on, in which pieces.

    `batch` samples a piece, `accumulate` pieces a step; piece k of process `rank` of `world` comes
    after the pieces k of the processes before it.
    """

    batch: int
    accumulate: int = 1
    rank: int = 0
    world: int = 1

    @property
    def total(self) -> int:
        """Samples of the global batch."""
        return self.batch * self.accumulate * self.world

    def first(self, piece: int) -> int:
        """Place in the global batch of the first sample of a piece."""
        return (piece * self.world + self.rank) * self.batch

    def indices(self, step: int, piece: int) -> list[int]:
        """Indices of a piece's samples."""
        begin = step * self.total + self.first(piece)
        return list(range(begin, begin + self.batch))


class MicroBatches(Dataset["Batch | InputError"]):
    """Entry i is piece i of the steps `first .. last - 1`, or why it cannot be read."""

    def __init__(self, source: SampleSource, share: BatchShare, first: int, last: int) -> None:
        self.source, self.share, self.first, self.last = source, share, first, last

    def __len__(self) -> int:
        return (self.last - self.first) * self.share.accumulate

    def __getitem__(self, i: int) -> Batch | InputError:
        step, piece = divmod(i, self.share.accumulate)
        try:
            return self.source(self.share.indices(self.first + step, piece))
        except InputError as error:  # a loader's process would wrap it in its traceback
            return error


def _leave_signals_to_the_trainer(leaving: Event, worker: int) -> None:
    """A scheduler's SIGTERM reaches all processes; only the trainer answers, by saving.

    Once it is `leaving`, SIGTERM ends the worker: Python waits for the end of every process that it
    has sent one.
    """

    def on_sigterm(number: int, frame: object) -> None:
        if leaving.is_set():
            os._exit(0)

    signal.signal(signal.SIGTERM, on_sigterm)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class StepBatches:
    """The pieces of one step, and the seconds they were waited for."""

    pieces: list[Batch]
    waited: float


def step_batches(pieces: MicroBatches, workers: int) -> Iterator[StepBatches]:
    """The steps' pieces in order, up to two per worker ahead of their use.

    Raises:
        InputError: a sample cannot be read.
    """
    # Forked workers would inherit the locks and thread pools of torch and FFmpeg without the
    # threads that serve them, and wait for ever.
    context = multiprocessing.get_context("spawn")
    leaving = context.Event()
    loader = DataLoader(
        pieces,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=partial(_leave_signals_to_the_trainer, leaving),
        multiprocessing_context=context if workers else None,
    )
    try:
        made = iter(loader)
        for _ in range(pieces.first, pieces.last):
            begin = time.monotonic()
            pile = [next(made) for _ in range(pieces.share.accumulate)]
            for piece in pile:
                if isinstance(piece, InputError):
                    raise piece
            yield StepBatches(pile, time.monotonic() - begin)
    finally:
        leaving.set()
