"""Files: written whole or not at all, also when the writer dies; media with any tags opened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from musedance_core.errors import InputError
from musedance_core.files import atomic_path, open_media

SLOW_WRITER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from musedance_core.files import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_the_target_appears_only_when_the_body_is_done(tmp_path: Path) -> None:
    target = tmp_path / "video.mp4"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".mp4" and temporary.parent == tmp_path
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "video.mp4"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("old", ["old", None])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_kill_leaves_no_half_file(tmp_path: Path, old: str | None, how: signal.Signals) -> None:
    target = tmp_path / "video.mp4"
    if old is not None:
        target.write_text(old)
    command = [sys.executable, "-c", SLOW_WRITER, str(target)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        time.sleep(0.05)  # by now it waits
        writer.send_signal(how)
        started = time.monotonic()
        assert writer.wait(timeout=30) != 0 and time.monotonic() - started < 30
    assert (target.read_text() if target.exists() else None) == old


def test_what_cannot_be_put_in_its_place_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    target = tmp_path / "video.mp4"
    target.write_text("old")
    monkeypatch.setattr(os, "replace", busy)
    with (
        pytest.raises(InputError, match="cannot be replaced: Permission denied") as told,
        atomic_path(target) as temporary,
    ):
        temporary.write_text("new")
    assert str(temporary) in str(told.value)
    assert temporary.read_text() == "new" and target.read_text() == "old"


def test_impossible_targets_are_said_in_one_sentence(tmp_path: Path) -> None:
    for target, words in [(tmp_path, "is a directory"), (tmp_path / "no" / "a.mp4", "not exist")]:
        with pytest.raises(InputError, match=words), atomic_path(target):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_tags_that_are_not_utf8_do_no_harm(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"song{suffix}"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLE"
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b"TITLE") >= 1
    path.write_bytes(data.replace(b"TITLE", b"\xe4\xf6\xfc\xdf\xe9"))
    with open_media(path) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 48_000
