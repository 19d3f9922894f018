"""The provenance of a run: versions, git commit, hardware, and a checkpoint's record of a stage."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ...version import __version__
from ..config import TrainConfig

PACKAGES = ("torch", "accelerate", "safetensors", "numpy")


def versions() -> dict[str, str]:
    """Returns the versions of this package, Python and the main dependencies."""
    found = {"musedance": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def git_state() -> str:
    """Returns the commit of this package's source, with "+ changes" if files differ from it.

    "none" outside a repository.
    """
    folder = Path(__file__).parents[3]
    if not (folder / ".git").exists():
        return "none"
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown: git did not answer"
    return commit + (" + changes" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def hardware() -> str:
    """Returns the number and kind of GPUs, or of CPU threads."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}"


def environment() -> dict[str, Any]:
    """Returns versions, git commit and hardware, for the run's folder."""
    return {"versions": versions(), "git": git_state(), "hardware": hardware()}


def command_line() -> str:
    """Returns the command that started this process, without the folders of an installed one."""
    program = Path(sys.argv[0])
    is_script = program.suffix == ".py" and program.name != "__main__.py"
    return shlex.join([*(["python", sys.argv[0]] if is_script else ["musedance"]), *sys.argv[1:]])


def stage_provenance(part: str, config: TrainConfig, steps: int, minutes: float) -> dict[str, Any]:
    """Returns a stage's entry in the provenance of a checkpoint."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    entry = {
        "part": part,
        "command": command_line(),
        "steps": steps,
        "batch": config.batch * config.accumulate * world,
        "seed": config.seed,
        "hardware": hardware(),
        "minutes": round(minutes, 1),
        "versions": versions(),
        "git": git_state(),
        "config": config.to_dict(),
    }
    return entry | ({"note": config.note} if config.note else {})
