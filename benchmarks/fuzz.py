"""Mutated files of every kind, read by the readers of the product.

    python benchmarks/fuzz.py [--cases 10000] [--first 0] [--workers 2] [--out fuzz.jsonl]

Every case must be accepted or refused in one sentence, within 10 s and 2 GB, without writing a file
or running code. Prints a table and every failure; the exit code is 1 if there is one. A case is
fixed by its target and number, so `--first N --cases M` goes on where an earlier run ended.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WORKER = ROOT / "tests/fuzz/worker.py"
PATIENCE = 60.0
"""Seconds without a line after which a worker hangs; its own limit of a case is 10 s."""
START = 300.0
"""Seconds that a worker may take to begin."""

Outcome = dict[str, Any]


def run_cases(names: Sequence[str], first: int, stop: int, folder: Path) -> list[Outcome]:
    """The cases of all targets `names`; a new worker goes on where one died or hung."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        outcomes = _run_worker(names, first, stop, Path(place) / "worker")
    last = outcomes[-1]
    after = names[names.index(last["target"]) + 1 :]
    if last["case"] + 1 < stop:
        outcomes += run_cases([last["target"]], last["case"] + 1, stop, folder)
    return [*outcomes, *(run_cases(after, first, stop, folder) if after else [])]


def _run_worker(names: Sequence[str], first: int, stop: int, folder: Path) -> list[Outcome]:
    """The outcomes up to the end, or up to the case at which the process dies."""
    outcomes, name, case, begin = [], names[0], first, time.monotonic()
    command = [sys.executable, str(WORKER), str(folder), str(first), str(stop), *names]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        for line in _lines(process):
            value = json.loads(line)
            if isinstance(value, dict):
                outcomes.append(value)
            else:
                (name, case), begin = value, time.monotonic()
    if process.returncode:
        detail = f"the process ends with {process.returncode}"
        seconds = round(time.monotonic() - begin, 1)
        outcomes.append(
            {"target": name, "case": case, "file": "", "kind": "failed", "detail": detail}
            | {"seconds": seconds, "megabytes": 0.0}
        )
    return outcomes


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a process, which is killed when none comes for too long."""
    lines: queue.Queue[str] = queue.Queue()
    stream = process.stdout
    assert stream is not None

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    patience = START
    while True:
        try:
            line = lines.get(timeout=patience)
        except queue.Empty:
            process.kill()
            return
        if not line:
            return
        patience = PATIENCE
        yield line


def table(outcomes: Sequence[Outcome]) -> str:
    """One row a target, and their sum."""
    rows = [
        "| target | cases | accepted | refused | failed | slowest | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    names = list(dict.fromkeys(outcome["target"] for outcome in outcomes))
    for name in [*names, "all"]:
        part = [o for o in outcomes if name in ("all", o["target"])]
        counts = [
            sum(o["kind"] == kind for o in part) for kind in ("accepted", "refused", "failed")
        ]
        cells = [name, f"{len(part):,}", *(f"{count:,}" for count in counts)]
        cells += [f"{max(o['seconds'] for o in part):.2f} s"]
        cells += [f"{max(o['megabytes'] for o in part):.0f} MB"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="of all targets together")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of a target")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="also write every outcome as a line of JSON")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(WORKER.parent)]
    from targets import targets

    with tempfile.TemporaryDirectory() as place:
        names = list(targets(Path(place)))
        stop = options.first + -(-options.cases // len(names))
        bounds = [
            options.first + (stop - options.first) * i // options.workers
            for i in range(options.workers + 1)
        ]
        with ThreadPoolExecutor(options.workers) as pool:
            runs = [pool.submit(run_cases, names, *pair, Path(place)) for pair in pairwise(bounds)]
            outcomes = [outcome for run in runs for outcome in run.result()]
    if options.out is not None:
        options.out.write_text("".join(json.dumps(outcome) + "\n" for outcome in outcomes))
    failures = [outcome for outcome in outcomes if outcome["kind"] == "failed"]
    for failure in failures:
        print(
            f"{failure['target']}, case {failure['case']}, {failure['file']}: {failure['detail']}"
        )
    print(table(outcomes))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
