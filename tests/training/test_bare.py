"""Training on a bare cluster image, with torch, accelerate, tokenizers and few other packages."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = (
    "torch",
    "accelerate",
    "tokenizers",
    "einops",
    "safetensors",
    "numpy",
    "scipy",
    "pillow",
)
BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is not on this machine", name=name)

blocked = set(sys.argv.pop(1).split(","))
assert not blocked & set(sys.modules)
sys.meta_path.insert(0, Blocker())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda n, *a: None if n.split(".")[0] in blocked else found(n, *a)
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure() -> set[str]:
    """Returns the allowed distributions and their dependencies without extras."""
    known: set[str] = set()
    waiting = [normal(name) for name in ALLOWED]
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        waiting += [normal(re.split(r"[\s;<>=!~\[(]", n)[0]) for n in needed if "extra ==" not in n]
    return known


def other_packages() -> list[str]:
    """Returns the top-level names of all other installed packages."""
    allowed = closure()
    return sorted(
        name
        for name, owners in packages_distributions().items()
        if not {normal(o) for o in owners} & allowed
        and name.isidentifier()
        and not name.startswith("_")
        and name not in ("musedance_core", "setuptools", "pkg_resources", "distutils")
    )


@pytest.mark.parametrize("stage", ["stage1", "choreographer", "stage2", "rig"])
def test_a_stage_trains_with_the_required_packages_alone(stage: str, tmp_path: Path) -> None:
    others = other_packages()
    assert {"av", "librosa", "diffusers", "tensorboard", "pytest"} <= set(others)
    script, config = ROOT / f"train/{stage}.py", ROOT / f"train/configs/smoke/{stage}.yaml"
    command = [sys.executable, "-c", BLOCKED, ",".join(others), str(script), str(config)]
    command += [f"output_dir={tmp_path}", "max_steps=2", "log_every=1", "validate_every=2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "model.safetensors").is_file()
    generates_clips = "not as files: PyAV is not installed" in done.stdout
    assert generates_clips is (stage not in ("rig", "choreographer"))
