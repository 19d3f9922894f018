"""Training of the body planner, and of the denoiser on its warps."""

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
    """The tiny model with a body planner."""
    return replace(config, unet=replace(config.unet, copy_reach=1, copy_body=True))


@pytest.fixture
def bodies(model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig) -> Batch:
    """Two clips of the dance world with puppets."""
    data = DataConfig(songs=1, frames=12, mixture={"puppet": 1.0})
    stage = BodyStage(model, tokenizer, replace(run_config, data=data))
    return stage.source("train")([0, 1])


def test_two_clips_are_learned_by_the_planner_alone(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, bodies: Batch
) -> None:
    stage = BodyStage(model, tokenizer, run_config)
    trainable = choose_trainable(stage, stage.trainable)
    assert trainable and all(
        name.startswith("model.body.") for name in stage_names(stage, trainable)
    )
    optimizer = torch.optim.AdamW(trainable.values(), lr=3e-3)
    before = stage.evaluate(bodies)
    assert before["right"] == pytest.approx(before["still"], rel=1e-3)
    for _ in range(240):
        optimizer.zero_grad()
        stage(bodies, StepRandom(0, 0, 2)).mean().backward()
        optimizer.step()
    after = stage.evaluate(bodies)
    assert after["right"] < 0.3 * after["still"]
    assert after["text"] > 1.5 * after["right"] and after["beats"] > 1.5 * after["right"]


def stage_names(stage: BodyStage, trainable: dict[str, torch.nn.Parameter]) -> set[str]:
    """Returns the names of these parameters in the stage."""
    chosen = {id(p) for p in trainable.values()}
    return {name for name, p in stage.named_parameters() if id(p) in chosen}


def test_a_model_without_a_planner_is_refused(
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


def test_stage_1_leaves_the_layers_of_warped_pictures_alone(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    stage = Stage1(model, tokenizer, run_config)
    trainable = choose_trainable(stage, stage.trainable)
    assert any(name.startswith("unet.copy.") for name in trainable)
    assert not any(word in name for name in trainable for word in ("moved", "still", "body."))


def test_the_denoiser_trains_on_true_warps_and_is_evaluated_on_planned_ones(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = DataConfig(songs=1, frames=6, mixture={"puppet": 1.0})
    stage = Stage2(model, tokenizer, replace(run_config, data=data))
    batch = stage.source("train")([0, 1])
    plans: list[Tensor] = []

    def predict(*inputs: Tensor, **options: Tensor) -> Tensor:
        plans.append(torch.eye(6)[1:3].expand(2, 6, 2, 6))  # identity warps
        return plans[-1]

    monkeypatch.setattr(model, "predict_warp", predict)
    mask = ConditionMask.keep_all(2, torch.device("cpu"))
    still = stage.conditions(batch, mask, None).warped_reference
    assert len(plans) == 1
    true = stage.conditions(batch, mask, StepRandom(0, 0, 2)).warped_reference
    assert len(plans) == 1, "the true warp is used"
    assert true is not None and still is not None
    unknown = {name: t for name, t in batch.items() if "outline" not in name}
    assert stage.conditions(unknown, mask, StepRandom(0, 0, 2)).warped_reference is not None
    assert len(plans) == 2
    assert not torch.allclose(true.latents, still.latents, atol=0.1)
    warp = stage.true_warp(batch)
    assert warp is not None
    mapped = source_points(warp, batch["outlines"] * 2 - 1)
    assert (mapped - (batch["still_outline"] * 2 - 1)[:, None]).abs().max() < 0.02
