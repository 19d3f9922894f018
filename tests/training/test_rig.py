"""Training of the rig network: its samples, its loss, and a few figures learned by heart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from musedance_core.config import MuseDanceConfig
from musedance_core.dance.skeleton import BONES, INDEX, MIRRORED_JOINTS, PART_INDEX
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.rig_net import RigPrediction, locate
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.data.rigs import VARIATION, WorldRigs, random_crop
from musedance_core.training.runtime.initial_model import fresh_model
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.rig import RigStage, heatmap_target
from musedance_core.world.rig_samples import RigSample


@pytest.fixture
def stage(model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig) -> RigStage:
    return RigStage(model, tokenizer, run_config)


def test_a_few_figures_are_learned_by_the_rig_network_alone(stage: RigStage) -> None:
    batch = stage.source("train")(list(range(6)))
    trainable = choose_trainable(stage, stage.trainable)
    assert trainable and all(name.startswith("rig.") for name in trainable)
    optimizer = torch.optim.Adam(trainable.values(), lr=5e-3)
    before = stage.evaluate(batch)
    for step in range(250):
        optimizer.zero_grad()
        losses = stage(batch, StepRandom(0, step, 6))
        assert losses.shape == (6,)
        losses.mean().backward()
        optimizer.step()
    after = stage.evaluate(batch)
    assert before["joints"] < 0.5 < 0.95 < after["joints"]
    assert after["presence"] == 1 and after["parts"] > 0.8 and after["subject"] > 0.95


def test_sides_of_small_figures_are_compared_in_body_heights(
    stage: RigStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrists = [INDEX["right_wrist"], INDEX["left_wrist"]]
    joints = torch.full((1, 16, 2), 0.5)
    joints[0, wrists[0], 0], joints[0, wrists[1], 0] = 0.44, 0.53
    present = torch.zeros(1, 16, dtype=torch.bool)
    present[:, wrists] = True
    # The network finds each wrist at the place of the other.
    heatmaps = heatmap_target(joints[:, MIRRORED_JOINTS], 64).clamp_min(1e-9).log()
    prediction = RigPrediction(
        heatmaps.unflatten(-1, (64, 64)), torch.zeros(1, 16), torch.zeros(1, 11, 8, 8)
    )
    monkeypatch.setattr(stage.network, "forward", lambda crops: prediction)
    batch: Batch = {
        "crops": torch.zeros(1, 5, 8, 8),
        "joints": joints,
        "present": present,
        "parts": torch.ones(1, 8, 8, dtype=torch.long),
        "height": torch.tensor([0.3]),
    }
    assert stage.evaluate(batch)["swapped"] == 1
    batch["height"] = torch.tensor([1.0])
    assert np.isnan(stage.evaluate(batch)["swapped"]), "wrists of a large figure are too close"


def figure() -> RigSample:
    """A figure whose right arm is a bar at the picture's left, with its wrist at the bar's end."""
    picture = torch.zeros(4, 64, 64)
    picture[:, 10:60, 24:40] = 1  # trunk
    picture[:, 20:26, 4:24] = 1  # right arm
    part_map = torch.zeros(64, 64, dtype=torch.long)
    part_map[10:60, 24:40] = 1 + PART_INDEX["torso"]
    part_map[20:26, 14:24] = 1 + PART_INDEX["right_upper_arm"]
    part_map[20:26, 4:14] = 1 + PART_INDEX["right_forearm"]
    joints = torch.full((16, 2), torch.nan)
    for name, place in {
        "pelvis": (32.0, 50.0),
        "right_shoulder": (24.0, 23.0),
        "right_elbow": (14.0, 23.0),
        "right_wrist": (6.0, 23.0),
    }.items():
        joints[INDEX[name]] = torch.tensor(place)
    return RigSample(picture, joints, part_map, picture[3])


def crops(count: int) -> list[Batch]:
    return [random_crop(figure(), np.random.default_rng(i), 64) for i in range(count)]


def test_joints_stay_on_their_parts_in_every_crop() -> None:
    sides = set()
    for crop in crops(40):
        for name in ("right", "left"):
            wrist = INDEX[f"{name}_wrist"]
            if not crop["present"][wrist]:
                continue
            sides.add(name)
            x, y = (crop["joints"][wrist] * 64).long().clamp(0, 63).tolist()
            around = crop["parts"][max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            assert (around == 1 + PART_INDEX[f"{name}_forearm"]).any()
            other = MIRRORED_JOINTS[wrist]
            assert not crop["present"][other]
    assert sides == {"right", "left"}, "half of the crops are mirrored, and sides are swapped"


def test_half_of_the_crops_have_a_mask_and_the_others_a_background() -> None:
    known = 0
    for crop in crops(40):
        colours, mask, flag = crop["crops"][:3], crop["crops"][3], crop["crops"][4]
        assert (flag == flag[0, 0]).all()
        known += int(flag[0, 0])
        if flag[0, 0]:
            assert mask.max() > 0.9 and colours[:, mask == 0].abs().max() == 0
        else:
            assert mask.max() == 0
    assert 10 < known < 30


def test_a_figure_that_is_cut_off_has_no_joints_below(monkeypatch: pytest.MonkeyPatch) -> None:
    always = replace(VARIATION, cut=1.0, cut_height=(0.5, 0.6), turn=0.0, shear=0.0)
    monkeypatch.setattr("musedance_core.training.data.rigs.VARIATION", always)
    for crop in crops(10):
        assert not crop["present"][INDEX["pelvis"]]
        wrists = crop["present"][[INDEX["right_wrist"], INDEX["left_wrist"]]]
        assert wrists.sum() == 1


def test_an_outer_joint_needs_its_inner_one(tokenizer: Tokenizer) -> None:
    present = WorldRigs(32, DataConfig(), "validation")(list(range(24)))["present"]
    for inner, outer in BONES.values():
        assert not (present[:, outer] & ~present[:, inner]).any()
    assert present.any() and not present.all()


def test_samples_depend_on_index_and_split_alone() -> None:
    source = WorldRigs(32, DataConfig(), "train")
    together, alone = source([4, 5, 6]), source([5])
    assert all(torch.equal(together[name][1], alone[name][0]) for name in alone)
    other = WorldRigs(32, DataConfig(), "test")([5])
    assert not torch.equal(other["crops"], alone["crops"])


def test_targets_are_found_where_they_are() -> None:
    joints = 0.1 + 0.8 * torch.rand(2, 16, 2, generator=torch.Generator().manual_seed(0))
    target = heatmap_target(joints, 32)
    assert torch.allclose(target.sum(dim=-1), torch.ones(2, 16))
    found = locate(target.log().reshape(2, 16, 32, 32))
    assert (found - joints).abs().max() < 0.005


def test_a_model_without_a_rig_network_is_refused(
    config: MuseDanceConfig, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    with pytest.raises(InputError, match="needs a rig network, and sticker has none"):
        RigStage(fresh_model(replace(config, rig=None)), tokenizer, run_config)


def test_a_data_set_is_refused(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    data = replace(run_config.data, dataset="dances")
    with pytest.raises(InputError, match=r"data\.dataset=dances: the rig network learns"):
        RigStage(model, tokenizer, replace(run_config, data=data))
