"""`musedance train STAGE`: its configs, and its stages."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from musedance_core.checkpoint.format import read_header
from musedance_core.cli.train import STAGES, find_config
from musedance_core.training import entry
from musedance_core.training.runtime.provenance import command_line

Run = Callable[..., int]


def test_the_listed_stages_are_those_of_training() -> None:
    assert list(STAGES) == list(entry.STAGES)


def test_every_stage_has_a_script_for_accelerate() -> None:
    folder = Path(__file__).parents[2] / "train"
    for stage in [*STAGES, "judges"]:
        assert f'main(["train", "{stage}", *sys.argv[1:]])' in (folder / f"{stage}.py").read_text()


def test_configs_of_a_checkout_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(find_config("smoke/stage1.yaml")).is_file()
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/stage1.yaml").write_text("")
    assert find_config("smoke/stage1.yaml") == "smoke/stage1.yaml"


def test_a_config_that_is_nowhere_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "stage1", "none.yaml", "output_dir=out") == 2
    message = capsys.readouterr().err
    assert message.startswith("musedance: The config none.yaml cannot be read")
    assert message.count("\n") == 1


def test_sigterm_saves_and_exits_with_143_and_the_next_run_goes_on(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a shell script does not go on to the next stage with half a model."""
    small = ["smoke/stage1.yaml", f"output_dir={tmp_path}", "trackers=[]", "log_every=1"]
    small += ["evaluate_batch=0", "validate_clips=0", "batch=1", "checkpoint_every=100000"]
    command = [sys.executable, "-m", "musedance_core.cli", "train", "stage1", *small]
    with subprocess.Popen([*command, "max_steps=100000"], stdout=subprocess.PIPE) as process:
        log, end = tmp_path / "log.jsonl", time.monotonic() + 120
        while not (log.is_file() and '"step": 2,' in log.read_text()):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 143
    (state,) = tmp_path.glob("checkpoint-*")
    step = json.loads((state / "state.json").read_text())["step"]
    assert run("train", "stage1", *small, f"max_steps={step + 1}") == 0
    assert f"resumed from {state}" in capsys.readouterr().out
    stage = read_header(tmp_path / "model.safetensors").provenance["stages"][-1]
    assert stage["steps"] == step + 1


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["train/vae.py", "x.yaml"], "python train/vae.py x.yaml"),
        (["/home/me/venv/bin/musedance", "train", "vae"], "musedance train vae"),
        (["/home/me/musedance_core/cli/__main__.py", "train"], "musedance train"),
    ],
)
def test_the_provenance_names_no_folder_of_the_installation(
    argv: list[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == command
