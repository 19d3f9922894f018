"""Builds that are killed or run out of disk space lose nothing, and the next build goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from musedance_core.preparation.build import BuildSettings, build, prepare_folder
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.sources import find_sources

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
OPTIONS = ClipOptions(seconds=1, size=48)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork and no SIGKILL")

CUT = """
import sys
from pathlib import Path
from musedance_core.preparation.cutting import CutJob
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.sources import find_sources
from musedance_core.preparation.workers import cut_sources

if __name__ == "__main__":
    videos, dataset = map(Path, sys.argv[1:])
    options = ClipOptions(seconds=1, size=48)
    cut_sources([CutJob(s, dataset, options) for s in find_sources(videos, dataset).videos], 1)
"""
WRITE = """
import os, signal, sys
from musedance_core.files import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_builds_interrupted_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    script = Path(__file__).with_name("interrupted_builds.py")
    command = [sys.executable, str(script), str(tmp_path), "0", "6"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    kinds = json.loads(done.stdout)
    assert {"kill at a change", "kill at a time", "full disk", "large file"} <= kinds.keys()


def test_workers_end_with_a_killed_run_and_the_next_run_goes_on(
    tmp_path: Path, studio: Any
) -> None:
    videos, dataset = tmp_path / "videos", tmp_path / "set"
    videos.mkdir()
    for i, name in enumerate(("a.mp4", "b.mp4")):
        studio.write(videos / name, studio.dancer(25, 64, 64, 12, seed=i), 12, studio.noise(2.1, i))
    prepare_folder(dataset)
    (tmp_path / "cut.py").write_text(CUT)
    command = [sys.executable, str(tmp_path / "cut.py"), str(videos), str(dataset)]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and not list(dataset.glob("tracks/*")):
            time.sleep(0.01)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        workers = children.read_text().split() if children.exists() else []
        run.kill()
    assert run.returncode == -signal.SIGKILL
    for _ in range(1000):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            break
        time.sleep(0.01)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    settings = BuildSettings(OPTIONS, shares=(1.0, 0.0, 0.0))
    result = build(find_sources(videos, dataset), dataset, settings, None)
    assert {clip.source for clip in result.clips} == {"a.mp4", "b.mp4"}
    assert not list(dataset.rglob("*.partial*"))


def test_half_files_of_killed_runs_are_removed(tmp_path: Path, studio: Any) -> None:
    """Also those of clips that are never written again."""
    videos, dataset = tmp_path / "videos", tmp_path / "set"
    videos.mkdir()
    (videos / "a.mp4").write_text("no video\n" * 99)
    prepare_folder(dataset)
    (dataset / ".prepare/captions").mkdir()
    names = ("clips/gone.mp4", "report.html", ".prepare/captions/gone.json")
    for name in names:
        command = [sys.executable, "-c", WRITE, str(dataset / name)]
        subprocess.run(command, env=ENVIRONMENT, check=False)
    assert len(list(dataset.rglob("*.partial*"))) == len(names)
    build(find_sources(videos, dataset), dataset, BuildSettings(OPTIONS), None)
    assert not list(dataset.rglob("*.partial*"))
