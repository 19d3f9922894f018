"""The judge of dances learns, and its figures count what they name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from musedance_core.dance.motion import standing
from musedance_core.dance.skeleton import INDEX
from musedance_core.evaluation.judges.dance import (
    FRAMES,
    DanceJudge,
    Verdict,
    accuracy,
    joints,
    judge_loss,
    random_body,
    random_dances,
)
from musedance_core.world.dances import MOVES, SIDES, SIZES


def test_joints_are_in_body_heights_from_the_ground_under_the_dancer() -> None:
    places = joints(standing(2, 24.0))
    assert places[0, INDEX["head_top"]].tolist() == pytest.approx([0, -1])
    body = random_body(np.random.default_rng(0))
    own = joints(standing(2, 24.0), body)
    assert float(own[0, :, 1].min()) == pytest.approx(-1, abs=1e-4)
    assert not torch.allclose(own, places, atol=0.01)


def test_data_are_seeded_and_of_one_shape() -> None:
    data, again = (random_dances(np.random.default_rng(4), 20) for _ in range(2))
    assert data.places.shape == (20, FRAMES, 16, 2) and data.count.shape == (20, FRAMES)
    assert torch.equal(data.places, again.places) and data.dances == again.dances
    assert torch.isfinite(data.places).all() and data.targets.shape == (20, 3)


def test_a_judge_learns_a_few_dances() -> None:
    torch.manual_seed(0)
    data, judge = random_dances(np.random.default_rng(1), 32), DanceJudge(width=48)
    optimizer = torch.optim.Adam(judge.parameters(), 3e-3)
    for _ in range(60):
        loss = judge_loss(judge(data.places, data.count), data.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert accuracy(judge, data)["move"] > 0.8


class Constant(nn.Module):
    """A judge that always gives the same verdict."""

    def forward(self, places: Tensor, count: Tensor) -> Verdict:
        return Verdict(
            *(torch.eye(n)[[0] * len(places)] for n in (len(MOVES), len(SIDES), len(SIZES)))
        )


def test_accuracy_counts_sides_only_where_they_are_named() -> None:
    data = random_dances(np.random.default_rng(2), 200)
    right = accuracy(Constant(), data)  # type: ignore[arg-type]
    assert right["move"] == np.mean([dance.move == MOVES[0] for dance in data.dances])
    assert right["size"] == np.mean([dance.size == SIZES[0] for dance in data.dances])
    assert right["side"] == 0
