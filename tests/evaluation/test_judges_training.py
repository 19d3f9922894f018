"""Training of the judges: the file it writes, its augmentation, and its checks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from musedance_core.cli import main
from musedance_core.evaluation.judges.data import RoundTrip, dances
from musedance_core.evaluation.judges.networks import SHIPPED, load_judges
from musedance_core.evaluation.judges.training import LENGTHS, motion_batch
from musedance_core.models import MuseDance
from musedance_core.world.clips import World
from musedance_core.world.dances import SIDES


def test_training_writes_judges_that_load(tmp_path: Path) -> None:
    counts = ["--clips", "2", "--dancers", "32", "--test-clips", "4", "--test-dancers", "32"]
    steps = ["--motion-steps", "2", "--motion-batch", "2", "--identity-steps", "2"]
    quick = ["--dances", "64", "--dance-steps", "2"]
    output = tmp_path / "tiny.safetensors"
    words = ["train", "judges", str(output), "--name", "tiny", "--threads", "1"]
    assert main([*words, *counts, *steps, *quick]) == 0
    tiny = load_judges(output)
    assert tiny.name == "tiny" and list(tiny.history) == ["identity", "motion", "dance"]
    for name in ("identity", "motion"):
        assert set(tiny.history[name]["test"]) == {"truth", "autoencoded"}
    assert set(tiny.history["dance"]["test"]) == {"move", "side", "size", "mistakes"}
    assert tiny.history["dance"]["command"].startswith("musedance train judges ")
    assert tiny.history["dance"]["options"]["dances"] == 64
    assert list(tmp_path.iterdir()) == [output]


def test_networks_that_are_not_trained_come_from_the_base(tmp_path: Path) -> None:
    output = tmp_path / "new.safetensors"
    words = ["train", "judges", str(output), "--name", "new", "--networks", "dance"]
    quick = ["--dances", "64", "--dance-steps", "2", "--test-clips", "4"]
    assert main([*words, "--base", str(SHIPPED), *quick]) == 0
    old, new = load_judges(), load_judges(output)
    assert new.history["motion"] == old.history["motion"]
    for name, equal in (("embedder", True), ("encoder", True), ("dance", False)):
        pairs = zip(getattr(old, name).parameters(), getattr(new, name).parameters(), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs) == equal, name


def test_a_base_is_needed_for_some_networks_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "judges", str(tmp_path / "a.safetensors"), "--name", "a"]
    assert main([*words, "--networks", "dance"]) == 2
    assert "identity and motion need --base" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["missing/a.safetensors", "a.bin", ""])
def test_a_target_that_cannot_be_written_is_refused_before_the_training(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "judges", str(tmp_path / target), "--name", "a"]) == 2
    assert f"{tmp_path / target} must be a .safetensors file" in capsys.readouterr().err


def test_the_base_is_read_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "a.safetensors")
    assert (
        main(
            ["train", "judges", output, "--name", "a", "--networks", "dance", "--base", "notes.md"]
        )
        == 2
    )
    assert "notes.md" in capsys.readouterr().err


def test_mirroring_a_clip_changes_its_side(model: MuseDance) -> None:
    trip = RoundTrip(model.vae, 0, 0)
    world = World("test", songs=2, mixture={"puppet": 1.0})
    bank = dances(world, range(2), 48, trip)
    bank.labels[:, 1] = torch.tensor([SIDES.index("left"), SIDES.index("either")])
    clips, labels, tempo = motion_batch(bank, 24, torch.Generator().manual_seed(0))
    assert clips.shape[0] == 24 and clips.shape[1] in LENGTHS
    assert set(labels[:, 1].tolist()) == {0, 1, 2}
    assert set(labels[:, 0].tolist()) <= set(bank.labels[:, 0].tolist())
    assert set(tempo.tolist()) <= set(bank.tempo.tolist())
