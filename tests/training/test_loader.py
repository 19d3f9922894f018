"""Data loader workers: they never hang, and they end with the trainer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from musedance_core.media.video import write_video

CONVERTS_VIDEO_BEFORE_AND_IN_A_WORKER = """
import sys
import torch
from musedance_core.errors import InputError
from musedance_core.media.video import read_video
from musedance_core.training.data.loader import BatchShare, MicroBatches, step_batches

def source(indices):
    if indices[0] >= int(sys.argv[2]):
        raise InputError("No more.")
    return {"pixels": read_video(sys.argv[1])[0][0, 0]}

if __name__ == "__main__":
    torch.rand(500, 500) @ torch.rand(500, 500)
    first = source([0])["pixels"]
    for batches in step_batches(MicroBatches(source, BatchShare(1), 0, 4), 2):
        assert torch.equal(batches.micro_batches[0]["pixels"], first)
        print("step", flush=True)
        if sys.argv[3] == "trainer":
            raise RuntimeError("The trainer fails.")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(CONVERTS_VIDEO_BEFORE_AND_IN_A_WORKER)
    write_video(folder / "a.mp4", [torch.rand(5, 3, 128, 128)], 12)
    return subprocess.run(
        [sys.executable, str(script), str(folder / "a.mp4"), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_worker_converts_video_after_the_trainer_did(tmp_path: Path) -> None:
    done = run(tmp_path, "100", "nothing")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "step\n" * 4


@pytest.mark.parametrize(
    ("good", "fails", "error"),
    [("1", "nothing", "InputError: No more."), ("100", "trainer", "RuntimeError: The trainer")],
)
def test_workers_end_after_an_error(tmp_path: Path, good: str, fails: str, error: str) -> None:
    done = run(tmp_path, good, fails)
    assert done.returncode == 1 and error in done.stderr
    assert done.stdout == "step\n"
