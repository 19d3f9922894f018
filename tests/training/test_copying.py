"""Training of the layers that copy from the reference, in both stages."""

from __future__ import annotations

import pytest
import torch

from musedance_core.models import MuseDance
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


@torch.no_grad()
def test_planned_frames_help_and_wrong_ones_cost(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    """With a denoiser that shows the plan: at any noise its loss is that of the plan."""
    stage = Stage2(model, tokenizer, run_config)
    model.unet.copy.moved_out.weight.zero_()
    model.unet.copy.moved_out.bias.fill_(60.0)
    for layer in (model.unet.copy.share_out, model.unet.copy.still_out):
        layer.weight.zero_()
        layer.bias.fill_(-60.0)
    true = {**clip, "planned": clip["frames"]}
    wrong = {**clip, "planned": clip["frames"].flip(-1)}
    losses = [stage.losses_by_time(batch).mean() for batch in (true, clip, wrong)]
    assert losses[0] < losses[1] < losses[2] and losses[0] < 0.1 * losses[2]


def test_the_wrong_picture_has_the_wrong_plan(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    stage = Stage2(model, tokenizer, run_config)
    batch = {name: torch.cat([tensor, 1 - tensor.float()]) for name, tensor in clip.items()}
    variants = stage.condition_variants(batch)
    for name in ("planned", "coverage"):
        for variant in ("picture", "plan"):
            assert torch.equal(variants[variant][name], batch[name].flip(0))
        assert torch.equal(variants["text"][name], batch[name])
    assert torch.equal(variants["picture"]["reference"], batch["reference"].flip(0))
    assert torch.equal(variants["plan"]["reference"], batch["reference"])
    recorded = {name: batch[name] for name in batch if name not in ("planned", "coverage")}
    assert "planned" not in stage.condition_variants(recorded)["picture"]
