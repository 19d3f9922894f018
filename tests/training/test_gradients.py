"""Gradients of the stages: complete, and unchanged by checkpointing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musedance_core.config import MuseDanceConfig
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.initial_model import fresh_model
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2

Enliven = Callable[[MuseDance], None]
ATTN2 = ("unet.*.attn2.*",)
COPY = ("unet.copy.*",)
WITHOUT_WARP = ("!unet.copy.moved_*", "!unet.copy.still_*")


@pytest.mark.parametrize(
    ("kind", "patterns"),
    [(Stage1, Stage1.trainable + WITHOUT_WARP), (Stage2, Stage2.trainable + ATTN2 + COPY)],
)
def test_every_trainable_gets_a_gradient_within_two_steps(
    enliven: Enliven,
    kind: type[DiffusionStage],
    patterns: tuple[str, ...],
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    enliven(model)
    stage = kind(model, tokenizer, run_config)
    trainable = choose_trainable(stage, patterns)
    optimizer = torch.optim.SGD(trainable.values(), lr=1.0)
    reached: set[str] = set()
    for step in range(2):
        optimizer.zero_grad()
        stage(clip, StepRandom(0, step, 1)).mean().backward()
        reached |= {
            n for n, p in trainable.items() if p.grad is not None and p.grad.abs().sum() > 0
        }
        optimizer.step()
    assert set(trainable) - reached == set()


@pytest.mark.parametrize("kind", [Stage1, Stage2])
def test_gradient_checkpointing_changes_no_gradient(
    enliven: Enliven,
    kind: type[DiffusionStage],
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    enliven(model)
    grads = []
    for checkpointing in (False, True):
        config = replace(run_config, gradient_checkpointing=checkpointing)
        stage = kind(model, tokenizer, config)
        trainable = choose_trainable(stage, ("unet.*", "reference.*", "mask.*"))
        stage.zero_grad()
        stage(clip, StepRandom(0, 0, 1)).mean().backward()
        grads.append({n: p.grad.clone() for n, p in trainable.items() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    for name, grad in grads[0].items():
        assert torch.allclose(grad, grads[1][name], atol=1e-6), name


def test_dropout_is_off_in_evaluation_and_reproducible_in_training(
    enliven: Enliven,
    config: MuseDanceConfig,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    dropping = replace(config, unet=replace(config.unet, dropout=0.3))
    torch.manual_seed(1)
    stage = Stage1(fresh_model(dropping), tokenizer, run_config)
    enliven(stage.model)

    def loss() -> Tensor:
        draws = StepRandom(0, 0, 1)
        draws.seed_modules()
        return stage(clip, draws).detach()

    trained = loss()
    assert torch.equal(trained, loss())
    stage.eval()
    still = loss()
    assert torch.equal(still, loss()) and not torch.equal(still, trained)
