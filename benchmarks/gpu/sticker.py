"""The whole sticker recipe in the seconds that are left, its rates, and its weights in shards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from musedance_core.errors import InputError
from musedance_core.media.contact_sheet import spread, write_contact_sheet
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.world.stickers import find_font

from .networks import dance
from .setup import Job, job

STAGES = (
    *("text", "music", "vae", "rig", "choreographer", "stage1", "stage2"),
    "stage2_long",
)
RECIPE_MINUTES = 28.0
"""The sum of `max_minutes` over `train/configs/sticker/gpu`."""
STARTING = 14.0
"""Seconds in which a stage starts and saves, roughly."""
EXPORTING = 25.0
"""Seconds for what follows training."""
SHARD = 15 * 2**20
TOY = (
    *("max_steps=2", "batch=2", "data.songs=2", "data.workers=0", "evaluate_batch=0"),
    *("model.clip.size=32", "model.clip.frames=6", "data.frames=6"),
)


def cast() -> list[str]:
    """Overrides that say who dances: puppets alone where the font of the emoji is missing."""
    font = os.environ.get("FONT", "")
    try:
        return [f"data.font={find_font(font or None)}"]
    except InputError:
        return ["data.mixture={puppet: 1.0, emoji: 0.0}"]


def train(job: Job, folder: Path) -> None:
    """Run `train/sticker.sh` until it ends or the time is over; SIGTERM makes a stage save."""
    seconds = job.seconds - EXPORTING
    share = max(0.02, (seconds - len(STAGES) * STARTING) / 60 / RECIPE_MINUTES)
    overrides = [f"data.workers={max(1, (os.cpu_count() or 2) - 1)}", "trackers=[]", *cast()]
    overrides += TOY if job.toy else ()
    environment = {**os.environ, "PYTHON": sys.executable, "TIME_SHARE": f"{share:.4f}"}
    job.findings.add("recipe", seconds=seconds, time_share=share, overrides=overrides)
    command = ["sh", "train/sticker.sh", "gpu", str(folder), *overrides]
    running = subprocess.Popen(command, env=environment, stdout=sys.stderr, start_new_session=True)
    # Asked to stop, this process takes the recipe with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        running.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        job.findings.add("recipe", stopped=True)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait()
    job.findings.add("recipe", exit_code=running.returncode)


def report(job: Job, folder: Path) -> Path | None:
    """Rates and last losses of the stages that ran; the newest model."""
    newest = None
    for stage in STAGES:
        log, model = folder / stage / "log.jsonl", folder / stage / "model.safetensors"
        if log.is_file():
            figures: dict[str, float] = {}
            for line in log.read_text(encoding="utf-8").splitlines():
                figures |= json.loads(line)
            job.findings.add(f"stage {stage}", saved=model.is_file(), **figures)
        newest = model if model.is_file() else newest
    return newest


def export(job: Job, model: Path) -> None:
    """The model's file in pieces of at most `SHARD` bytes: `cat` joins them."""
    data = model.read_bytes()
    for i, begin in enumerate(range(0, len(data), SHARD)):
        name = f"sticker.safetensors.{i:02d}"
        (job.out / name).write_bytes(data[begin : begin + SHARD])
    job.findings.add("weights", stage=model.parent.name, megabytes=len(data) / 1e6, shards=i + 1)


def show(job: Job, model: Path) -> None:
    """A dance of the new model as a contact sheet."""
    pipeline = MuseDancePipeline.from_pretrained(model, device=job.device, allow_untrained=True)
    began = time.monotonic()
    frames = dance(pipeline, "ddim")
    chosen = spread(len(frames), 16)
    write_contact_sheet(
        job.out / "dance.png", [frames[i] for i in chosen], [str(i) for i in chosen]
    )
    finite = bool(torch.isfinite(frames).all())
    job.findings.add("dance of the new model", seconds=time.monotonic() - began, finite=finite)


def main() -> None:
    measured, _ = job("c")
    with tempfile.TemporaryDirectory() as folder:
        train(measured, Path(folder))
        model = report(measured, Path(folder))
        if model is None:
            measured.findings.add("weights", skipped="no stage was saved")
            return
        export(measured, model)
        show(measured, model)


if __name__ == "__main__":
    main()
