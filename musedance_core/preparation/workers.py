"""Cutting many sources in other processes: a decoder may crash without ending the run."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Any

import torch
from tqdm import tqdm

from .cutting import CutJob, cut_source
from .log import Rejection
from .state import SourceState, forget_state, save_source_state


def cut_all(jobs: Sequence[CutJob], workers: int) -> None:
    """Cut every source; what came of it is in its state.

    A source whose decoder takes its process down is noted as rejected. When a process dies, all
    are lost; sources begin in order, so the one that did it is among the first `workers` that are
    lost. Those are tried again one by one, and the rest together.

    Raises:
        InputError: as `cut_source`.
    """
    left = list(jobs)
    with tqdm(total=len(jobs), desc="cutting", unit="video", disable=not jobs) as bar:
        while left:
            lost = _pooled(left, workers, bar)
            for job in lost[:workers]:
                if _pooled([job], 1, bar):
                    _note_crash(job)
                    bar.update()
            left = lost[workers:]


def _note_crash(job: CutJob) -> None:
    forget_state(job.dataset, job.source)
    died = Rejection(job.source.name, 0.0, "crash: its decoder took the process down")
    save_source_state(job.dataset, job.source, job.options, SourceState((), (died,), {}))


def _pooled(jobs: Sequence[CutJob], workers: int, bar: tqdm[Any]) -> list[CutJob]:
    """Cut in processes; the jobs, in order, that were lost because one process died."""
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // workers)
    done = set()
    with ProcessPoolExecutor(workers, context, _start, (threads,)) as pool:
        futures: dict[Future[None], CutJob] = {pool.submit(cut_source, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                try:
                    future.result()
                except BrokenProcessPool:
                    continue
                done.add(future)
                bar.update()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [job for future, job in futures.items() if future not in done]


def _start(threads: int) -> None:
    """What a worker does first: take its share of the processor, and end when its parent does, or
    at once when the user stops the run."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
