"""Learning where bodies go."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musedance_core.config import MuseDanceConfig
from musedance_core.errors import InputError
from musedance_core.geometry import source_points
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.runtime.initial_model import fresh_model
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.body import BodyStage
from musedance_core.training.stages.losses import ConditionMask
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2


@pytest.fixture
def config(config: MuseDanceConfig) -> MuseDanceConfig:
    """The tiny model, moving bodies."""
    return replace(config, unet=replace(config.unet, copy_reach=1, copy_body=True))


@pytest.fixture
def bodies(model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig) -> Batch:
    """Two clips of one puppet's world."""
    data = DataConfig(songs=1, frames=12, mixture={"puppet": 1.0})
    stage = BodyStage(model, tokenizer, replace(run_config, data=data))
    return stage.source("train")([0, 1])


def test_two_clips_are_learned_and_nothing_else_changes(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, bodies: Batch
) -> None:
    stage = BodyStage(model, tokenizer, run_config)
    learns = choose_trainable(stage, stage.trainable)
    assert learns and all(name.startswith("model.body.") for name in named(stage, learns))
    optimizer = torch.optim.AdamW(learns.values(), lr=3e-3)
    before = stage.evaluate(bodies)
    assert before["right"] == pytest.approx(before["still"], rel=1e-3)
    for _ in range(240):
        optimizer.zero_grad()
        stage(bodies, StepRandom(0, 0, 2)).mean().backward()
        optimizer.step()
    after = stage.evaluate(bodies)
    assert after["right"] < 0.3 * after["still"]
    assert after["text"] > 1.5 * after["right"] and after["beats"] > 1.5 * after["right"]


def named(stage: BodyStage, learns: dict[str, torch.nn.Parameter]) -> set[str]:
    """Names in the stage of what learns."""
    chosen = {id(p) for p in learns.values()}
    return {name for name, p in stage.named_parameters() if id(p) in chosen}


def test_a_model_without_a_body_is_refused(
    config: MuseDanceConfig, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    still = fresh_model(
        replace(config, unet=replace(config.unet, copy_body=False, copy_pixels=False))
    )
    with pytest.raises(InputError, match=r"moves no bodies: model\.unet\.copy_body is off"):
        BodyStage(still, tokenizer, run_config)


def test_a_data_set_is_refused(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    data = replace(run_config.data, dataset="dances")
    with pytest.raises(
        InputError, match=r"data\.dataset=dances: the body planner learns from the dance"
    ):
        BodyStage(model, tokenizer, replace(run_config, data=data))


def test_single_frames_teach_nothing_of_moved_pictures(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    stage = Stage1(model, tokenizer, run_config)
    learns = choose_trainable(stage, stage.trainable)
    assert any(name.startswith("unet.copy.") for name in learns)
    assert not any(word in name for name in learns for word in ("moved", "still", "body."))


def test_a_denoiser_learns_from_true_warps_and_is_tested_on_planned_ones(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = DataConfig(songs=1, frames=6, mixture={"puppet": 1.0})
    stage = Stage2(model, tokenizer, replace(run_config, data=data))
    batch = stage.source("train")([0, 1])
    plans: list[Tensor] = []

    def planned(*given: Tensor, **more: Tensor) -> Tensor:
        plans.append(torch.eye(6)[1:3].expand(2, 6, 2, 6))  # identity warps
        return plans[-1]

    monkeypatch.setattr(model, "predict_warp", planned)
    kept = ConditionMask.keep_all(2, torch.device("cpu"))
    still = stage.conditions(batch, kept, None).warped_reference
    assert len(plans) == 1
    true = stage.conditions(batch, kept, StepRandom(0, 0, 2)).warped_reference
    assert len(plans) == 1, "the truth was known"
    assert true is not None and still is not None
    unknown = {name: t for name, t in batch.items() if "outline" not in name}
    assert stage.conditions(unknown, kept, StepRandom(0, 0, 2)).warped_reference is not None
    assert len(plans) == 2
    assert not torch.allclose(true.latents, still.latents, atol=0.1)
    warp = stage.true_warp(batch)
    assert warp is not None
    said = source_points(warp, batch["outlines"] * 2 - 1)
    assert (said - (batch["still_outline"] * 2 - 1)[:, None]).abs().max() < 0.02
