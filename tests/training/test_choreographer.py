"""Training of the choreographer: its samples, and that it learns them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musedance_core.config import ChoreographerConfig, MuseDanceConfig
from musedance_core.dance.motion import DanceMotion
from musedance_core.diffusion.choreography import DanceSettings, pose_noise, sample_features
from musedance_core.diffusion.guidance import Guidance
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, LossConfig, TrainConfig
from musedance_core.training.data.dances import WorldDances
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.choreographer import LEAST_STD, ChoreographerStage
from musedance_core.training.stages.losses import ConditionMask

CHOREOGRAPHER = ChoreographerConfig(width=64, layers=2, heads=2, previous=2)
KEEP_ALL = LossConfig(drop_text=0.0, drop_reference=0.0, drop_all=0.0)


@pytest.fixture
def config(config: MuseDanceConfig) -> MuseDanceConfig:
    """The tiny model with segments of a second."""
    clip = replace(config.clip, frames=12)
    return replace(config, clip=clip, choreographer=CHOREOGRAPHER)


@pytest.fixture
def dance_config(run_config: TrainConfig) -> TrainConfig:
    return replace(run_config, data=DataConfig(songs=2), loss=KEEP_ALL)


@pytest.fixture
def source(config: MuseDanceConfig, tokenizer: Tokenizer) -> WorldDances:
    return WorldDances(config, DataConfig(songs=2), tokenizer, "train")


@pytest.fixture
def batch(source: WorldDances) -> Batch:
    return source([0, 1])


def test_a_sample_depends_on_its_index_alone(source: WorldDances) -> None:
    one, other = source([3, 7]), source([7, 5])
    assert all(torch.equal(one[name][1], other[name][0]) for name in one)


def test_poses_go_on_from_those_before_without_a_jump(source: WorldDances) -> None:
    scenes = [source.scene(index) for index in range(60)]
    assert any(scene.before is not None for scene in scenes)
    batch = source(list(range(60)))
    joined = torch.cat([batch["previous"], batch["poses"]], dim=1)
    steps = joined.diff(dim=1).norm(dim=-1)
    m = batch["previous"].shape[1]
    assert steps[:, m - 1].median() <= 1.5 * steps.median(dim=1).values.mean() + 0.02
    assert (steps[:, m - 1] <= 1.6 * steps[:, m - 2 : m + 2].amax(dim=1) + 1e-4).all()


def test_features_are_normalised_by_those_of_the_world(
    model: MuseDance, tokenizer: Tokenizer, dance_config: TrainConfig, source: WorldDances
) -> None:
    stage = ChoreographerStage(model, tokenizer, replace(dance_config, batch=24))
    samples = source.features([source.scene(index) for index in range(96)]).flatten(0, 1)
    features = stage.choreographer.normalise(samples)
    assert features.mean(dim=0).abs().max() < 1e-4
    # Features that hardly change, which differ from batch to batch, are not blown up.
    expected = (samples.std(dim=0) / LEAST_STD).clamp(max=1)
    assert torch.allclose(features.std(dim=0), expected, atol=1e-3)
    assert 20 <= (expected == 1).sum() < len(expected)
    # Other samples have about the same statistics.
    others = stage.choreographer.normalise(source(list(range(200, 248)))["poses"])
    assert 0.7 < others.std(dim=(0, 1)).median() < 1.3


def test_two_dances_are_learned_and_sampled(
    model: MuseDance, tokenizer: Tokenizer, dance_config: TrainConfig, batch: Batch
) -> None:
    stage = ChoreographerStage(model, tokenizer, dance_config)
    trainable = choose_trainable(stage, stage.trainable)
    assert trainable and all(name.startswith("choreographer.") for name in trainable)
    optimizer = torch.optim.Adam(trainable.values(), lr=3e-3)
    before = stage.evaluate(batch)
    for step in range(450):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - step / 450)
        optimizer.zero_grad()
        repeated = {name: tensor.repeat_interleave(4, 0) for name, tensor in batch.items()}
        stage(repeated, StepRandom(0, step, 8)).mean().backward()
        torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0)
        optimizer.step()
    after = stage.evaluate(batch)
    assert after["right"] < 0.25 * before["right"]
    assert after["text"] > 1.5 * after["right"]

    # From noise alone, too, by the conditions of each, whatever the noise. No condition was ever
    # dropped, so there is nothing to be guided away from.
    takes = {name: torch.cat([tensor] * 4) for name, tensor in batch.items()}
    audio = stage.clip_audio(takes, ConditionMask.keep_all(8, stage.device))
    noise = pose_noise(model, [torch.Generator().manual_seed(i) for i in range(8)])
    settings = DanceSettings(8, Guidance(1.0))
    sampled = sample_features(model, model.text(takes["ids"]), audio, None, noise, settings)
    own = (sampled - takes["poses"]).abs().mean(dim=(1, 2))
    other = (sampled - takes["poses"].roll(1, dims=0)).abs().mean(dim=(1, 2))
    assert (own / other).max() < 0.3


def test_music_is_encoded_once_for_each_window(
    model: MuseDance, tokenizer: Tokenizer, dance_config: TrainConfig, batch: Batch
) -> None:
    stage = ChoreographerStage(model, tokenizer, dance_config)
    first = stage.music_tokens(batch)
    assert torch.equal(stage.music_tokens({**batch, "mel": torch.zeros_like(batch["mel"])}), first)
    expected, _ = model.music.encode_clip(batch["mel"], model.config.clip.seconds)
    assert torch.allclose(first, expected, atol=5e-3)


def test_features_of_the_world_are_those_of_its_poses(
    config: MuseDanceConfig, tokenizer: Tokenizer
) -> None:
    source = WorldDances(config, DataConfig(songs=2), tokenizer, "validation")
    features = source([0, 1, 2])["poses"]
    motion = DanceMotion.from_features(features, source.fps)
    assert torch.allclose(motion.features(), features, atol=1e-4)


def test_a_model_without_a_choreographer_and_a_data_set_are_refused(
    model: MuseDance, tokenizer: Tokenizer, dance_config: TrainConfig
) -> None:
    data = replace(dance_config.data, dataset="dances")
    with pytest.raises(InputError, match=r"data\.dataset=dances: the choreographer learns from"):
        ChoreographerStage(model, tokenizer, replace(dance_config, data=data))
    without = MuseDance(replace(model.config, choreographer=None))
    with pytest.raises(InputError, match=r"plans no dance: model\.choreographer is not set"):
        ChoreographerStage(without, tokenizer, dance_config)
