"""`animate` and `evaluate`, killed or out of disk space at random moments.

python interrupted_commands.py COMMAND PICTURE SONG CHECKPOINT FOLDER ROUNDS SEED

The command runs once without interruption. Then ROUNDS forked processes run it and are interrupted,
one after the other in one folder, and one more ends by itself. After each, every visible file is
either as it was before or as the uninterrupted run writes it. Prints the interruptions as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av  # noqa: F401
import librosa  # noqa: F401
import numpy as np
import torch

# Imported here, so that forks are fast, as the commands import them late. PyAV is not used yet.
import musedance_core.evaluation.harness
import musedance_core.pipeline  # noqa: F401
from musedance_core.cli import main as musedance

OLD = b"old"
WRITING = os.O_WRONLY | os.O_RDWR
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "tempfile.mkstemp")
"""Audit events of calls that change files, besides opening them for writing."""
FULL = "There is not enough space on the disk to write "
FINISHED = "already exists, from an earlier report"
Words = Sequence[str]


def words_of(command: str, picture: str, song: str, checkpoint: str) -> list[str]:
    if command == "animate":
        words = ["animate", picture, song, "--text", "hop", "--seconds", "0.5"]
        words += ["--beats", "beats.json", "--out", "dance.mp4", "--preview-sheet", "sheet.png"]
        return [*words, "--checkpoint", checkpoint, "--steps", "1"]
    return ["evaluate", checkpoint, "--out", "report", "--clips", "1", "--steps", "1"]


def prepared(folder: Path, command: str) -> Path:
    """A new folder, with an old video and old pictures that `animate` is to replace."""
    folder.mkdir()
    if command == "animate":
        (folder / "beats.json").write_text("[0.0, 0.5, 1.0]")
        for name in ("dance.mp4", "sheet.png"):
            (folder / name).write_bytes(OLD)
    return folder


def run(
    folder: Path,
    words: Words,
    prepare: Callable[[], object] = bool,
    seconds: float | None = None,
) -> tuple[int, str]:
    """Run the command in `folder`, in a forked process, after `prepare()`.

    It is killed after `seconds`. Returns its exit code and the last line of its output.
    """
    reading, writing = os.pipe()  # a file could not be written on a full disk
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.chdir(folder)
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            prepare()
            code = musedance(words)
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(writing)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reading) as log:
        lines = log.read().splitlines()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, (lines or [""])[-1]


def kill_at(number: int) -> None:
    """Kill this process at its n-th change of files from now on."""
    count = 0

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or (isinstance(flags, int) and flags & WRITING):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)


def limit_file_size(size: int) -> None:
    """Stands for a full disk: writing beyond `size` bytes fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def content(folder: Path) -> dict[str, bytes]:
    """All files by their path, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def interrupt(folder: Path, words: Words, rng: np.random.Generator, seconds: float) -> str:
    """Run the command with one random interruption; returns its kind."""
    kind = str(rng.choice(["kill at a change", "kill at a time", "full disk"]))
    change, size, delay = int(rng.integers(1, 24)), int(2 ** rng.uniform(5, 10)), rng.random()
    if kind == "kill at a change":
        code, line = run(folder, words, lambda: kill_at(change))
    elif kind == "kill at a time":
        code, line = run(folder, words, seconds=delay * seconds)
    else:
        code, line = run(folder, words, lambda: limit_file_size(size))
        assert code == 2 and FULL in line, (code, line)
        assert not [name for name in content(folder) if ".partial" in name], "temporary files stay"
    assert code in (0, 2, -signal.SIGKILL), (kind, code, line)
    return kind if code else "ended"


def main(command: str, inputs: Words, folder: Path, rounds: int, seed: int) -> None:
    torch.set_num_threads(1)
    words, rng = words_of(command, *inputs), np.random.default_rng(seed)
    straight = prepared(folder / "straight", command)
    begin = time.monotonic()
    code, line = run(straight, words)
    assert code == 0, line
    seconds, expected = time.monotonic() - begin, content(straight)

    kinds = []
    work = prepared(folder / "work", command)
    for _ in range(rounds):
        kinds.append(interrupt(work, words, rng, seconds))
        for name, data in content(work).items():
            if not Path(name).name.startswith("."):
                assert data in (OLD, expected[name]), f"{kinds[-1]} damages {name}"
        if "report/results.json" in content(work):  # a finished row is never overwritten
            code, line = run(work, words)
            assert code == 2 and FINISHED in line, line
            shutil.rmtree(work)
            work = prepared(folder / "work", command)
    code, line = run(work, words)
    assert code == 0, line
    assert content(work) == expected, sorted(content(work))
    print(json.dumps(kinds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:5], Path(sys.argv[5]), int(sys.argv[6]), int(sys.argv[7]))
