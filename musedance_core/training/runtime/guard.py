"""Stop requests by signals, and checks for values that are not finite."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ...errors import InputError


class TrainingDiverged(InputError):
    """The loss or the weights are not finite; nothing of that was saved."""


class StopRequest:
    """A request by signal to stop this process.

    Attributes:
        requested: by SIGTERM or Ctrl+C.
        interrupted: by Ctrl+C.
        terminated: by SIGTERM.
    """

    def __init__(self) -> None:
        self.requested = self.interrupted = self.terminated = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within this context, SIGTERM and Ctrl+C set the request instead of ending the process.

        Raises:
            KeyboardInterrupt: at once, on a second Ctrl+C.
        """

        def request(number: int, frame: Any) -> None:
            if self.interrupted and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.requested, self.interrupted = True, self.interrupted or number == signal.SIGINT
            self.terminated = self.terminated or number == signal.SIGTERM

        signals = [signal.SIGTERM, signal.SIGINT]
        # A shell starts background jobs with Ctrl+C ignored, and it is to stay so.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signals.remove(signal.SIGINT)
        previous = {number: signal.signal(number, request) for number in signals}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def non_finite_samples(losses: list[Tensor], names: list[list[str]]) -> list[str]:
    """Returns the names of the samples whose loss is not finite.

    A micro-batch with one loss for all samples cannot tell which one it was, so all of them are
    named; and all of a step, if only its gradient is not finite.

    Args:
        losses: for each micro-batch of a step, `[b]` or a scalar.
        names: for each micro-batch, the names of its samples.
    """
    found: list[str] = []
    for loss, batch_names in zip(losses, names, strict=True):
        finite = torch.isfinite(loss.detach()).reshape(-1).tolist()
        if len(finite) == len(batch_names):
            found += [name for name, good in zip(batch_names, finite, strict=True) if not good]
        elif not all(finite):
            found += batch_names
    return found or [name for batch_names in names for name in batch_names]


def non_finite_tensors(
    tensors: Iterable[tuple[str, Tensor]], dtype: torch.dtype | None = None
) -> list[str]:
    """Returns the names of the tensors that hold NaN or infinity, after a cast to `dtype`."""
    return [
        name
        for name, tensor in tensors
        if tensor.is_floating_point() and not torch.isfinite(tensor.to(dtype or tensor.dtype)).all()
    ]


def find_non_finite(
    state: Mapping[str, Tensor], exported: Mapping[str, Tensor], export_dtype: str
) -> str:
    """Returns why a checkpoint must not be written, "" if it may.

    Args:
        state: tensors of the training state, in full precision.
        exported: weights of the model file, which may be too large for its `export_dtype`.
    """
    bad = non_finite_tensors(state.items())
    if bad:
        return f"{len(bad)} of {len(state)} tensors are not finite, as {bad[0]}"
    bad = non_finite_tensors(exported.items(), getattr(torch, export_dtype))
    if bad:
        return (
            f"{len(bad)} of {len(exported)} weights are too large for {export_dtype}, as {bad[0]}"
        )
    return ""
