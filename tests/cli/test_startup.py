"""Commands start fast: they import nothing that they do not use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = {
    *("librosa", "numba", "scipy.signal", "scipy.stats", "skimage", "matplotlib", "pandas"),
    *("transformers", "diffusers", "accelerate", "tensorboard", "sympy", "triton"),
    *("torch._dynamo", "torch._inductor"),
}
COMMAND = """
import sys
from musedance_core.cli import main

code = main(sys.argv[2:])
print(code, sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""


def heavy_imports(*words: str | Path) -> str:
    """Exit code of a command in a process of its own, and the heavy modules that it imports."""
    command = [sys.executable, "-c", COMMAND, ",".join(HEAVY), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def test_a_draft_video_imports_nothing_heavy(inputs: Path, tmp_path: Path) -> None:
    files = [inputs / "sticker.png", inputs / "song.wav"]
    options = ["--text", "hop", "--seconds", "0.5", "--size", "96", "--quality", "draft"]
    output = ["--out", tmp_path / "dance.mp4"]
    assert heavy_imports("animate", *files, *options, *output) == "0 []"


def test_poses_import_nothing_heavy(inputs: Path, tmp_path: Path) -> None:
    options = ["--text", "hop", "--seconds", "0.5"]
    output = ["--out", tmp_path / "poses.mp4", "--json", tmp_path / "poses.json"]
    assert heavy_imports("pose", inputs / "song.wav", *options, *output) == "0 []"


def test_a_rig_imports_nothing_heavy(inputs: Path, tmp_path: Path) -> None:
    assert heavy_imports("rig", inputs / "sticker.png", "--json", tmp_path / "rig.json") == "0 []"


def test_beats_import_nothing_heavy(inputs: Path, tmp_path: Path) -> None:
    assert heavy_imports("beats", inputs / "song.wav", "--json", tmp_path / "b.json") == "0 []"


def test_waiting_threads_sleep_except_in_training(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert run("beats", "missing.wav") == 2
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert run("train", "rig", "missing.yaml") == 2
    assert "OMP_WAIT_POLICY" not in os.environ
    assert run("beats", "missing.wav") == 2
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
