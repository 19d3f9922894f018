"""Randomness belongs to samples: how a batch is cut changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musedance_core.training.runtime.step_random import StepRandom


def drawn(draws: StepRandom) -> list[Tensor]:
    return [draws.uniform(), draws.stratified(), draws.normal(2, 3), draws.uniform()]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pieces_draw_what_the_whole_batch_draws(size: int) -> None:
    whole = drawn(StepRandom(5, 11, 6))
    pieces = [drawn(StepRandom(5, 11, 6, first, size)) for first in range(0, 6, size)]
    for i, values in enumerate(whole):
        assert torch.equal(values, torch.cat([piece[i] for piece in pieces]))


def test_steps_seeds_and_samples_differ_and_the_same_step_is_the_same() -> None:
    first = drawn(StepRandom(5, 11, 6))
    assert all(map(torch.equal, first, drawn(StepRandom(5, 11, 6))))
    for other in (StepRandom(5, 12, 6), StepRandom(6, 11, 6)):
        assert not any(map(torch.equal, first, drawn(other)))
    normal = first[2]
    assert len({tuple(row.flatten().tolist()) for row in normal}) == 6


def test_a_scalar_is_the_same_for_every_piece() -> None:
    assert StepRandom(1, 2, 8, 0, 4).scalar() == StepRandom(1, 2, 8, 4, 4).scalar()


def test_dropout_of_a_step_is_the_same_again() -> None:
    def mask() -> Tensor:
        StepRandom(1, 2, 8).seed_modules()
        return torch.nn.functional.dropout(torch.ones(64), 0.5)

    first = mask()
    torch.rand(7)
    assert torch.equal(first, mask())
