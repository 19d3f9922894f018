"""Random numbers belong to samples, however the batch is split."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musedance_core.training.runtime.step_random import StepRandom


def numbers(rng: StepRandom) -> list[Tensor]:
    return [rng.uniform(), rng.stratified(), rng.normal(2, 3), rng.uniform()]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_micro_batches_have_the_numbers_of_the_whole_batch(size: int) -> None:
    whole = numbers(StepRandom(5, 11, 6))
    parts = [numbers(StepRandom(5, 11, 6, first, size)) for first in range(0, 6, size)]
    for i, values in enumerate(whole):
        assert torch.equal(values, torch.cat([part[i] for part in parts]))


def test_steps_seeds_and_samples_differ_and_a_step_is_reproducible() -> None:
    first = numbers(StepRandom(5, 11, 6))
    assert all(map(torch.equal, first, numbers(StepRandom(5, 11, 6))))
    for other in (StepRandom(5, 12, 6), StepRandom(6, 11, 6)):
        assert not any(map(torch.equal, first, numbers(other)))
    normal = first[2]
    assert len({tuple(row.flatten().tolist()) for row in normal}) == 6


def test_a_scalar_is_the_same_in_each_micro_batch() -> None:
    assert StepRandom(1, 2, 8, 0, 4).scalar() == StepRandom(1, 2, 8, 4, 4).scalar()


def test_dropout_of_a_step_is_reproducible() -> None:
    def mask() -> Tensor:
        StepRandom(1, 2, 8).seed_modules()
        return torch.nn.functional.dropout(torch.ones(64), 0.5)

    first = mask()
    torch.rand(7)
    assert torch.equal(first, mask())
