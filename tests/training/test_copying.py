"""Training of the layers that copy from the reference, in both stages."""

from __future__ import annotations

import pytest
import torch

from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2


@pytest.mark.parametrize("kind", [Stage1, Stage2])
def test_the_copying_layers_learn(
    kind: type[DiffusionStage],
    model: torch.nn.Module,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    stage = kind(model, tokenizer, run_config)
    copying = [p for name, p in model.named_parameters() if name.startswith("unet.copy.")]
    optimizer = torch.optim.Adam(copying, lr=3e-3)

    def loss(steps: int) -> float:
        with torch.no_grad():
            losses = [stage(clip, StepRandom(1, step, 1)).item() for step in range(steps)]
        return sum(losses) / steps

    before = loss(8)
    for step in range(40):
        optimizer.zero_grad()
        stage(clip, StepRandom(0, step, 1)).mean().backward()
        optimizer.step()
    assert loss(8) < 0.8 * before
