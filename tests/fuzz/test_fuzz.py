"""Mutated files of every kind are read or refused in one sentence.

`benchmarks/fuzz.py` runs the same cases in larger numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("resource")
ROOT = Path(__file__).parents[2]
CASES = 40
"""Mutated files of every target."""
NAMES = (
    *("checkpoint", "motion modules", "stable diffusion", "vocab.json", "merges.txt", "picture"),
    *("sound", "video", "source video", "beats", "timeline node", "prompts", "rig"),
    *("captions", "list of videos", "metadata", "part maps", "track", "config"),
    *("training state", "segment cache", "beat labels", "beat annotations", "beat table"),
)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The lines of a worker that runs all targets, in a process of its own."""
    folder = tmp_path_factory.mktemp("fuzz") / "worker"
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("worker.py"), str(folder), "0", str(CASES)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{done.stderr[-2000:]}\n{lines[-1:]}"
    return lines


def test_all_targets_are_listed(lines: list[Any]) -> None:
    assert {line["target"] for line in lines if isinstance(line, dict)} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_crash_no_hang_no_change(name: str, lines: list[Any]) -> None:
    """Every file is accepted or refused with a sentence, within 10 s and 2 GB; nothing is written
    and no code in a file runs. The files before their mutation are accepted."""
    outcomes = [line for line in lines if isinstance(line, dict) and line["target"] == name]
    assert len(outcomes) == CASES
    failed = [outcome for outcome in outcomes if outcome["kind"] == "failed"]
    assert not failed, json.dumps(failed[:3], indent=1)
    assert any(outcome["kind"] == "accepted" for outcome in outcomes)
