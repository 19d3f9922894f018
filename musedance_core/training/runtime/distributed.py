"""Accelerate's setup, and decisions that all processes take together."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import Tensor

from ...errors import InputError
from ..config import TrainConfig

MAIN_PROCESS_TIMEOUT = timedelta(hours=6)
"""Time for which processes wait for one that works alone, as on caches or validation clips."""


def build_accelerator(config: TrainConfig) -> Accelerator:
    """Returns the accelerator with the config's precision and the installed trackers."""
    trackers = [name for name in config.trackers if importlib.util.find_spec(name) is not None]
    return Accelerator(
        mixed_precision="bf16" if config.precision == "bf16" else "no",
        log_with=trackers or None,
        project_dir=config.output_dir,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=MAIN_PROCESS_TIMEOUT)],
    )


def any_process(accelerator: Accelerator, *flags: bool) -> tuple[bool, ...]:
    """Returns for each flag whether any process set it. All processes must call this together."""
    if accelerator.num_processes == 1:
        return flags
    values = torch.tensor(flags, dtype=torch.float32, device=accelerator.device)
    summed = accelerator.reduce(values, reduction="sum")
    assert isinstance(summed, Tensor)
    return tuple(bool(value) for value in summed > 0)


def on_main_process(accelerator: Accelerator, work: Callable[[], None]) -> None:
    """Does work on the main process alone. All processes must call this together.

    Raises:
        InputError: the work failed; on all processes, so that none of them waits for the others.
        OSError: the same, on the main process.
    """
    error: Exception | None = None
    if accelerator.is_main_process:
        try:
            work()
        except (InputError, OSError) as failure:
            error = failure
    (failed,) = any_process(accelerator, error is not None)
    if error is not None:
        raise error
    if failed:
        raise InputError("The main process had to stop; its message says why.")
