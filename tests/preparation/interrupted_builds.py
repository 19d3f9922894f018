"""Builds of a small data set that are killed, or run out of disk space, at random moments.

python interrupted_builds.py FOLDER SEED ROUNDS

Three videos become a data set without interruption, at two sizes. Then forked processes build it at
the second size, from nothing and on top of the first size. ROUNDS of them are interrupted one after
the other, each going on where the last one stopped, and one more ends by itself. After each, the
files are compared with those of the uninterrupted builds. Prints the interruptions by kind as JSON.
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

import numpy as np
import torch
from conftest import Studio

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

Interruption = Callable[[], None]


class Disk:
    """Counts changes of the file system, and calls `on_change` at one of them and all after it."""

    def __init__(self) -> None:
        self.count = 0
        self.at = sys.maxsize
        self.on_change: Interruption = lambda: None
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: Sequence[Any]) -> None:
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if opens or event in ("os.rename", "os.remove", "os.mkdir"):
            self.count += 1
            if self.count > self.at:
                self.on_change()


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


def interrupted(
    disk: Disk, seconds: float, rng: np.random.Generator, action: Callable[[], None]
) -> str:
    """Run `action` in a forked process with one random interruption; the kind of it, or "ended".

    Args:
        disk, seconds: the changes that the whole action makes, and the time it takes.
    """
    kind = str(rng.choice(["kill at a change", "kill at a time", "full disk", "large file"]))
    change, delay, size = int(rng.integers(disk.count)), rng.uniform(0, seconds), rng.uniform(6, 14)
    pid = os.fork()
    if pid == 0:
        if kind in ("kill at a change", "full disk"):
            disk.count, disk.at = 0, change
            disk.on_change = kill if kind.startswith("kill") else no_space
        elif kind == "large file":  # writing fails in the middle of a file that is larger
            resource.setrlimit(resource.RLIMIT_FSIZE, (round(2**size), round(2**size)))
        code = LOST
        try:
            action()
            code = 0
        except (InputError, OSError) as error:
            code = FAILED if "space" in str(error) else LOST
        finally:
            os._exit(code)
    if kind == "kill at a time":
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
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


def with_duplicates(videos: Path, dataset: Path, options: ClipOptions) -> dict[str, bytes]:
    """The content of a data set before the files of its duplicates are removed."""
    removing, building.remove_unused_files = building.remove_unused_files, lambda *_: None
    build(videos, dataset, options)
    building.remove_unused_files = removing
    return content(dataset)


def check(dataset: Path, references: Sequence[dict[str, bytes]]) -> None:
    """Every file but a temporary one is exactly as an uninterrupted build writes it."""
    for name, data in content(dataset).items():
        if ".partial" not in name:
            assert any(reference.get(name) == data for reference in references), name


def main(folder: Path, seed: int, rounds: int) -> None:
    torch.set_num_threads(1)
    building.cut_sources = cut_in_this_process
    videos = folder / "videos"
    videos.mkdir(parents=True)
    for i, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):  # c repeats a, under other music
        frames = Studio.dancer(13, 64, 64, fps=12, seed=9 * (i % 2))
        Studio.write(videos / name, frames, 12, Studio.noise(13 / 12, i))
    disk = Disk()
    complete = [with_duplicates(videos, folder / f"{o.size}", o) for o in (BEFORE, OPTIONS)]
    build(videos, folder / "before", BEFORE)
    disk.count, begin = 0, time.monotonic()
    build(videos, folder / "reference", OPTIONS)
    seconds = time.monotonic() - begin
    reference = content(folder / "reference")
    sources = find_sources(videos, folder / "none").videos
    rng = np.random.default_rng(seed)
    kinds: Counter[str] = Counter()
    dataset = folder / "set"
    action = partial(build, videos, dataset, OPTIONS)
    for base in (None, folder / "before"):
        done, interruptions = start(dataset, base), 0
        while interruptions < rounds:
            kind = interrupted(disk, seconds, rng, action)
            kinds[kind] += 1
            if kind == "ended":
                assert content(dataset) == reference
                done = start(dataset, base)
                continue
            interruptions += 1
            check(dataset, complete)
            assert finished(dataset, sources) >= done, "a finished source was lost"
            done = finished(dataset, sources)
        action()
        assert content(dataset) == reference
    print(json.dumps(kinds))


def start(dataset: Path, base: Path | None) -> set[str]:
    """Begin with an empty data set or a copy of `base`; no source is finished at `OPTIONS`."""
    shutil.rmtree(dataset, ignore_errors=True)
    if base is not None:
        shutil.copytree(base, dataset)
    return set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
