"""Find out what MuseDance does on this GPU: correctness, cost and training, in a fixed time.

    sh benchmarks/gpu.sh OUT [--toy] [--seconds 560] [--parts a b c]

Every measurement is a process of its own, with a time limit: a crash, a hang or a lack of memory
ends that measurement alone and is written down. `--toy` runs the same code at toy size on a CPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .findings import Findings

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
    (Task("environment", "ceilings", seconds=60),),
    (Task("a", "networks", seconds=110), Task("a", "stages", seconds=150)),
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

    def left(self) -> float:
        """Seconds left for tasks."""
        return self.deadline - time.monotonic() - ENDING

    def run(self, row: Sequence[Task]) -> None:
        """Start the tasks of one row together and wait for all of them."""
        running = [(task, time.monotonic(), self._start(task)) for task in row]
        for task, began, process in running:
            limit = min(task.seconds or self.left(), self.left()) - (time.monotonic() - began)
            self._finish(task, process, limit, began)

    def _start(self, task: Task) -> subprocess.Popen[str]:
        seconds = min(task.seconds or self.left(), self.left())
        command = [sys.executable, "-m", f"benchmarks.gpu.{task.module}", *task.arguments]
        command += ["--out", str(self.folder), "--seconds", f"{seconds:.0f}"]
        command += ["--toy"] if self.toy else []
        with self.log.open("a", encoding="utf-8") as log:
            # A session of its own, so that a task ends with all that it started.
            return subprocess.Popen(
                command, stdout=None, stderr=log, text=True, start_new_session=True
            )

    def _finish(
        self, task: Task, process: subprocess.Popen[str], limit: float, began: float
    ) -> None:
        """Wait for a task; write down how it ended."""
        findings, failed = Findings(self.folder, task.part), ""
        try:
            if process.wait(timeout=max(1.0, limit)):
                failed = f"exit code {process.returncode}"
        except subprocess.TimeoutExpired:
            failed = f"stopped after {limit:.0f} s"
            os.killpg(process.pid, 15)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
        seconds = time.monotonic() - began
        if failed:
            last = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            findings.add(task.name, failed=failed, seconds=seconds, last_lines=last[-LAST_LINES:])
        else:
            findings.add(task.name, finished=True, seconds=seconds)


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


if __name__ == "__main__":
    main()
