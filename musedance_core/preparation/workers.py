"""Cutting source videos in worker processes, so that a decoder may crash without ending the run."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread, Timer
from types import FrameType
from typing import Any

import torch
from tqdm import tqdm

from .cutting import CutJob, cut_source
from .rejections import Rejection
from .state import SourceState, discard_source, save_source_state, source_stamp

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals that stop a worker."""
CLEAN_UP = 2.0
"""Seconds that a stopped worker has to remove its unfinished file."""


def cut_sources(jobs: Sequence[CutJob], workers: int) -> None:
    """Cut every source; the results are their states.

    A source whose decoder crashes its process is rejected. When a process dies, all unfinished
    jobs of the pool are lost. Sources start in order, so the one that crashed is among the first
    `workers` lost ones: these are tried again one by one, and the rest together.

    Raises:
        InputError: as `cut_source`.
    """
    left = list(jobs)
    with tqdm(total=len(jobs), desc="cutting", unit="video", disable=not jobs) as bar:
        while left:
            lost = _cut_in_pool(left, workers, bar)
            for job in lost[:workers]:
                if _cut_in_pool([job], 1, bar):
                    _record_crash(job)
                    bar.update()
            left = lost[workers:]


def _record_crash(job: CutJob) -> None:
    """Write a state that rejects all of the source."""
    stamp = source_stamp(job.source, job.options)
    discard_source(job.dataset, job.source)
    crash = Rejection(job.source.name, 0.0, "crash: its decoder took the process down")
    save_source_state(job.dataset, job.source, stamp, SourceState((), (crash,), {}))


def _cut_in_pool(jobs: Sequence[CutJob], workers: int, bar: tqdm[Any]) -> list[CutJob]:
    """Cut in worker processes; the jobs, in order, that were lost because a process died."""
    # A forked process would share this one's threads and locks.
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // workers)
    done = set()
    with ProcessPoolExecutor(workers, context, _start_worker, (threads,)) as pool:
        futures: dict[Future[None], CutJob] = {pool.submit(_cut, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                try:
                    future.result()
                except BrokenProcessPool:
                    continue
                done.add(future)
                bar.update()
        except KeyboardInterrupt:
            # A signal for this process alone does not reach the workers.
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [job for future, job in futures.items() if future not in done]


def _start_worker(threads: int) -> None:
    """Set up a worker process: its share of the processor, and an end when the user stops the run
    or the parent process dies."""
    for number in STOPPING:
        signal.signal(number, _unwind)
    torch.set_num_threads(threads)
    Thread(target=_exit_with_parent, daemon=True).start()


def _unwind(number: int, frame: FrameType | None) -> None:
    """Raise an exception in the job that is running, so that it removes its unfinished file."""
    for other in STOPPING:  # a second signal must not end the clean-up
        signal.signal(other, signal.SIG_IGN)
    # An exception inside a destructor is lost; then the process ends without the clean-up.
    timer = Timer(CLEAN_UP, os._exit, (1,))
    timer.daemon = True
    timer.start()
    raise SystemExit(128 + number)


def _cut(job: CutJob) -> None:
    """Run one job; when a signal stops it, end the process instead of starting the next job."""
    try:
        cut_source(job)
    except SystemExit:
        os._exit(1)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
