"""Random numbers of one step, which do not depend on how its global batch is split.

Each sample of the global batch has its own generator, whatever process or micro-batch it lands in.
So gradient accumulation and several processes use the same noise as one large batch, and a resumed
run the same as one that never stopped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_BATCH_STREAM, _SAMPLE_STREAM, _GLOBAL_STREAM = range(3)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


class StepRandom:
    """Random numbers on the CPU for samples `first .. first + count - 1` of a global batch.

    `uniform`, `stratified` and `scalar` sample for the whole global batch and return the share of
    these samples. `generators` has one generator per sample, for noise.

    Args:
        seed: seed of the run.
        step: number of the step.
        total: size of the global batch.
        first: position in the global batch of the first sample.
        count: number of samples; None for all from `first` on.
    """

    def __init__(
        self, seed: int, step: int, total: int, first: int = 0, count: int | None = None
    ) -> None:
        self.seed, self.step = seed, step
        self.total, self.first = total, first
        self.count = total - first if count is None else count
        self._batch = torch.Generator().manual_seed(_seed(seed, step, _BATCH_STREAM))
        self.generators = [
            torch.Generator().manual_seed(_seed(seed, step, _SAMPLE_STREAM, first + i))
            for i in range(self.count)
        ]

    def uniform(self) -> Tensor:
        """Returns uniform numbers in 0..1, `[count]`."""
        return self._share(torch.rand(self.total, generator=self._batch))

    def stratified(self) -> Tensor:
        """Returns stratified numbers in 0..1, `[count]`.

        The global batch has exactly one of them in each `total`-th of the interval.
        """
        order = torch.randperm(self.total, generator=self._batch)
        return self._share((order + torch.rand(self.total, generator=self._batch)) / self.total)

    def scalar(self) -> float:
        """Returns one number in 0..1, the same for the whole global batch."""
        return torch.rand((), generator=self._batch).item()

    def normal(self, *shape: int) -> Tensor:
        """Returns standard normal numbers `[count *shape]`."""
        return torch.stack([torch.randn(shape, generator=g) for g in self.generators])

    def seed_modules(self) -> None:
        """Seeds torch's global generators, which dropout uses."""
        torch.manual_seed(_seed(self.seed, self.step, _GLOBAL_STREAM, self.first))

    def _share(self, values: Tensor) -> Tensor:
        return values[self.first : self.first + self.count]
