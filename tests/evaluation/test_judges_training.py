"""Training of the judges: the file it writes, its augmentation, and its checks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from musedance_core.cli import main
from musedance_core.evaluation.judges.data import RoundTrip, dances
from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.evaluation.judges.training import LENGTHS, motion_batch
from musedance_core.models import MuseDance
from musedance_core.world.clips import World


def test_training_writes_judges_that_load(tmp_path: Path) -> None:
    counts = ["--clips", "2", "--dancers", "32", "--test-clips", "2", "--test-dancers", "32"]
    steps = ["--motion-steps", "2", "--motion-batch", "2", "--identity-steps", "2"]
    output = tmp_path / "tiny.safetensors"
    words = ["train", "judges", str(output), "--name", "tiny", "--threads", "1", *counts, *steps]
    assert main(words) == 0
    tiny = load_judges(output)
    assert tiny.name == "tiny"
    assert set(tiny.history["test"]) == {"truth", "autoencoded"}
    assert tiny.history["command"].startswith("musedance train judges ")
    assert tiny.history["options"] == {
        "name": "tiny",
        "embedder": None,
        "seed": 0,
        "threads": 1,
        "clips": 2,
        "dancers": 32,
        "test_clips": 2,
        "test_dancers": 32,
        "motion_steps": 2,
        "motion_batch": 2,
        "identity_steps": 2,
        "identity_batch": 6,
    }
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("target", ["missing/a.safetensors", "a.bin", ""])
def test_a_target_that_cannot_be_written_is_refused_before_the_training(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "judges", str(tmp_path / target), "--name", "a"]) == 2
    assert f"{tmp_path / target} must be a .safetensors file" in capsys.readouterr().err


def test_the_embedder_is_read_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "a.safetensors")
    assert main(["train", "judges", output, "--name", "a", "--embedder", "notes.md"]) == 2
    assert "notes.md" in capsys.readouterr().err


def test_mirroring_a_clip_changes_its_side(model: MuseDance) -> None:
    trip = RoundTrip(model.vae, 0, 0)
    bank = dances(World("test", songs=2, mixture={"puppet": 1.0}), range(1), 48, trip)
    clips, labels, tempo = motion_batch(bank, 16, torch.Generator().manual_seed(0))
    assert clips.shape[0] == 16 and clips.shape[1] in LENGTHS
    assert set(labels[:, 1].tolist()) == {0, 1}
    assert (labels[:, [0, 2]] == bank.labels[:, [0, 2]]).all()
    assert (tempo == bank.tempo).all()
