"""Errors in the middle of a run end it with one sentence; the last good state stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.checkpoint.format import load_checkpoint, save_checkpoint
from musedance_core.cli import main
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.config_file import dump_config
from musedance_core.training.runtime.states import find_state, list_states


class Run:
    """A run of a stage's script on a data set, in this process."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        self.folder, self.config = folder, folder / "config.yaml"
        self.config.write_text(dump_config(config))
        self.data, self.out = Path(config.data.dataset), Path(config.output_dir)

    def go(self, *overrides: str) -> int:
        return main(["train", "stage2", str(self.config), *overrides])


@pytest.fixture
def run(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, dataset: Path, tmp_path: Path
) -> Run:
    """A run with two steps, saved."""
    copy = shutil.copytree(dataset, tmp_path / "dataset")
    init = tmp_path / "init.safetensors"
    save_checkpoint(init, model, tokenizer, {"trained": False}, dtype=None)
    data = replace(run_config.data, dataset=str(copy), frames=6)
    config = replace(run_config, data=data, init=str(init), max_steps=2, abort_after=3)
    run = Run(tmp_path, config)
    assert run.go() == 0
    return run


def truncate_clips(run: Run) -> None:
    for path in run.data.glob("clips/*.mp4"):
        path.write_bytes(path.read_bytes()[:200])


def remove_tracks(run: Run) -> None:
    for path in run.data.glob("tracks/*.wav"):
        path.unlink()


def leak_between_splits(run: Run) -> None:
    lines = (run.data / "metadata.jsonl").read_text().splitlines()
    leaked = {**json.loads(lines[0]), "split": "test"}
    (run.data / "metadata.jsonl").write_text("\n".join([json.dumps(leaked), *lines[1:]]))


def damage_state(run: Run) -> None:
    (run.out / "checkpoint-2/state.safetensors").write_bytes(b"cut off")


NOTHING: Callable[[Run], None] = lambda run: None  # noqa: E731


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate_clips, "clips/"),
        (remove_tracks, "tracks/"),
        (leak_between_splits, "video-0.mp4 is in test and train"),
    ],
)
def test_bad_data_is_named(
    run: Run,
    damage: Callable[[Run], None],
    message: str,
    workers: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(run)
    capsys.readouterr()
    assert run.go("max_steps=4", f"data.workers={workers}") == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("musedance: ") and message in error and error.count("\n") == 0
    good = find_state(run.out, "latest")
    assert good is not None and good.name == "checkpoint-2"
    assert load_checkpoint(run.out / "model.safetensors").model is not None


@pytest.mark.parametrize(
    ("damage", "override", "message"),
    [
        (NOTHING, "optim.speed=3", "no key 'speed'"),
        (NOTHING, "resume=elsewhere", "resume: elsewhere is not a checkpoint state"),
        (NOTHING, "init=nothing.safetensors", "no checkpoint at nothing.safetensors"),
        (NOTHING, "trainable=[unet.nothing]", "no parameter matches 'unet.nothing'"),
        (NOTHING, "loss.min_snr_gamma=5", "cannot be used with zero terminal SNR"),
        (NOTHING, "data.frames=11", "has 10 frames, data.frames is 11"),
        (damage_state, "max_steps=4", "checkpoint-2 cannot be read"),
        (NOTHING, "output_dir=/dev/null/run", "/dev/null"),
    ],
)
def test_bad_settings_are_named(
    run: Run,
    damage: Callable[[Run], None],
    override: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(run)
    capsys.readouterr()
    assert run.go("max_steps=4", override) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and error.count("\n") == 0
    assert [p.name for p in list_states(run.out)] == ["checkpoint-2"]


def test_a_loss_that_stays_non_finite_ends_the_run(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loss weight beyond float32 makes every loss NaN; the files saved before stay."""
    assert run.go("max_steps=20", "loss.motion=1.0e+39", "checkpoint_every=100") == 2
    printed = capsys.readouterr()
    assert "not finite in 3 steps in a row" in printed.err and "of step 2." in printed.err
    assert "skipped; in clips/" in printed.out
    weights = dict(load_checkpoint(run.out / "model.safetensors").model.named_parameters())
    assert all(torch.isfinite(w).all() for w in weights.values())
