"""Configs are strict: unknown keys and bad values are refused with their names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from musedance_core.config import ChoreographerConfig, MuseDanceConfig, RigConfig
from musedance_core.errors import InputError
from musedance_core.presets import STICKER
from musedance_core.training.config import LossConfig, TrainConfig
from musedance_core.training.config_file import (
    config_changes,
    dump_config,
    load_config,
    model_config,
)

CONFIGS = sorted((Path(__file__).parents[2] / "train" / "configs").rglob("*.yaml"))


def write_config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: str(p.relative_to(p.parents[2])))
def test_every_shipped_config_is_valid(path: Path) -> None:
    config = load_config(path, ["output_dir=somewhere"])
    assert model_config(config).preset == config.preset


def test_overrides_reach_nested_values(tmp_path: Path) -> None:
    path = write_config(tmp_path, "batch: 4\noptim: {lr: 1e-3}\n")
    config = load_config(
        path, ["output_dir=x", "optim.warmup=7", "loss.motion=2", "model.clip.size=32"]
    )
    assert (config.batch, config.optim.lr, config.optim.warmup, config.loss.motion) == (
        4,
        1e-3,
        7,
        2,
    )
    assert model_config(config).clip.size == 32


def test_parts_of_a_model_are_left_out_by_null_added_and_changed(tmp_path: Path) -> None:
    path = write_config(tmp_path, "batch: 4\n")

    def config(*overrides: str) -> MuseDanceConfig:
        return model_config(load_config(path, ["output_dir=x", *overrides]))

    without = config("model.rig=null", "model.choreographer=null")
    assert without.rig is without.choreographer is None and not without.plans_dance
    added = config("preset=sd15", "model.rig={size: 64}", "model.choreographer={layers: 2}")
    assert added.rig == RigConfig(size=64) and added.choreographer == ChoreographerConfig(layers=2)
    assert added.plans_dance
    assert STICKER.choreographer is not None
    changed = config("model.choreographer.layers=2").choreographer
    assert changed == replace(STICKER.choreographer, layers=2)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("optim.speed=1", "speed"),
        ("colour=red", "colour"),
        ("model.unet.depth=3", "depth"),
        ("batch=many", "batch must be a whole number, not .many."),
        ("model.unet.copy_body=perhaps", "copy_body must be true or false"),
        ("batch=0", "batch"),
        ("optim.lr=fast", "lr must be a number, not .fast."),
        ("optim.schedule=linear", "schedule"),
        ("preset=sdxl", "sdxl"),
        ("max_steps", "max_steps"),
        ("data.moves=[jump]", "jump"),
        ("loss.timestep_uniform=2", "timestep_uniform must be within"),
        ("loss.drop_text=-0.1", "drop_text must be within"),
        ("loss.timestep_power=0", "timestep_power must be above"),
        ("evaluate_batch=1", "evaluate_batch must be 0 or at least 2"),
        ("data.songs=0", "data.songs must be at least 1"),
        ("data.seed=-1", "data.seed must be 0 or more"),
        ("data.mixture={cat: 1}", "data.mixture must be weights of emoji and puppet"),
        ("data.mixture={emoji: 0}", "data.mixture must be"),
        ("data.mixture={emoji: x}", "data.mixture must be"),
        ("trainable=[1]", "trainable must be a list of texts"),
        ("model.unet.channels=[a, b]", "does not fit"),
        ("model.unet.heads=0", "does not fit"),
        ("weights_only=true", "resume must be the path of a state with weights_only"),
        ("precision=fp64", "precision must be one of fp32, bf16"),
        ("optim.kind=sgd", "optim.kind must be one of adamw"),
        ("optim.ema=1", "optim.ema must be below 1"),
        ("loss.drop_all=0.9", "sum of loss.drop_"),
        ("trackers=[paper]", "trackers must be tensorboard or wandb"),
        ("model.vae.reduction=3", "must be 2, 4 or 8: 3"),
        ("model.vae.reduction=4", "mask encoder halves 3 times"),
        ("model.vae.kind=kl", "halves -1 times"),
        ("model.vae.reduction=2", "copy_reach needs a reduction of at least 4, not 2"),
        ("model.clip.previous=0", "previous is out of range: 0"),
        ("model.choreographer.width=33", "width 33 is not divisible"),
        ("model.choreographer.previous=3", "3 previous frames do not fill tokens of 2"),
        ("model.choreographer=small", "model.choreographer takes keys and values"),
        ("model.rig.depth=3", "depth"),
        ("frozen_precision=bf16", "precision must be bf16 with frozen_precision bf16"),
    ],
)
def test_unknown_keys_and_bad_values_are_named(tmp_path: Path, override: str, named: str) -> None:
    path = write_config(tmp_path, "batch: 4\n")
    with pytest.raises(InputError, match=named):
        model_config(load_config(path, ["output_dir=x", override]))


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.yaml"):
        load_config(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match="output_dir"):
        load_config(write_config(tmp_path, "batch: 4\n"))


def test_a_config_is_read_back_from_its_dict(tmp_path: Path) -> None:
    config = TrainConfig(output_dir="x", batch=3, trainable=("unet.*",), loss=LossConfig(motion=2))
    assert load_config(write_config(tmp_path, json.dumps(config.to_dict()))) == config


def test_a_config_is_dumped_and_read_back_and_its_changes_are_listed(tmp_path: Path) -> None:
    config = TrainConfig(output_dir="x", trainable=("unet.*",), model={"clip": {"size": 32}})
    assert load_config(write_config(tmp_path, dump_config(config))) == config
    other = replace(config, batch=7, optim=replace(config.optim, ema=0.0))
    assert config_changes(config.to_dict(), other.to_dict()) == [
        "batch: 48 -> 7",
        "optim.ema: 0.999 -> 0.0",
    ]


def test_null_is_an_empty_text_and_none_resumes_nothing(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, "output_dir: x\ninit: null\nresume: none\n"))
    assert (config.init, config.resume) == ("", "none")


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"note: \xe4\n")
    with pytest.raises(InputError, match=r"latin\.yaml cannot be read"):
        load_config(path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("batch: 4\nseed: *a\n", id="alias"),
        pytest.param("batch: {4\nseed: 1\n", id="bracket"),
        pytest.param("batch: !!python/object/apply:os.getcwd []\n", id="code"),
        pytest.param("batch: 2024-99-99\n", id="date"),
        pytest.param("batch: \0\n", id="zero"),
        pytest.param("[" * 100_000, id="nested"),
    ],
)
def test_damaged_yaml_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = write_config(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_wrong_key_names_the_file_and_is_cut_to_a_line(tmp_path: Path) -> None:
    path = write_config(tmp_path, f"output_dir: x\n{'k' * 1000}: 1\n")
    with pytest.raises(InputError, match="there is no key 'kkk") as caught:
        load_config(path)
    assert str(path) in str(caught.value) and "k" * 100 not in str(caught.value)
