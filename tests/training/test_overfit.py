"""Both stages learn: on one clip the loss on fixed noise falls by nine tenths."""

from __future__ import annotations

import pytest
import torch

from musedance_core.models import MuseDance
from musedance_core.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.diffusion import DiffusionStage, Stage1, Stage2
from musedance_core.training.loop import step_generator
from musedance_core.training.stage import Batch, choose_trainable

WHOLE = ("unet.*", "reference.*", "mask.*")


def fit(stage: DiffusionStage, batch: Batch, patterns: tuple[str, ...], steps: int) -> list[float]:
    """Held-out loss before and after."""
    learns = list(choose_trainable(stage, patterns).values())
    optimizer = torch.optim.Adam(learns, lr=2e-3)
    before = stage.evaluate(batch)["right"]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        optimizer.zero_grad()
        stage(repeated(batch, 4), step_generator(0, step)).backward()
        torch.nn.utils.clip_grad_norm_(learns, 1.0)
        optimizer.step()
    return [before, stage.evaluate(batch)["right"]]


def repeated(batch: Batch, times: int) -> Batch:
    return {name: tensor.repeat_interleave(times, 0) for name, tensor in batch.items()}


@pytest.mark.parametrize(("kind", "steps"), [(Stage1, 250), (Stage2, 200)])
def test_one_clip_is_learned(
    kind: type[DiffusionStage],
    steps: int,
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    stage = kind(model, tokenizer, run_config)
    stage.prepare()
    before, after = fit(stage, clip, WHOLE, steps)
    assert after < 0.1 * before
