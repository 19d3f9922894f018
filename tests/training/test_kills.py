"""Runs that are killed or meet a full disk at random moments lose nothing.

As a script: test_kills.py INIT DATASET FOLDER [--faults N] [--steps N] [--seed S]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from musedance_core.checkpoint import format as checkpoint_format
from musedance_core.checkpoint.format import load_checkpoint, save_checkpoint
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, OptimConfig, TrainConfig
from musedance_core.training.entry import train
from musedance_core.training.runtime import states
from musedance_core.training.stages.stage2 import Stage2

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "tempfile.mkstemp"}
"""Audit events of calls that change files, besides opening them for writing."""
START_CHANGES, CHECKPOINT_CHANGES = 12, 16
"""About so many of them at the start of a run and for each checkpoint."""


def test_a_run_survives_kills_and_full_disks_at_random_moments(
    model: MuseDance, tokenizer: Tokenizer, dataset: Path, tmp_path: Path
) -> None:
    """It ends with the same weights, bit for bit, as a run without faults."""
    init = tmp_path / "init.safetensors"
    save_checkpoint(init, model, tokenizer, {"trained": False}, dtype=None)
    done = subprocess.run(
        [sys.executable, __file__, str(init), str(dataset), str(tmp_path), "--faults", "6"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 faults, no difference" in done.stdout


@dataclass(frozen=True)
class Run:
    """A run of stage 2 with a checkpoint in every step, in forks of this process."""

    folder: Path
    init: str
    dataset: str
    steps: int

    def start(self, prepare: Callable[[], object]) -> int:
        """Starts the run after `prepare()`; returns its process id."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            prepare()
            train(Stage2, self.config())
            code = 0
        except InputError as error:
            print(f"error: {error}", flush=True)
            code = 2
        finally:
            os._exit(code)

    def config(self) -> TrainConfig:
        return TrainConfig(
            output_dir=str(self.folder),
            init=self.init,
            trainable=("unet.*", "reference.*", "mask.*"),
            batch=1,
            max_steps=self.steps,
            checkpoint_every=1,
            keep=1,
            log_every=1,
            evaluate_batch=0,
            trackers=(),
            optim=OptimConfig(warmup=2, ema=0.9),
            data=DataConfig(dataset=self.dataset, frames=6, workers=0),
        )

    def newest_step(self) -> int:
        """Returns the newest state's step; every visible file must be whole."""
        newest = 0
        for state in states.list_states(self.folder):
            newest = states.read_state_metadata(state)["step"]
            tensors = load_file(state / states.STATE)
            assert state.name == f"checkpoint-{newest}"
            assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
        if newest:
            provenance = load_checkpoint(self.folder / "model.safetensors").provenance
            assert provenance["stages"][-1]["steps"] >= newest, "the model is older than the state"
        return newest

    def digests(self) -> list[str]:
        """Returns hashes of the tensors of the final state and model."""
        paths = [self.folder / f"checkpoint-{self.steps}" / states.STATE]
        paths += [self.folder / "model.safetensors"]
        return [hashlib.sha256(tensor_bytes(path)).hexdigest() for path in paths]

    def check_finished(self) -> None:
        """Nothing is left over, and the log has each step once."""
        assert sorted(path.name for path in self.folder.iterdir()) == [
            f"checkpoint-{self.steps}",
            *("config.yaml", "environment.json", "log.jsonl", "model.safetensors"),
        ]
        lines = (self.folder / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == list(range(1, self.steps + 1))


def tensor_bytes(path: Path) -> bytes:
    """Returns a file without its header, which has command lines and minutes."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


def exit_code(pid: int) -> int:
    """Waits for a run; returns its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_at_change(number: int) -> None:
    """Kills this process at the n-th call from now that changes files, or half through it."""
    changes = 0

    def count(path: Path | None = None) -> None:
        nonlocal changes
        changes += 1
        if changes == number:
            if path is not None:
                os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def on_event(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            count()

    def then_count(save: Callable[..., None]) -> Callable[..., None]:
        def save_file(tensors: object, path: Path, *metadata: object) -> None:
            save(tensors, path, *metadata)
            count(path)

        return save_file

    sys.addaudithook(on_event)
    # Writing tensors is no call of Python's, so it raises no audit event.
    for module in (states, checkpoint_format):
        module.save_file = then_count(module.save_file)  # type: ignore[attr-defined]


def limit_file_size(size: int) -> None:
    """Stands for a full disk: writing beyond `size` bytes fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def cause_fault(run: Run, rng: random.Random, seconds: float) -> str:
    """Starts the run and ends it by a fault; returns a description of the fault."""
    kind = rng.choice(["change", "change", "time", "full"])
    if kind == "change":
        # Mostly while a checkpoint is written: before the model, the state, or the deletion.
        number = rng.randrange(1, START_CHANGES + 3 * CHECKPOINT_CHANGES)
        assert exit_code(run.start(lambda: kill_at_change(number))) in (-signal.SIGKILL, 0)
        return f"killed at change {number}"
    if kind == "time":
        delay = rng.uniform(0.2, 1) * seconds
        pid = run.start(lambda: None)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        assert exit_code(pid) in (-signal.SIGKILL, 0)
        return f"killed after {delay:.1f} s"
    # Too small for the config, the model, or the state, which is larger than `init`.
    size = rng.choice([100, 100_000, Path(run.init).stat().st_size])
    assert exit_code(run.start(lambda: limit_file_size(size))) == 2
    assert not list(run.folder.glob(".*")), "temporary files are left after an error"
    return f"files limited to {size} bytes"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("init")
    parser.add_argument("dataset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # Imports what runs import, so that forks are fast.
    load_checkpoint(options.init)
    rng = random.Random(options.seed)
    straight = Run(options.folder / "straight", options.init, options.dataset, options.steps)
    begin = time.monotonic()
    assert exit_code(straight.start(lambda: None)) == 0
    seconds = time.monotonic() - begin
    expected, number, faults = straight.digests(), 0, 0
    while faults < options.faults:
        # Faults, one after the other, until the run finishes in spite of them.
        number += 1
        run, step = replace(straight, folder=options.folder / f"run-{number}"), 0
        while step < options.steps and faults < options.faults:
            fault = cause_fault(run, rng, seconds)
            faults += 1
            previous, step = step, run.newest_step()
            print(f"fault {faults}: {fault}, at step {step}", flush=True)
            assert step >= previous, f"the state of step {previous} is lost"
        assert exit_code(run.start(lambda: None)) == 0
        run.check_finished()
        assert run.digests() == expected
    print(f"{faults} faults, no difference")


if __name__ == "__main__":
    main()
