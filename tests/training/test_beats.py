"""Training of the beat network: its excerpts, its loss, and a run from the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from musedance_core.audio.beat_network import BeatNetwork, load_beat_network
from musedance_core.cli import main
from musedance_core.errors import InputError
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.data.beats import MEL_FRAMES, BeatExcerpts
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import choose_trainable
from musedance_core.training.stages.beats import BeatStage

DATA = DataConfig(songs=3, workers=0)


def test_excerpts_depend_on_their_index_alone(tmp_path: Path) -> None:
    one = BeatExcerpts(64, DATA, "train", tmp_path)
    first = one([5, 2])
    again = BeatExcerpts(64, DATA, "train", tmp_path)([2, 5])
    for name in ("mel", "beats", "downbeats"):
        assert torch.equal(first[name].flip(0), again[name])
    assert first["mel"].shape == (2, MEL_FRAMES, 64)
    assert first["beats"].shape == first["downbeats"].shape == (2, MEL_FRAMES // 2)
    assert "song" in one.names([5])[0]
    assert list(tmp_path.glob("train-*.npz"))


def test_downbeats_are_beats() -> None:
    batch = BeatExcerpts(64, DATA, "train")(list(range(8)))
    beats, downbeats = batch["beats"], batch["downbeats"]
    assert (beats[downbeats == 1] == 1).all()
    assert 0 < (downbeats == 1).sum() < (beats == 1).sum()


def test_a_damaged_song_in_the_cache_is_named(tmp_path: Path) -> None:
    BeatExcerpts(64, DATA, "validation", tmp_path)([0])
    path = tmp_path / "validation-0.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"validation-0\.npz cannot be read"):
        BeatExcerpts(64, DATA, "validation", tmp_path)([0])


def test_two_excerpts_are_learned_by_heart() -> None:
    torch.manual_seed(0)
    config = TrainConfig("runs/x", data=DATA)
    stage = BeatStage(BeatNetwork(), config)
    parameters = choose_trainable(stage, stage.trainable)
    optimizer = torch.optim.Adam(parameters.values(), lr=4e-3)
    batch = BeatExcerpts(64, DATA, "train")([0, 1])
    before = stage.evaluate(batch)
    for step in range(60):
        losses = stage(batch, StepRandom(0, step, 2))
        assert losses.shape == (2,)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
    stage.eval()
    after = stage.evaluate(batch)
    assert after["loss"] < 0.6 * before["loss"]


def test_a_data_set_is_refused() -> None:
    config = TrainConfig("runs/x", data=replace(DATA, dataset="clips"))
    with pytest.raises(InputError, match=r"data\.dataset=clips"):
        BeatStage(BeatNetwork(), config)


def test_a_run_writes_a_network_and_goes_on_from_it(tmp_path: Path) -> None:
    run = ["train", "beats", "smoke/beats.yaml", f"output_dir={tmp_path}/one"]
    assert main([*run, "max_steps=2", "checkpoint_every=2", "evaluate_every=2", "batch=2"]) == 0
    path = tmp_path / "one" / "model.safetensors"
    network = load_beat_network(path)
    weights = np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])
    assert np.isfinite(weights).all()
    other = [*run[:-1], f"output_dir={tmp_path}/two", f"init={path}", "max_steps=1", "batch=2"]
    assert main([*other, "evaluate_batch=0"]) == 0
    assert (tmp_path / "two" / "model.safetensors").is_file()
    wrong = [*run[:-1], f"output_dir={tmp_path}/three", f"init={tmp_path}/none.safetensors"]
    assert main(wrong) == 2
