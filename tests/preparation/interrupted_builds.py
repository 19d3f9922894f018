"""Builds of a small data set that are killed, or run out of disk space, at random moments.

python interrupted_builds.py FOLDER SEED ROUNDS

Three videos become a data set without interruption, at two sizes. Then other processes build it at
the second size, from nothing and on top of the first size. ROUNDS of them are interrupted one after
the other, each going on where the last one stopped, and one more ends by itself. After each, the
files are compared with those of the uninterrupted builds. Prints the interruptions by kind as JSON.

All builds run in forks of this process, which has only imported its modules: to start a process
anew takes seconds, and a fork of a process that has used PyAV may hang.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import av  # noqa: F401
import numpy as np
import torch
from conftest import Studio
from numpy.random import Generator

from musedance_core.audio.tracker import track_beats
from musedance_core.errors import InputError
from musedance_core.preparation import build as building
from musedance_core.preparation.build import BuildSettings
from musedance_core.preparation.cutting import CutJob, cut_source
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.sources import SourceVideo, find_sources
from musedance_core.preparation.state import load_source_state

BEFORE, OPTIONS = (ClipOptions(seconds=1, size=size) for size in (32, 48))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FAILED, LOST = 3, 4
"""Exit codes of a process that ends with a sentence about the disk, and with anything else."""

Action = Callable[[], None]


class Disk:
    """Counts changes in a folder, and calls `interrupt` at those from number `at` on."""

    def __init__(
        self, folder: Path, at: int = sys.maxsize, interrupt: Action = lambda: None
    ) -> None:
        self.folder, self.count, self.at, self.interrupt = str(folder), 0, at, interrupt

    def watch(self) -> None:
        """Begin; it ends with the process."""
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: Sequence[Any]) -> None:
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        changes = opens or event in ("os.rename", "os.remove", "os.mkdir")
        if changes and str(arguments[0]).startswith(self.folder):
            self.count += 1
            if self.count > self.at:
                self.interrupt()


def cut_in_this_process(jobs: Sequence[CutJob], _: int) -> None:
    for job in jobs:
        cut_source(job)


def build(videos: Path, dataset: Path, options: ClipOptions) -> None:
    settings = BuildSettings(options, shares=(1.0, 0.0, 0.0))
    building.build(find_sources(videos, dataset), dataset, settings, None)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def no_space() -> None:
    raise OSError(28, "No space left on device")


def fork(action: Action, prepare: Action = lambda: None, kill_after: float | None = None) -> int:
    """Run `prepare` and `action` in a forked process; its exit code.

    Args:
        kill_after: seconds after which the process is killed.
    """
    pid = os.fork()
    if pid == 0:
        code = LOST
        try:
            prepare()
            action()
            code = 0
        except (InputError, OSError) as error:
            code = FAILED if "space" in str(error) else LOST
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_and_interrupt(
    action: Action, folder: Path, changes: int, seconds: float, rng: Generator
) -> str:
    """Interrupt `action` at random in a forked process; the kind of interruption, or "ended".

    Args:
        folder: of the data set.
        changes, seconds: changes in the folder that the whole action makes, and its time.
    """
    kind = str(rng.choice(["kill at a change", "kill at a time", "full disk", "large file"]))
    change, delay, size = int(rng.integers(changes)), rng.uniform(0, seconds), rng.uniform(6, 14)
    limit = round(2**size)  # writing fails in the middle of a file that is larger
    if kind == "kill at a change":
        code = fork(action, lambda: Disk(folder, change, kill).watch())
    elif kind == "kill at a time":
        code = fork(action, kill_after=delay)
    elif kind == "full disk":
        code = fork(action, lambda: Disk(folder, change, no_space).watch())
    else:
        code = fork(action, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert code in (0, FAILED, -signal.SIGKILL), f"{kind} ends with {code}"
    return kind if code else "ended"


def content(folder: Path) -> dict[str, bytes]:
    """All files except states, by their path in the data set."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".prepare" not in path.parts
    }


def finished(dataset: Path, sources: Sequence[SourceVideo]) -> set[str]:
    return {s.name for s in sources if load_source_state(dataset, s, OPTIONS) is not None}


def check(dataset: Path, references: Sequence[dict[str, bytes]]) -> None:
    """Every file but a temporary one is exactly as an uninterrupted build writes it."""
    for name, data in content(dataset).items():
        if ".partial" not in name:
            assert any(reference.get(name) == data for reference in references), name


def main(folder: Path, seed: int, rounds: int) -> None:
    torch.set_num_threads(1)
    track_beats(Studio.noise(2))  # compiles what the forks need
    building.cut_sources = cut_in_this_process
    videos = folder / "videos"
    assert fork(partial(write_inputs, folder, videos)) == 0
    measured = json.loads((folder / "measured.json").read_text())
    complete = [
        content(folder / f"with-duplicates-{options.size}") for options in (BEFORE, OPTIONS)
    ]
    reference = content(folder / "reference")
    sources = find_sources(videos, folder / "none").videos
    rng = np.random.default_rng(seed)
    kinds: Counter[str] = Counter()
    dataset = folder / "set"
    action = partial(build, videos, dataset, OPTIONS)
    for base in (None, folder / "before"):
        done, interruptions = start(dataset, base), 0
        while interruptions < rounds:
            kind = fork_and_interrupt(action, dataset, **measured, rng=rng)
            kinds[kind] += 1
            if kind == "ended":
                assert content(dataset) == reference
                done = start(dataset, base)
                continue
            interruptions += 1
            check(dataset, complete)
            assert finished(dataset, sources) >= done, "a finished source was lost"
            done = finished(dataset, sources)
        assert fork(action) == 0
        assert content(dataset) == reference
    print(json.dumps(kinds))


def write_inputs(folder: Path, videos: Path) -> None:
    """Write the videos and the uninterrupted data sets, and count what one of them takes."""
    videos.mkdir(parents=True)
    for i, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):  # c repeats a, under other music
        frames = Studio.dancer(13, 64, 64, fps=12, seed=9 * (i % 2))
        Studio.write(videos / name, frames, 12, Studio.noise(13 / 12, i))
    build(videos, folder / "before", BEFORE)
    disk, begin = Disk(folder / "reference"), time.monotonic()
    disk.watch()
    build(videos, folder / "reference", OPTIONS)
    measured = {"changes": disk.count, "seconds": time.monotonic() - begin}
    # An interrupted build may leave files of duplicates, which a complete one has removed.
    building.remove_unused_files = lambda *_: None
    for options in (BEFORE, OPTIONS):
        build(videos, folder / f"with-duplicates-{options.size}", options)
    (folder / "measured.json").write_text(json.dumps(measured))


def start(dataset: Path, base: Path | None) -> set[str]:
    """Begin with an empty data set or a copy of `base`; no source is finished at `OPTIONS`."""
    shutil.rmtree(dataset, ignore_errors=True)
    if base is not None:
        shutil.copytree(base, dataset)
    return set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
