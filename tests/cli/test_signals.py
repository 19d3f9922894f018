"""Signals in the middle of a command: nothing half-written stays, and nothing good is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from musedance_core.cli.signals import Terminated, unwinding_on_signals
from musedance_core.files import atomic_folder

Run = Callable[..., int]
Start = Callable[..., "subprocess.Popen[str]"]
OLD = "the old video"


@pytest.fixture(autouse=True)
def no_signal_is_ignored() -> Iterator[None]:
    """As in a terminal, even where the tests run under `nohup` or in the background of a shell."""
    handlers = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_unwinds_the_body_and_the_handler_is_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Terminated) as caught, unwinding_on_signals():
        os.kill(os.getpid(), number)
        pytest.fail("the body went on")
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


def test_an_exception_lost_in_a_destructor_is_raised_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Busy:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)

    monkeypatch.setattr("musedance_core.cli.signals.RETRY", 0.05)
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    with pytest.raises(Terminated), unwinding_on_signals():
        Busy()
        time.sleep(10)
        pytest.fail("the signal was lost")


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGHUP, signal.SIGINT])
def test_signals_interrupt_no_clean_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: signal.Signals,
    second: signal.Signals,
) -> None:
    """Neither the same signal, raised again after a while, nor another one."""
    monkeypatch.setattr("musedance_core.cli.signals.RETRY", 0.05)
    rmtree = shutil.rmtree

    def slow(path: Path, **options: bool) -> None:
        try:
            raise OSError("a file is gone already")
        except OSError:
            os.kill(os.getpid(), second)
            time.sleep(0.3)
        rmtree(path, **options)

    monkeypatch.setattr("musedance_core.files.shutil.rmtree", slow)
    with (
        pytest.raises(KeyboardInterrupt),
        unwinding_on_signals(),
        atomic_folder(tmp_path / "frames") as folder,
    ):
        (folder / "frame.png").touch()
        os.kill(os.getpid(), first)
        time.sleep(10)
    assert not list(tmp_path.iterdir())


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with unwinding_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_run_without_handlers() -> None:
    done: list[bool] = []

    def body() -> None:
        with unwinding_on_signals():
            done.append(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command that takes minutes, and returns once a file matches `begun`."""
    running: list[subprocess.Popen[str]] = []

    def start(folder: Path, begun: str, words: Sequence[str | Path]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "musedance_core.cli", *map(str, words)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        running.append(process)
        end = time.monotonic() + 120
        while not list(folder.glob(begun)):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture
def words(inputs: Path, written: Path) -> list[str | Path]:
    """An `animate` without its output and steps."""
    return [
        *("animate", inputs / "sticker.png", inputs / "song.wav", "--text", "hop"),
        *("--checkpoint", written),
    ]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_leaves_the_old_video_and_nothing_else(
    start: Start, words: list[str | Path], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "dance.mp4"
    out.write_text(OLD)
    process = start(tmp_path, ".dance*.mp4", [*words, "--out", out, "--steps", "1000"])
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.splitlines()[-1] == "musedance: Stopped before it was done."
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == [out] and out.read_text() == OLD


def test_a_kill_leaves_the_old_video_and_the_next_run_cleans_up(
    start: Start, run: Run, words: list[str | Path], tmp_path: Path
) -> None:
    out = tmp_path / "dance.mp4"
    out.write_text(OLD)
    process = start(tmp_path, ".dance*.mp4", [*words, "--out", out, "--steps", "1000"])
    process.kill()
    process.wait()
    assert out.read_text() == OLD and len(list(tmp_path.iterdir())) == 2
    assert run(*words, "--out", out, "--steps", "1", "--seconds", "0.5") == 0
    assert list(tmp_path.iterdir()) == [out] and out.stat().st_size > 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_evaluation_that_was_stopped_in_its_first_row_starts_anew(
    start: Start, run: Run, written: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "report"
    words = ["evaluate", written, "--out", out, "--steps", "1"]
    process = start(out, "clips/01/*0001.mp4", [*words, "--clips", "100"])
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    assert run(*words, "--clips", "1") == 0
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert names == [
        *("beats/test-0000.json", "clips/01/test-0000.mp4", "index.html"),
        *("results.json", "results.md", "truth/test-0000.mp4"),
    ]


def test_finished_rows_of_a_stopped_evaluation_are_not_overwritten(
    run: Run, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    words = ["evaluate", written, "--out", out, "--steps", "1", "--clips", "1"]
    assert run(*words) == 0
    (out / ".unfinished").touch()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert run(*words) == 2
    assert "already exists, from an earlier report" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
