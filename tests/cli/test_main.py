"""The whole command line: help, exit codes, and errors that end a command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from musedance_core import __version__

Run = Callable[..., int]


@pytest.mark.parametrize("module", ["musedance_core", "musedance_core.cli"])
def test_the_exit_code_reaches_the_shell(module: str, inputs: Path, tmp_path: Path) -> None:
    words = [inputs / "none.png", inputs / "song.wav", "--text", "hop", "--out", tmp_path / "a.mp4"]
    command = [sys.executable, "-m", module, "animate", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["animate"], ["beats"], ["beats", "a", "b"], ["evaluate", "a"]]
)
def test_incomplete_commands(
    run: Run, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_os_error_is_one_sentence(
    run: Run, inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "beats.json")

    monkeypatch.setattr("musedance_core.audio.waveform.load_waveform", full)
    assert run("beats", inputs / "song.wav") == 2
    assert capsys.readouterr().err == "musedance: No space left on device: beats.json\n"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_too_little_memory_is_one_sentence(
    run: Run,
    error: Exception,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("musedance_core.audio.waveform.load_waveform", full)
    assert run("beats", inputs / "song.wav") == 2
    message = capsys.readouterr().err
    assert message.startswith("musedance: There is not enough memory")
    assert message.count("\n") == 1


def test_other_runtime_errors_are_not_hidden(
    run: Run, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("musedance_core.audio.waveform.load_waveform", wrong)
    with pytest.raises(RuntimeError, match="mat1"):
        run("beats", inputs / "song.wav")


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_names_that_are_no_text_are_printed_with_escapes(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "\udcff.json"  # the byte 255, as Python reads it
    words = ["--bpm", "120", "--offset", "0", "--json", path]
    assert run("beats", inputs / "song.wav", *words) == 0
    assert "\\udcff.json" in capsys.readouterr().out and path.is_file()


def test_version_and_help(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"musedance {__version__}\n"
    commands = (
        *("animate", "beats", "rig", "pose", "inspect", "evaluate", "convert", "prepare"),
        "train",
    )
    stages = (
        *("text", "music", "vae", "stage1", "choreographer", "stage2", "rig"),
        "judges",
    )
    for words in [[command] for command in commands] + [["train", stage] for stage in stages]:
        assert run(*words, "--help") == 0
        assert f"usage: musedance {' '.join(words)}" in capsys.readouterr().out


def test_a_closed_pipe_is_reported_by_the_exit_code_alone() -> None:
    command = [sys.executable, "-m", "musedance_core.cli", "inspect"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
