"""`musedance inspect`: a description, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]


def test_a_checkpoint_is_described(
    run: Run, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("inspect", written) == 0
    assert "sticker" in capsys.readouterr().out


def test_other_files_are_refused(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("text.safetensors", "none.safetensors", "sticker.png"):
        assert run("inspect", inputs / name) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and name in printed.err and printed.err.count("\n") == 1
