"""The randomness of one step, sample by sample.

A run draws for the global batch of a step, whatever process or micro-batch a sample lands in: many
small batches give the gradient of the large one, two processes that of one, and a resumed run goes
on as if it had never stopped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_BATCH, _SAMPLE, _GLOBAL = range(3)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


class StepRandom:
    """What samples `first .. first + count - 1` of a global batch of `total` draw in one step.

    Everything is on the CPU. `uniform`, `stratified` and `scalar` are drawn for the whole batch and
    cut; `generators` holds one generator per sample, for what is large.
    """

    def __init__(
        self, seed: int, step: int, total: int, first: int = 0, count: int | None = None
    ) -> None:
        self.seed, self.step = seed, step
        self.total, self.first = total, first
        self.count = total - first if count is None else count
        self._batch = torch.Generator().manual_seed(_seed(seed, step, _BATCH))
        self.generators = [
            torch.Generator().manual_seed(_seed(seed, step, _SAMPLE, first + i))
            for i in range(self.count)
        ]

    def uniform(self) -> Tensor:
        """`[count]` in 0..1."""
        return self._cut(torch.rand(self.total, generator=self._batch))

    def stratified(self) -> Tensor:
        """`[count]` in 0..1, one in every `total`-th of it over the global batch."""
        order = torch.randperm(self.total, generator=self._batch)
        return self._cut((order + torch.rand(self.total, generator=self._batch)) / self.total)

    def scalar(self) -> float:
        """One number in 0..1, the same for the whole batch."""
        return torch.rand((), generator=self._batch).item()

    def normal(self, *shape: int) -> Tensor:
        """`[count *shape]`, standard normal."""
        return torch.stack([torch.randn(shape, generator=g) for g in self.generators])

    def seed_modules(self) -> None:
        """Seed the global generators, from which dropout inside modules draws."""
        torch.manual_seed(_seed(self.seed, self.step, _GLOBAL, self.first))

    def _cut(self, values: Tensor) -> Tensor:
        return values[self.first : self.first + self.count]
