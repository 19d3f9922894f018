"""Loads mutated files in this process, one case after the other, within time and memory.

python tests/fuzz/worker.py FOLDER FIRST STOP [TARGET ...]

Prints the name and number of each case before it runs, and its outcome as JSON after it, so that a
process that dies or hangs tells at which case.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from mutations import mutate
from seeds import EXECUTED
from targets import Target, targets

from musedance_core.errors import InputError

MOST_SECONDS, MOST_BYTES = 10.0, 2 << 30
"""Limits of one case: its time, and the resident memory of the process."""
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate")
COMMANDS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "os.fork")
"""Audit events of changed files, and of programs that are started."""
WRITING = 1 | 2
"""Flags of opening a file to write: O_WRONLY, O_RDWR."""


@dataclass(frozen=True)
class Outcome:
    """A case and how it ended: "accepted", "refused" (with a sentence) or "failed"."""

    target: str
    case: int
    file: str
    kind: str
    detail: str
    seconds: float
    megabytes: float


class Overtime(BaseException):
    """A case took too long. No `Exception`, so that no reader takes it for a damaged file."""


class Watch:
    """Collects the files that are written and the programs that are started while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or event in COMMANDS or (isinstance(flags, int) and flags & WRITING):
            self.seen.append(f"{event} {arguments[0]}")


def outcome(name: str, target: Target, case: int, folder: Path, watch: Watch) -> Outcome:
    """Runs a case; the first cases are the seeds as they are."""
    seeds = sorted(target.seeds)
    rng = np.random.default_rng([zlib.crc32(name.encode()), case])
    file = seeds[case % len(seeds)]
    data = target.seeds[file] if case < len(seeds) else mutate(file, target.seeds[file], rng)
    before = {**target.companions, file: data}
    for other, content in before.items():
        (folder / other).write_bytes(content)
    _reset_peak()
    begin, watch.on, watch.seen[:] = time.monotonic(), True, []
    kind, detail = "accepted", ""
    try:
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        target.load(folder / file)
    except InputError as error:
        kind, detail = "refused", str(error)
        if len(detail.splitlines()) != 1 or not detail.endswith("."):
            kind, detail = "failed", f"no sentence: {detail}"
    except (Exception, Overtime):
        kind, detail = "failed", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        watch.on = False
    seconds, peak = time.monotonic() - begin, _peak()
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    if after != before or watch.seen or (folder / EXECUTED).exists():
        kind, detail = "failed", f"changes files or runs code: {watch.seen} {sorted(after)}"
    elif peak > MOST_BYTES or seconds > MOST_SECONDS:
        kind, detail = "failed", f"{seconds:.1f} s, {peak / 1e6:.0f} MB: {detail}"
    elif case < len(seeds) and (kind == "refused") != (file in target.refused):
        kind, detail = "failed", f"the good file is {kind}, or the bad one is not: {detail}"
    for path in folder.iterdir():
        path.unlink() if path.is_file() else path.rmdir()
    return Outcome(name, case, file, kind, detail, round(seconds, 3), round(peak / 1e6, 1))


def _reset_peak() -> None:
    """Lets the peak of the resident memory begin anew, where the system is Linux."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def _peak() -> int:
    """The peak of the resident memory in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def _limit_memory() -> None:
    """Asking for more than the limit at once fails, before it can slow the machine down."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[0]) * resource.getpagesize() + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _alarm(number: int, frame: FrameType | None) -> None:
    raise Overtime(f"more than {MOST_SECONDS:g} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("stop", type=int)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow warns about damaged files
    torch.set_num_threads(1)
    seeds, work = options.folder / "seeds", options.folder / "work"
    seeds.mkdir(parents=True)
    work.mkdir()
    os.chdir(work)  # where the payload would make its folder
    chosen = targets(seeds)
    # Once without limits: libraries that are imported late count as no one's memory.
    watch = Watch()
    signal.signal(signal.SIGALRM, _alarm)
    names = options.targets or list(chosen)
    for name in names:
        outcome(name, chosen[name], 0, work, watch)
    _limit_memory()
    for name in names:
        for case in range(options.first, options.stop):
            print(json.dumps([name, case]), flush=True)
            print(json.dumps(asdict(outcome(name, chosen[name], case, work, watch))), flush=True)


if __name__ == "__main__":
    main()
