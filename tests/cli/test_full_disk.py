"""A full disk ends a command with one sentence, and the old files stay.

A limit on the size of files stands in for the full disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

resource = pytest.importorskip("resource")
Run = Callable[..., int]
OLD = "old"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("size", "option", "target"),
    [
        (200, "--out", "dance.mp4"),
        (2000, "--out", "dance.mp4"),
        (200, "--out", "dance.webm"),
        (200, "--out", "dance.gif"),
        (200, "--out", "dance.webp"),
        (50_000, "--preview-sheet", "sheet.png"),
    ],
)
def test_animate(
    size: int,
    option: str,
    target: str,
    run: Run,
    inputs: Path,
    written: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / target
    path.write_text(OLD)
    words = ["animate", inputs / "sticker.png", inputs / "song.wav", "--text", "hop"]
    words += ["--checkpoint", written, "--seconds", "4", "--steps", "1"]
    words += ["--out", tmp_path / "other.webp", "--size", "64"] if option != "--out" else []
    with largest_file(size):
        assert run(*words, option, path) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1] == f"musedance: There is not enough space on the disk to write {path}."
    assert path.read_text() == OLD
    assert {p.name for p in tmp_path.iterdir()} <= {target, "other.webp"}


@pytest.mark.parametrize(("option", "target"), [("--json", "beats.json"), ("--plot", "beats.png")])
def test_beats(
    option: str,
    target: str,
    run: Run,
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / target
    path.write_text(OLD)
    words = ["beats", inputs / "song.wav", "--bpm", "120", "--offset", "0", option, path]
    with largest_file(50):
        assert run(*words) == 2
    errors = capsys.readouterr().err
    assert errors == f"musedance: There is not enough space on the disk to write {path}.\n"
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == OLD


@pytest.mark.parametrize("size", [100, 2_500, 5_000])
def test_evaluate(
    size: int, run: Run, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever file is the first that does not fit, a later run starts clean."""
    words = ["evaluate", written, "--out", tmp_path / "report", "--clips", "1", "--steps", "1"]
    with largest_file(size):
        assert run(*words) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1].startswith("musedance: There is not enough space on the disk to write ")
    assert not list(tmp_path.rglob(".*.*"))
    assert run(*words) == 0
    assert (tmp_path / "report/index.html").is_file()
    assert not list(tmp_path.rglob(".*"))


def test_judges(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "judges.safetensors"
    path.write_text(OLD)
    words = ["train", "judges", path, "--name", "a", "--clips", "2", "--dancers", "32"]
    words += ["--motion-steps", "1", "--motion-batch", "2", "--identity-steps", "1"]
    with largest_file(100_000):
        assert run(*words) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"musedance: {path} cannot be written: ") and errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == OLD
