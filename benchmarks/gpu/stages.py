"""A few steps of every training stage by its own script: on the GPU in fp32 and bf16, on the CPU.

All randomness is drawn on the CPU, so losses have to agree. There is no fp16 training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from .setup import Job, job
from .sticker import cast

CONFIGS = {
    "text": "train/configs/sticker/text.yaml",
    "music": "train/configs/sticker/music.yaml",
    "vae": "train/configs/sticker/vae.yaml",
    "rig": "train/configs/smoke/rig.yaml",
    "stage1": "train/configs/smoke/stage1.yaml",
    "stage2": "train/configs/smoke/stage2.yaml",
}
STEPS = 3
SMALL = (
    *("batch=2", "accumulate=1", "data.songs=2", "data.workers=0", "trackers=[]"),
    *("log_every=1", f"evaluate_every={STEPS}", "evaluate_batch=2", "validate_clips=0"),
)
TOLERANCE = {"fp32": 0.01, "bf16": 0.1}
"""Largest relative difference of a loss to the CPU's."""


def train(
    stage: str, precision: str, on_gpu: bool, folder: Path, steps: int = STEPS
) -> list[float]:
    """Losses of the steps.

    Raises:
        RuntimeError: the script failed; the error holds its last lines.
    """
    output = folder / f"{stage}-{precision}-{'gpu' if on_gpu else 'cpu'}"
    overrides = [*SMALL, *cast(), f"output_dir={output}", f"max_steps={steps}"]
    command = [sys.executable, f"train/{stage}.py", CONFIGS[stage], *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    if not on_gpu:
        environment |= {"CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}
    command.append(f"precision={precision}")
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        last = (done.stdout + done.stderr).splitlines()[-4:]
        raise RuntimeError(f"{output.name}: exit code {done.returncode}: {' | '.join(last)}")
    lines = map(json.loads, (output / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [line["loss"] for line in lines if "loss" in line]


def check(job: Job, stage: str, folder: Path) -> None:
    """Losses of one stage by every precision, against the CPU's; then it is resumed."""
    right = train(stage, "fp32", False, folder)
    if not torch.cuda.is_available():
        job.findings.add(f"steps of {stage}", losses=right, skipped="no GPU to compare with")
        return
    for precision, tolerance in TOLERANCE.items():
        losses = train(stage, precision, True, folder)
        difference = max(abs(a - b) / abs(b) for a, b in zip(losses, right, strict=True))
        job.findings.add(
            f"steps of {stage}",
            precision=precision,
            passed=difference <= tolerance,
            difference=difference,
            tolerance=tolerance,
            losses=losses,
        )
    losses = train(stage, "bf16", True, folder, steps=STEPS + 1)
    job.findings.add(f"resuming {stage}", passed=len(losses) == STEPS + 1, losses=losses)


def main() -> None:
    measured, _ = job("a")
    chosen = ["music", "stage2"] if measured.toy else list(CONFIGS)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(chosen)) as pool:

        def checked(stage: str) -> None:
            try:
                check(measured, stage, Path(folder))
            except RuntimeError as error:
                measured.findings.add(f"steps of {stage}", failed=str(error))

        list(pool.map(checked, chosen))


if __name__ == "__main__":
    main()
