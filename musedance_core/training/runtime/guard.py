"""What all processes agree on after every step: was it finite, does anybody want to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from ...errors import InputError


class TrainingStopped(InputError):
    """The loss stayed non-finite; nothing was saved of the steps that failed."""


class Stop:
    """Whether this process was told to stop, and whether by Ctrl+C."""

    def __init__(self) -> None:
        self.asked = self.interrupted = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl+C ask to stop after the step that is going on; a second Ctrl+C does not
        wait for it."""

        def ask(number: int, frame: Any) -> None:
            if self.interrupted and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.asked, self.interrupted = True, self.interrupted or number == signal.SIGINT

        heard = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background
            heard.remove(signal.SIGINT)
        before = {number: signal.signal(number, ask) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def any_process(accelerator: Accelerator, *flags: bool) -> tuple[bool, ...]:
    """For every flag, whether it is set in any process."""
    if accelerator.num_processes == 1:
        return flags
    values = torch.tensor(flags, dtype=torch.float32, device=accelerator.device)
    summed = accelerator.reduce(values, reduction="sum")
    assert isinstance(summed, Tensor)
    return tuple(bool(value) for value in summed > 0)


def culprits(losses: list[Tensor], names: list[list[str]]) -> list[str]:
    """Names of the samples whose loss is not finite, over all pieces of a step.

    A piece with one loss for all its samples, or with finite losses but a gradient that is not,
    cannot say which; then all its samples are named.
    """
    found: list[str] = []
    for loss, named in zip(losses, names, strict=True):
        finite = torch.isfinite(loss.detach()).reshape(-1).tolist()
        if len(finite) == len(named):
            found += [name for name, good in zip(named, finite, strict=True) if not good]
        elif not all(finite):
            found += named
    return found or [name for named in names for name in named]
