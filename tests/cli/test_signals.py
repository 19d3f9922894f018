"""Signals in the middle of a command: nothing half-written stays, and nothing good is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musedance_core.cli.signals import Terminated, unwinding_on_signals

Start = Callable[..., "subprocess.Popen[str]"]
OLD = "the old video"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_the_body_and_the_handler_is_restored(number: signal.Signals) -> None:
    with pytest.raises(Terminated) as caught, unwinding_on_signals():
        os.kill(os.getpid(), number)
        pytest.fail("the body went on")
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


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
def start(inputs: Path, written: Path) -> Iterator[Start]:
    """Starts an `animate` that takes minutes, and returns once it has begun to write."""
    running: list[subprocess.Popen[str]] = []

    def start(out: Path) -> subprocess.Popen[str]:
        words = ["animate", inputs / "sticker.png", inputs / "song.wav", "--text", "hop"]
        words += ["--checkpoint", written, "--out", out, "--steps", "1000"]
        command = [sys.executable, "-m", "musedance_core.cli", *map(str, words)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        running.append(process)
        end = time.monotonic() + 120
        while not (temporaries := list(out.parent.glob(f".{out.stem}*"))):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        assert temporaries[0].suffix == out.suffix
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_leaves_the_old_video_and_nothing_else(
    start: Start, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "dance.mp4"
    out.write_text(OLD)
    process = start(out)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.splitlines()[-1] == "musedance: Stopped before it was done."
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == [out] and out.read_text() == OLD
