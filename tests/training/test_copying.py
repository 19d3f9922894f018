"""Training a denoiser that copies: its loss, and that it learns where the dancer came from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musedance_core.config import MuseDanceConfig
from musedance_core.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.diffusion import DiffusionStage
from musedance_core.training.draws import Draws
from musedance_core.training.stage import Batch
from musedance_core.training.stage1 import Stage1
from musedance_core.training.stage2 import Stage2


@pytest.fixture
def config(config: MuseDanceConfig) -> MuseDanceConfig:
    """The tiny model, which copies."""
    return replace(config, unet=replace(config.unet, copy_reach=2))


@pytest.mark.parametrize("kind", [Stage1, Stage2])
def test_where_the_dancer_came_from_is_learned(
    kind: type[DiffusionStage],
    model: torch.nn.Module,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    def losses(where: float, steps: int = 0) -> float:
        stage = kind(
            model, tokenizer, replace(run_config, loss=replace(run_config.loss, where=where))
        )
        own = [p for name, p in model.named_parameters() if name.startswith("unet.")]
        optimizer = torch.optim.Adam(own, lr=3e-3)
        for step in range(steps):
            optimizer.zero_grad()
            stage(clip, Draws(0, step, 1)).mean().backward()
            optimizer.step()
        with torch.no_grad():
            found = [stage(clip, Draws(1, step, 1)).item() for step in range(8)]
        return sum(found) / len(found)

    def cross_entropy() -> float:
        return losses(1.0) - losses(0.0)

    before = cross_entropy()
    assert before > 0
    losses(1.0, steps=40)
    assert cross_entropy() < 0.8 * before


def test_a_dropped_picture_has_no_such_loss(
    model: torch.nn.Module, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    dropped = replace(run_config.loss, drop_reference=1.0)
    with_where, without = (
        Stage2(model, tokenizer, replace(run_config, loss=replace(dropped, where=where)))
        for where in (1.0, 0.0)
    )
    draws = (Draws(0, 0, 1), Draws(0, 0, 1))
    assert torch.equal(with_where(clip, draws[0]), without(clip, draws[1]))
