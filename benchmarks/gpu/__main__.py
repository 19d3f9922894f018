"""Find out what MuseDance does on this GPU: correctness, cost and training, in a fixed time.

    sh benchmarks/gpu.sh OUT [--toy] [--seconds 560] [--parts a b c]

Every measurement is a process of its own, with a time limit: a crash, a hang or a lack of memory
ends that measurement alone and is written down. `--toy` runs the same code at toy size on a CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .findings import FILE, Findings

LAST_LINES = 6
ENDING = 15
"""Seconds left at the end for what a training stage writes."""


@dataclass(frozen=True)
class Task:
    """One process: `python -m benchmarks.gpu.MODULE ARGUMENTS`, for at most so many seconds."""

    part: str
    module: str
    arguments: tuple[str, ...] = ()
    seconds: float = 60.0

    @property
    def name(self) -> str:
        """As findings call it."""
        return " ".join([self.module, *self.arguments])


# Tasks of one row run side by side. The most telling come first, since any run may be cut off.
ROWS = (
    (Task("environment", "ceilings", seconds=90),),
    (Task("a", "networks", seconds=150), Task("a", "stages", seconds=150)),
    (Task("b", "sampling", ("bfloat16", "--roofline", "--dance"), 130),),
    (Task("b", "training", ("stage2_24gb",), 70),),
    (Task("b", "training", ("stage2",), 70),),
    (Task("b", "sampling", ("float16", "--roofline"), 80),),
    (Task("c", "sticker", seconds=0),),
)
"""0 seconds: all that is left."""


class Conductor:
    """Runs rows of tasks until a deadline."""

    def __init__(self, folder: Path, toy: bool, seconds: float) -> None:
        self.folder, self.toy = folder, toy
        self.deadline = time.monotonic() + seconds
        self.log = folder / "log.txt"
        self.log.touch()

    def left(self) -> float:
        """Seconds left for tasks."""
        return self.deadline - time.monotonic() - ENDING

    def run(self, row: Sequence[Task]) -> None:
        """Start the tasks of one row together and wait for all of them."""
        left, began, logged = self.left(), time.monotonic(), self.log.stat().st_size
        limits = {task: min(task.seconds or left, left) for task in row}
        running = {task: self._start(task, seconds) for task, seconds in limits.items()}
        for task, process in running.items():
            failed = self._wait(process, began + limits[task])
            self._write_down(task, failed, time.monotonic() - began, logged)

    def _start(self, task: Task, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"benchmarks.gpu.{task.module}", *task.arguments]
        command += ["--out", str(self.folder), "--seconds", f"{seconds:.0f}"]
        command += ["--toy"] if self.toy else []
        with self.log.open("a", encoding="utf-8") as log:
            # A session of its own, so that a task ends with all that it started.
            return subprocess.Popen(
                command, stdout=None, stderr=log, text=True, start_new_session=True
            )

    def _wait(self, process: subprocess.Popen[str], until: float) -> str:
        """Wait for a task; why it failed, "" where it did not."""
        try:
            code = process.wait(timeout=max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            return "stopped at its limit"
        return f"exit code {code}" if code else ""

    def _write_down(self, task: Task, failed: str, seconds: float, logged: int) -> None:
        """Records a task's outcome; for a failure the last lines after the first `logged` bytes."""
        findings = Findings(self.folder, task.part)
        if not failed:
            findings.add(task.name, finished=True, seconds=seconds)
            return
        with self.log.open("rb") as file:
            file.seek(logged)
            last = file.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]
        findings.add(task.name, failed=failed, seconds=seconds, last_lines=last)

    def summary(self) -> None:
        """Prints the checks that did not pass, in three lines."""
        lines = (self.folder / FILE).read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines]
        passed = sum(entry.get("passed", False) for entry in entries)
        print(f"{passed} checks passed")
        for title, chosen in (
            ("not passed", [e for e in entries if e.get("passed") is False]),
            ("out of memory", [e for e in entries if "out_of_memory" in e]),
            ("failed", [e for e in entries if "failed" in e]),
        ):
            names = [" ".join([e["name"], e.get("dtype", "")]).strip() for e in chosen]
            print(f"{title}: {', '.join(names) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of the findings")
    parser.add_argument("--toy", action="store_true", help="toy size, on a CPU")
    parser.add_argument("--seconds", type=float, default=560, help="for everything")
    parser.add_argument("--parts", nargs="+", choices=("a", "b", "c"), default=["a", "b", "c"])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    conductor = Conductor(args.out.resolve(), args.toy, args.seconds)
    for row in ROWS:
        chosen = [task for task in row if task.part in ("environment", *args.parts)]
        if chosen and conductor.left() > ENDING:
            conductor.run(chosen)
    conductor.summary()


if __name__ == "__main__":
    main()
