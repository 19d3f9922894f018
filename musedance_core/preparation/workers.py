"""Cutting many sources, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Any

import torch
from tqdm import tqdm

from .cutting import Job, cut_source
from .log import Rejection
from .state import SourceState, save_state


def cut_all(jobs: Sequence[Job], workers: int) -> None:
    """Cut every source; what came of it is in its state.

    With several workers, a source whose decoder takes its process down is noted as rejected.

    Raises:
        InputError: as `cut_source`.
    """
    with tqdm(total=len(jobs), desc="cutting", unit="video", disable=not jobs) as bar:
        if workers == 1:
            for job in jobs:
                cut_source(job)
                bar.update()
            return
        for job in _pooled(jobs, workers, bar):
            if _pooled([job], 1, bar):
                died = Rejection(job.source.name, 0.0, "crash: its decoder took the process down")
                save_state(job.dataset, job.source, job.options, SourceState((), (died,), {}))
                bar.update()


def _pooled(jobs: Sequence[Job], workers: int, bar: tqdm[Any]) -> list[Job]:
    """Cut in processes; the jobs that were lost because one process died."""
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // workers)
    lost = []
    with ProcessPoolExecutor(workers, context, _start, (threads,)) as pool:
        futures: dict[Future[None], Job] = {pool.submit(cut_source, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                try:
                    future.result()
                except BrokenProcessPool:
                    lost.append(futures[future])
                else:
                    bar.update()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return lost


def _start(threads: int) -> None:
    """What a worker does first: take its share of the processor, and end when its parent does."""
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
