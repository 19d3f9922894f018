"""Commands that are killed or meet a full disk at random moments lose nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the command")
@pytest.mark.parametrize(("command", "rounds"), [("animate", 5), ("evaluate", 3)])
def test_nothing_is_lost_and_the_next_run_starts_clean(
    command: str, rounds: int, inputs: Path, written: Path, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("interrupted_commands.py")
    words = [command, inputs / "sticker.png", inputs / "song.wav", written, tmp_path, rounds, 0]
    done = subprocess.run(
        [sys.executable, str(script), *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(done.stdout)) == rounds
