"""Exponential moving average of what learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Averages parameters with a decay that rises to `decay`: min(decay, (1 + n) / (10 + n)).

    A decay of 0 keeps no average: the parameters stand for it themselves.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.parameters, self.decay, self.updates = dict(parameters), decay, 0
        self.average: dict[str, Tensor] = {}
        self.restart()

    def restart(self) -> None:
        """Begin again from the current parameters."""
        if self.decay:
            self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the current parameters in."""
        if not self.decay:
            return
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = [self.parameters[name].detach() for name in self.average]
        torch._foreach_lerp_(list(self.average.values()), current, 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within this, the parameters hold the average."""
        kept = {name: self.parameters[name].detach().clone() for name in self.average}
        self._write(self.average)
        try:
            yield
        finally:
            self._write(kept)

    @torch.no_grad()
    def _write(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            self.parameters[name].copy_(value)
