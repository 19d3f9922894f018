"""Files: written completely or not at all, even when the writer dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from musedance_core.errors import InputError
from musedance_core.files import atomic_folder, atomic_path

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


def test_a_killed_writers_file_is_removed_by_the_next_write(tmp_path: Path) -> None:
    target, other = tmp_path / "video.mp4", tmp_path / "video2.mp4"
    for path in (target, other):
        with subprocess.Popen(
            [sys.executable, "-c", SLOW_WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
            # A file whose writer lives is not touched.
            with atomic_path(path) as temporary:
                temporary.write_text("whole")
            (leftover,) = tmp_path.glob(f".{path.stem}.*.partial.mp4")
            assert str(writer.pid) in leftover.name
            writer.kill()
    assert len(list(tmp_path.iterdir())) == 4
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert [p.name[:8] for p in tmp_path.iterdir() if p.name.startswith(".")] == [".video2."]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux shows zombies")
def test_a_killed_writer_that_nobody_waited_for_counts_as_dead(tmp_path: Path) -> None:
    target = tmp_path / "video.mp4"
    command = [sys.executable, "-c", SLOW_WRITER, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        os.kill(writer.pid, signal.SIGKILL)
        end = time.monotonic() + 30
        while " Z " not in Path(f"/proc/{writer.pid}/stat").read_text():
            assert time.monotonic() < end
            time.sleep(0.01)
        with atomic_path(target) as temporary:
            temporary.write_text("whole")
        assert list(tmp_path.iterdir()) == [target]


def test_a_body_that_is_terminated_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM where it is turned into an exception, as the command line does."""
    code = SLOW_WRITER.replace("SIGINT", "SIGTERM")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "video.mp4")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        writer.terminate()
        assert writer.wait(timeout=30) != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("exists", [True, False])
def test_the_target_of_a_symbolic_link_is_replaced(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "disk").mkdir()
    target, link, chain = tmp_path / "disk" / "v.mp4", tmp_path / "link.mp4", tmp_path / "chain.mp4"
    if exists:
        target.write_text("old")
    link.symlink_to(Path("disk") / "v.mp4")
    chain.symlink_to(link)
    with atomic_path(chain) as temporary:
        assert temporary.parent == target.parent
        temporary.write_text("new")
    assert target.read_text() == "new" and link.is_symlink() and chain.is_symlink()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["v.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights differ there")
def test_rights_are_those_of_the_old_file_or_of_new_ones(tmp_path: Path) -> None:
    old, new, folder = tmp_path / "old.mp4", tmp_path / "new.mp4", tmp_path / "frames"
    old.write_text("old")
    old.chmod(0o664)
    umask = os.umask(0o027)
    try:
        for target in (old, new):
            with atomic_path(target) as temporary:
                temporary.unlink()  # as some writers do
                temporary.write_text("new")
                temporary.chmod(0o600)
        with atomic_folder(folder):
            pass
    finally:
        os.umask(umask)
    modes = [path.stat().st_mode & 0o777 for path in (old, new, folder)]
    assert modes == [0o664, 0o640, 0o750]


@pytest.mark.skipif(sys.platform == "win32", reason="rights differ there")
def test_a_write_protected_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "video.mp4"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(InputError, match=r"video\.mp4 is write-protected"), atomic_path(target):
        pass
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_an_empty_folder_that_is_there_stays_and_gets_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the current one, which would be gone for the shell that is in it."""
    folder = tmp_path / "frames"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = folder.stat().st_ino
    with atomic_folder("./") as temporary:
        (temporary / "a.txt").write_text("whole")
    assert folder.stat().st_ino == before and Path("a.txt").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [folder]


SLOW_FOLDER = """
import sys, time
from musedance_core.files import atomic_folder
with atomic_folder(sys.argv[1]) as temporary:
    (temporary / "a.txt").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    target = tmp_path / "frames"
    for _ in range(2):  # new, and empty
        with atomic_folder(target) as temporary:
            assert temporary.parent == tmp_path
            (temporary / "a.txt").write_text("whole")
            assert not target.exists() or not list(target.iterdir())
        assert [p.name for p in target.iterdir()] == ["a.txt"] and len(
            list(tmp_path.iterdir())
        ) == 1
        (target / "a.txt").unlink()


def test_a_folder_with_files_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("old")
    for name, words in (
        ("full", "full is not empty"),
        ("full/a.txt", "is a file"),
        ("no/frames", "does not exist"),
    ):
        with pytest.raises(InputError, match=words), atomic_folder(tmp_path / name):
            pass
    assert (tmp_path / "full" / "a.txt").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_files_that_arrive_meanwhile_are_not_lost(tmp_path: Path) -> None:
    target = tmp_path / "frames"
    words = r"The new folder is .*frames-1"
    with pytest.raises(InputError, match=words), atomic_folder(target) as temporary:
        (temporary / "a.txt").write_text("new")
        target.mkdir()
        (target / "b.txt").write_text("other")
    assert (target / "b.txt").exists() and (tmp_path / "frames-1" / "a.txt").exists()


def test_a_killed_writers_folder_is_removed_by_the_next_write(tmp_path: Path) -> None:
    target = tmp_path / "frames"
    command = [sys.executable, "-c", SLOW_FOLDER, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        writer.kill()
    assert not target.exists() and len(list(tmp_path.iterdir())) == 1
    with atomic_folder(target) as temporary:
        (temporary / "a.txt").write_text("whole")
    assert list(tmp_path.iterdir()) == [target]


LIMITED_WRITER = """
import resource, signal, sys
from pathlib import Path
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from musedance_core.errors import InputError
from musedance_core.files import atomic_path
from musedance_core.media.video import write_video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)
def video(path):
    write_video(path, [torch.rand(12, 3, 64, 64)], 12)
def picture(path):
    with atomic_path(path) as temporary:
        Image.fromarray(noise).save(temporary)
def text(path):
    with atomic_path(path) as temporary:
        temporary.write_text("x" * 30_000)
for write in (video, picture, text):
    try:
        write(sys.argv[1] + {"video": ".mp4", "picture": ".png", "text": ".json"}[write.__name__])
    except InputError as error:
        print(error)
"""


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    pytest.importorskip("resource")
    targets = [tmp_path / f"a{suffix}" for suffix in (".mp4", ".png", ".json")]
    for target in targets:
        target.write_text("old")
    command = [sys.executable, "-c", LIMITED_WRITER, str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sentences = done.stdout.splitlines()
    assert [line.rsplit(" ", 1)[1] for line in sentences] == [f"{target}." for target in targets]
    assert all(line.startswith("There is not enough space") for line in sentences)
    assert sorted(tmp_path.iterdir()) == sorted(targets)
    assert all(target.read_text() == "old" for target in targets)


def test_an_error_without_a_number_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(InputError, match="not enough space"), atomic_path(tmp_path / "a.pt"):
        raise RuntimeError("unexpected pos 704 vs 598")
    free = 1 << 30
    with pytest.raises(RuntimeError, match="unexpected pos"), atomic_path(tmp_path / "a.pt"):
        raise RuntimeError("unexpected pos 704 vs 598")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_replace_its_target_gets_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    target, rescued = tmp_path / "video.mp4", tmp_path / "video-1.mp4"
    target.write_text("old")
    monkeypatch.setattr(os, "replace", busy)
    with (
        pytest.raises(InputError, match="cannot be replaced: Permission denied") as caught,
        atomic_path(target) as temporary,
    ):
        temporary.write_text("new")
    assert str(rescued) in str(caught.value)
    assert rescued.read_text() == "new" and target.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [rescued, target]


def test_impossible_targets_raise_one_sentence(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    for target, words in [
        (tmp_path, "is a directory"),
        (tmp_path / "no" / "a.mp4", "not exist"),
        (pipe / "a.mp4", "not exist"),
        (pipe, "no regular file"),
        (loop, "cannot be written: Too many levels of symbolic links"),
        (tmp_path / (300 * "a" + ".mp4"), "cannot be written: File name too long"),
    ]:
        with pytest.raises(InputError, match=words), atomic_path(target):
            pass
    assert sorted(tmp_path.iterdir()) == [loop, pipe]


def test_long_names_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("歌" * 80 + ".mp4")
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert list(tmp_path.iterdir()) == [target]
