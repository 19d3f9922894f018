"""Runs of the training script in one process and in two: killed, resumed and compared."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).parents[2]
TINY = """
preset: sticker
model:
  clip: {size: 32, frames: 6}
  unet: {latent_channels: 4, channels: [32], attention: [true], heads: 2, text_width: 32,
         dropout: 0.1}
  dynamics: {token_width: 32, heads: 2}
  mask: {channels: [8, 8, 16, 16]}
  vae: {latent_channels: 4, refiner_width: 16, refiner_blocks: 1}
  text: {width: 32, layers: 1, heads: 2}
  music: {width: 32, layers: 1, heads: 2}
max_steps: 12
checkpoint_every: 2
log_every: 1
evaluate_every: 3
evaluate_batch: 2
batch: 2
accumulate: 2
trackers: []
export_dtype: float32
optim: {warmup: 2, lr: 2.0e-3}
"""


def launch(config: Path, processes: int, *overrides: str) -> subprocess.Popen[str]:
    """Starts one process by `accelerate launch`, several by torchrun, which it uses for GPUs."""
    command = [sys.executable, "-m"]
    if processes == 1:
        command += ["accelerate.commands.launch", "--cpu", "--num_cpu_threads_per_process", "1"]
    else:
        command += ["torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command += [str(ROOT / "train/stage2.py"), str(config), *overrides]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
    )


def finished(run: subprocess.Popen[str]) -> str:
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 0, output
    return output


def killed_after(run: subprocess.Popen[str], folder: Path, step: int) -> None:
    """Kills all processes of a run with SIGKILL as soon as its log has `step`."""
    log, end = folder / "log.jsonl", time.monotonic() + 120
    while not (log.is_file() and f'"step": {step},' in log.read_text()):
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < end, f"step {step} was not reached"
        time.sleep(0.02)
    parent = psutil.Process(run.pid)
    for process in [parent, *parent.children(recursive=True)]:
        process.kill()
    run.communicate()


def digests(folder: Path) -> dict[str, str]:
    names = ("checkpoint-12/state.safetensors", "model.safetensors")
    return {n: hashlib.sha256(weights_of(folder / n)).hexdigest() for n in names}


def weights_of(path: Path) -> bytes:
    """Returns a file without its header, which has command lines and minutes."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_killed_in_the_middle_of_an_epoch_and_resumed_equals_one_that_never_stopped(
    processes: int, dataset: Path, tmp_path: Path
) -> None:
    """Weights, averages, optimizer state and the exported file are the same bit for bit."""
    config = tmp_path / "config.yaml"
    config.write_text(TINY + f"data: {{dataset: {dataset}, frames: 6, workers: 1}}\n")
    straight, cut = tmp_path / "straight", tmp_path / "cut"
    output = finished(launch(config, processes, f"output_dir={straight}"))
    assert f"on {processes} processes" in output
    killed_after(launch(config, processes, f"output_dir={cut}"), cut, step=5)
    assert (cut / "checkpoint-4").is_dir() and not (cut / "checkpoint-12").exists()
    output = finished(launch(config, processes, f"output_dir={cut}"))
    resumed = [line for line in output.splitlines() if "resumed from" in line]
    assert resumed and not resumed[0].endswith("checkpoint-12"), output
    assert digests(cut) == digests(straight)
    lines = [json.loads(line) for line in (cut / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 13))


def test_two_processes_equal_one_with_the_double_batch(dataset: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(TINY + f"data: {{dataset: {dataset}, frames: 6, workers: 0}}\n")
    two, one = tmp_path / "two", tmp_path / "one"
    short = ("max_steps=2", "model.unet.dropout=0", "evaluate_batch=0")
    output = finished(launch(config, 2, f"output_dir={two}", *short))
    assert "8 samples a step on 2 processes" in output
    finished(launch(config, 1, f"output_dir={one}", *short, "batch=8", "accumulate=1"))
    logs = [(folder / "log.jsonl").read_text().splitlines() for folder in (two, one)]
    losses = [[json.loads(line)["loss"] for line in log] for log in logs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    states = [load_file(folder / "checkpoint-2/state.safetensors") for folder in (two, one)]
    for name, value in states[0].items():
        assert torch.allclose(value, states[1][name], atol=1e-5), name


def test_two_processes_that_diverge_end_together_and_save_nothing(
    dataset: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(TINY + f"data: {{dataset: {dataset}, frames: 6, workers: 0}}\n")
    run = launch(config, 2, f"output_dir={tmp_path / 'run'}", "optim.lr=1e30")
    output, _ = run.communicate(timeout=120)
    assert run.returncode != 0
    assert output.count("musedance: Training diverged by step 2") == 2, output
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert files == {"config.yaml", "environment.json", "log.jsonl"}
