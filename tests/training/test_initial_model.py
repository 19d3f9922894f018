"""The model that a stage starts from, and the file that it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.checkpoint.format import load_checkpoint, read_header, save_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.initial_model import (
    InitialModel,
    fresh_model,
    load_initial_model,
    write_model,
)


@pytest.fixture
def init(model: MuseDance, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """A checkpoint in full precision without zero weights."""
    torch.manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    path = tmp_path / "init.safetensors"
    save_checkpoint(path, model, tokenizer, {"trained": False, "stages": []}, dtype=None)
    return path


def test_the_report_counts_the_loaded_tensors(
    init: Path, model: MuseDance, run_config: TrainConfig
) -> None:
    initial = load_initial_model(replace(run_config, init=str(init)))
    own = model.state_dict()
    assert set(initial.report.loaded) == set(own)
    assert (initial.report.fresh, initial.report.unused) == ((), ())
    assert all(torch.equal(t, own[n]) for n, t in initial.model.state_dict().items())
    line = initial.report.lines("x.safetensors")[0]
    assert f"{len(own)} tensors loaded, 0 fresh, 0 unused" in line


def test_modules_of_stage_2_can_be_left_out_and_added_again(
    init: Path, run_config: TrainConfig, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    config = replace(run_config, init=str(init), model={"dynamics": {"music": False}})
    without = load_initial_model(config)
    assert without.report.unused and not without.report.fresh
    assert all(".music" in n or "music_tokens" in n for n in without.report.unused)
    assert "unet music, unet music_tokens" in without.report.lines("x")[1]
    path = tmp_path / "without.safetensors"
    save_checkpoint(path, without.model, tokenizer, {"trained": False}, dtype=None)
    back = load_initial_model(replace(config, init=str(path), model={"dynamics": {"music": True}}))
    assert set(back.report.fresh) == set(without.report.unused)
    again = back.model.state_dict()
    outputs = [n for n in back.report.fresh if ".music." in n and "to_out" in n]
    assert outputs and all(not again[n].any() for n in outputs)


WITHOUT_COPYING = {"copy_reach": 0, "copy_body": False}


def test_copying_and_planned_frames_can_be_added_to_a_model(
    init: Path, run_config: TrainConfig, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    without = load_initial_model(
        replace(run_config, init=str(init), model={"unet": WITHOUT_COPYING})
    )
    path = tmp_path / "without.safetensors"
    save_checkpoint(path, without.model, tokenizer, {"trained": False}, dtype=None)
    moving = {"copy_reach": 1, "copy_body": True}
    initial = load_initial_model(replace(run_config, init=str(path), model={"unet": moving}))
    assert initial.model.config.unet.copy_reach == 1 and not initial.report.unused
    assert initial.report.fresh
    assert all(name.startswith("unet.copy.") for name in initial.report.fresh)
    assert any("moved_in" in name for name in initial.report.fresh)


def test_only_the_parameters_of_fresh_are_initialised_again(
    init: Path, model: MuseDance, run_config: TrainConfig
) -> None:
    initial = load_initial_model(replace(run_config, init=str(init), fresh=("unet.*.motion.*",)))
    own, original = initial.model.state_dict(), model.state_dict()
    assert initial.report.fresh and all(".motion." in n for n in initial.report.fresh)
    assert all(torch.equal(own[n], original[n]) for n in initial.report.loaded)
    assert not any(own[n].any() for n in initial.report.fresh if "proj_out.weight" in n)
    with pytest.raises(InputError, match="fresh: no parameter matches 'nothing'"):
        load_initial_model(replace(run_config, init=str(init), fresh=("nothing",)))


def test_an_init_of_another_shape_is_refused(init: Path, run_config: TrainConfig) -> None:
    wider = replace(run_config, init=str(init), model={"unet": {"channels": [48]}})
    with pytest.raises(InputError, match=r"init\.safetensors does not fit .* differ"):
        load_initial_model(wider)


def test_settings_without_weights_may_change(init: Path, run_config: TrainConfig) -> None:
    initial = load_initial_model(
        replace(run_config, init=str(init), model={"unet": {"dropout": 0.05}})
    )
    assert initial.model.config.unet.dropout == 0.05
    assert not initial.report.fresh


def test_the_provenance_has_config_versions_and_git_state(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    Path(run_config.output_dir).mkdir()
    config = replace(run_config, note="a try", batch=3, accumulate=2)
    path = write_model(InitialModel(model, tokenizer), "stage1", config, 17, 1.5, {})
    header = read_header(path)
    entry = header.provenance["stages"][-1]
    assert (entry["part"], entry["steps"], entry["batch"], entry["note"]) == (
        "stage1",
        17,
        6,
        "a try",
    )
    assert entry["config"] == json.loads(json.dumps(config.to_dict()))
    assert entry["versions"]["torch"] and entry["git"] and not header.provenance["trained"]
    description = describe(path)
    assert "steps 17" in description and "torch" in description and "drop_text" not in description


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("stage2", False, True),
        ("choreographer", True, True),
        ("choreographer", False, False),
        ("rig", True, True),
        ("rig", False, False),
        ("stage1", True, False),
    ],
)
def test_stage_2_makes_a_dancer_and_choreographer_and_rig_keep_it_one(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    tmp_path: Path,
    part: str,
    before: bool,
    after: bool,
) -> None:
    init = tmp_path / "init.safetensors"
    save_checkpoint(init, model, tokenizer, {"trained": before, "stages": []}, dtype=None)
    config = replace(run_config, init=str(init))
    Path(config.output_dir).mkdir()
    path = write_model(load_initial_model(config), part, config, 1, 0.1, {})
    assert read_header(path).provenance["trained"] is after


def test_frozen_weights_are_exported_in_their_original_precision(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig
) -> None:
    Path(run_config.output_dir).mkdir()
    name, parameter = next(iter(model.text.named_parameters(prefix="text")))
    original = parameter.detach().clone()
    parameter.data = parameter.data.to(torch.bfloat16)
    config = replace(run_config, export_dtype="float32")
    path = write_model(InitialModel(model, tokenizer), "stage1", config, 1, 0.1, {name: original})
    loaded = dict(load_checkpoint(path).model.named_parameters())
    assert torch.equal(loaded[name], original)


@pytest.mark.parametrize("part", ["rig", "choreographer"])
def test_a_rig_network_and_a_choreographer_can_be_added_to_a_model(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, tmp_path: Path, part: str
) -> None:
    """As to a model that was trained before there were any, such as `sd15`."""
    without = fresh_model(replace(model.config, **{part: None}))
    path = tmp_path / "without.safetensors"
    save_checkpoint(path, without, tokenizer, {"trained": True}, dtype=None)
    small = {
        "rig": {"size": 32, "channels": [8, 16], "heads": 2},
        "choreographer": {"width": 32, "layers": 1, "heads": 2, "previous": 2},
    }
    config = replace(run_config, init=str(path), model={part: small[part]})
    initial = load_initial_model(config)
    assert initial.trained and getattr(initial.model.config, part) == getattr(model.config, part)
    assert initial.report.fresh and all(n.startswith(f"{part}.") for n in initial.report.fresh)


@pytest.mark.parametrize("part", ["rig", "choreographer"])
def test_they_can_be_left_out(
    init: Path, model: MuseDance, run_config: TrainConfig, part: str
) -> None:
    initial = load_initial_model(replace(run_config, init=str(init), model={part: None}))
    assert getattr(initial.model, part) is None and not initial.model.config.plans_dance
    assert initial.report.unused and not initial.report.fresh
    assert all(name.startswith(f"{part}.") for name in initial.report.unused)
