"""Mixed precision: trainable weights stay in fp32, frozen ones are exported unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.frozen import FrozenWeights
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.runtime.validation import ValidationClips, recorded_examples
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2


def in_bf16() -> torch.autocast:
    """Autocast on the CPU casts the same operations as on a GPU."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


@pytest.mark.parametrize("kind", [Stage1, Stage2])
@pytest.mark.parametrize("halved", [False, True])
def test_autocast_leaves_gradients_in_single_precision(
    kind: type[DiffusionStage],
    halved: bool,
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    stage = kind(model, tokenizer, run_config)
    trainable = choose_trainable(stage, stage.trainable)
    exact = stage(clip, StepRandom(0, 0, 1)).mean()
    frozen = FrozenWeights(stage)
    if halved:
        frozen.to_bf16()
    with in_bf16():
        loss = stage(clip, StepRandom(0, 0, 1)).mean()
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.05)
    grads = [p.grad for p in trainable.values() if p.grad is not None]
    assert grads and all(g.dtype == torch.float32 for g in grads)


def test_bf16_weights_can_be_evaluated_and_generate_clips(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
    dataset: Path,
) -> None:
    torch.nn.init.normal_(model.unet.conv_out.weight, std=0.02)
    data = replace(run_config.data, dataset=str(dataset), frames=6)
    config = replace(run_config, data=data, validate_clips=1, validate_steps=2)
    stage = Stage2(model, tokenizer, config)
    choose_trainable(stage, stage.trainable)
    clips = ValidationClips(model, tokenizer, config)
    (example,) = recorded_examples(model.config, data, 1)
    with torch.no_grad():
        exact, frames = stage.evaluate(clip)["right"], clips.generate(example)
        FrozenWeights(stage).to_bf16()
        with in_bf16():
            assert stage.evaluate(clip)["right"] == pytest.approx(exact, rel=0.05)
            assert (clips.generate(example) - frames).abs().mean() < 0.05


def test_frozen_weights_are_held_in_bf16_with_their_originals_on_the_cpu(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    stage = Stage2(model, tokenizer, run_config)
    trainable = choose_trainable(stage, stage.trainable)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    frozen = FrozenWeights(stage)
    digest = frozen.digest
    frozen.to_bf16()
    frozen.require_unchanged()
    assert frozen.digest == digest
    now = dict(model.named_parameters())
    assert set(frozen.parameters) | set(trainable) == set(now)
    assert all(now[name].dtype == torch.bfloat16 for name in frozen.parameters)
    assert all(now[name].dtype == torch.float32 for name in trainable)
    assert all(torch.equal(frozen.originals[name], before[name]) for name in frozen.parameters)


def test_a_change_of_frozen_weights_is_noticed(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    stage = Stage2(model, tokenizer, run_config)
    choose_trainable(stage, stage.trainable)
    frozen = FrozenWeights(stage)
    frozen.require_unchanged()
    with torch.no_grad():
        model.text.get_parameter(next(iter(dict(model.text.named_parameters())))).add_(1e-6)
    with pytest.raises(AssertionError, match="frozen weights have changed"):
        frozen.require_unchanged()
