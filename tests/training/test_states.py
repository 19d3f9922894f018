"""Training states on disk: written whole or not at all."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.runtime.ema import Ema
from musedance_core.training.runtime.states import (
    find_state,
    list_states,
    load_training_state,
    read_state_metadata,
    recover_folder,
    save_training_state,
    supersede_later_states,
)

METADATA = {"seconds": 1.0, "skipped": 0, "warm_from": 0, "frozen": "", "config": {}}
FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from torch import nn
from musedance_core.checkpoint.format import load_checkpoint, save_checkpoint
from musedance_core.errors import InputError
from musedance_core.training.runtime.ema import Ema
from musedance_core.training.runtime.states import save_training_state

loaded = load_checkpoint(sys.argv[3])
model, tokenizer = loaded.model, loaded.tokenizer
folder, size = Path(sys.argv[1]), int(sys.argv[2])
METADATA = {"seconds": 1.0, "skipped": 0, "warm_from": 0, "frozen": "", "config": {}}
parameters = {"w": nn.Parameter(torch.randn(size))}
ema, optimizer = Ema(parameters, 0.9), torch.optim.AdamW(parameters.values())
save_training_state(folder, 1, parameters, ema, optimizer, METADATA, keep=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    save_training_state(folder, 2, parameters, ema, optimizer, METADATA, keep=1)
except InputError as error:
    print(error)
try:
    save_checkpoint(folder / "model.safetensors", model, tokenizer, {}, dtype=None)
except InputError as error:
    print(error)
"""


def train_once(value: float) -> tuple[dict[str, nn.Parameter], Ema, torch.optim.Optimizer]:
    parameters = {"w": nn.Parameter(torch.full((8,), value))}
    optimizer = torch.optim.AdamW(parameters.values(), lr=0.1)
    parameters["w"].sum().backward()
    optimizer.step()
    return parameters, Ema(parameters, 0.9), optimizer


def test_a_state_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    parameters, ema, optimizer = train_once(3.0)
    path = save_training_state(tmp_path, 5, parameters, ema, optimizer, METADATA, keep=2)
    others, average, fresh = train_once(7.0)
    fresh.state.clear()
    load_training_state(path, others, average, fresh)
    assert torch.equal(others["w"], parameters["w"])
    assert torch.equal(average.average["w"], ema.average["w"])
    loaded, saved = fresh.state[others["w"]], optimizer.state[parameters["w"]]
    assert loaded.keys() == saved.keys()
    assert all(torch.equal(loaded[key], saved[key]) for key in loaded)


def test_the_states_with_the_highest_steps_stay(tmp_path: Path) -> None:
    parameters, ema, optimizer = train_once(1.0)
    for step in (8, 9, 10, 11):
        save_training_state(tmp_path, step, parameters, ema, optimizer, METADATA, keep=2)
    assert [p.name for p in list_states(tmp_path)] == ["checkpoint-10", "checkpoint-11"]
    assert find_state(tmp_path, "latest") == tmp_path / "checkpoint-11"


def test_a_state_of_other_parameters_or_a_damaged_one_is_named(tmp_path: Path) -> None:
    parameters, ema, optimizer = train_once(1.0)
    path = save_training_state(tmp_path, 1, parameters, ema, optimizer, METADATA, keep=1)
    with pytest.raises(InputError, match=r"other parameters .*\['v', 'w'\]"):
        load_training_state(path, {"v": parameters["w"]}, ema, optimizer)
    (path / "state.safetensors").write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"checkpoint-1 cannot be read"):
        load_training_state(path, parameters, ema, optimizer)


def test_later_states_of_an_abandoned_run_are_renamed(tmp_path: Path) -> None:
    """Otherwise they would be resumed instead of the new ones, and stay longer."""
    parameters, ema, optimizer = train_once(1.0)
    for step in (400, 500):
        save_training_state(tmp_path, step, parameters, ema, optimizer, METADATA, keep=2)
    assert [p.name for p in supersede_later_states(tmp_path, 450)] == ["superseded-500"]
    save_training_state(tmp_path, 420, parameters, ema, optimizer, METADATA, keep=1)
    assert [p.name for p in supersede_later_states(tmp_path, 0)] == ["superseded-420"]
    save_training_state(tmp_path, 2, parameters, ema, optimizer, METADATA, keep=1)
    assert {p.name for p in tmp_path.iterdir()} == {
        "checkpoint-2",
        "superseded-420",
        "superseded-500",
    }


def test_a_kill_in_the_middle_of_a_save_loses_nothing(tmp_path: Path) -> None:
    parameters, ema, optimizer = train_once(1.0)
    path = save_training_state(tmp_path, 7, parameters, ema, optimizer, METADATA, keep=1)
    path.rename(tmp_path / ".before-7")
    (tmp_path / ".writing-7").mkdir()
    (tmp_path / ".model.0-1-x.partial.safetensors").write_bytes(b"half")
    recover_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-7"]
    shutil.copytree(path, tmp_path / ".before-7")
    recover_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-7"]
    load_training_state(path, parameters, ema, None)


def test_a_state_of_another_shape_is_named(tmp_path: Path) -> None:
    parameters, ema, optimizer = train_once(1.0)
    path = save_training_state(tmp_path, 1, parameters, ema, optimizer, METADATA, keep=1)
    wider = {"w": nn.Parameter(torch.zeros(3, 8))}
    with pytest.raises(InputError, match=r"w has shape \(8,\), not \(3, 8\)"):
        load_training_state(path, wider, Ema(wider, 0.9), None)


def test_an_average_that_the_state_lacks_starts_at_its_weights(tmp_path: Path) -> None:
    parameters, _, optimizer = train_once(1.0)
    path = save_training_state(
        tmp_path, 5, parameters, Ema(parameters, 0.0), optimizer, METADATA, keep=1
    )
    others, average, _ = train_once(7.0)
    load_training_state(path, others, average, None)
    assert torch.equal(average.average["w"], parameters["w"]) and average.updates == 0


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"step": "two"}', "[" * 100_000])
def test_an_edited_state_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(InputError, match=f"{tmp_path}"):
        read_state_metadata(tmp_path)


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on file sizes")
def test_after_a_full_disk_the_last_good_files_stay(
    model: MuseDance, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: a write fails half way."""
    size = 100_000
    init, model_file = tmp_path / "init.safetensors", tmp_path / "model.safetensors"
    save_checkpoint(init, model, tokenizer, {"trained": True}, dtype=None)
    model_file.write_bytes(b"the last good one")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(size), str(init)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The state of step 2 cannot be written" in done.stdout, done.stdout + done.stderr
    assert f"the last good one is {tmp_path / 'checkpoint-1'}." in done.stdout
    assert f"{model_file} cannot be written" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"checkpoint-1", init.name, model_file.name}
    assert model_file.read_bytes() == b"the last good one"
    parameters = {"w": nn.Parameter(torch.zeros(size))}
    load_training_state(tmp_path / "checkpoint-1", parameters, Ema(parameters, 0.9), None)
    assert parameters["w"].any()
