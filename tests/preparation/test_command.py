"""`musedance prepare`: its messages, its files and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from musedance_core.cli import main
from musedance_core.dataset.format import ClipRecord, read_metadata
from musedance_core.preparation.captions.caption_file import CaptionFile
from musedance_core.preparation.captions.captioner import (
    KEY_VARIABLE,
    CaptionError,
    ClipCaptioner,
)

ALL_TRAIN = ["--size", "64", "--shares", "1", "0", "0"]


def run(*arguments: object) -> int:
    """The exit code."""
    try:
        return main(["prepare", *(str(argument) for argument in arguments)])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.fixture
def videos(tmp_path: Path, studio: Any) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    studio.write(folder / "dance.mp4", studio.dancer(60, fps=12), 12, studio.noise(5))
    (folder / "broken.mp4").write_text("no video\n" * 99)
    return folder


def test_a_dry_run_writes_nothing(
    tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = ["--caption-url", "http://localhost:1/v1", "--caption-model", "m"]
    assert run(videos, tmp_path / "set", "--dry-run", *asking) == 0
    output = capsys.readouterr().out
    assert "2 videos" in output and "2 are to be cut" in output
    assert "At most 1 clips" in output and "At most 1 requests" in output
    assert [path.name for path in tmp_path.iterdir()] == ["videos"]


def test_the_estimate_of_a_dry_run_is_never_too_low(
    tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clip of 5.04 s has 60 frames, as many as the video of 5 s."""
    longer = [videos, tmp_path / "set", "--seconds", "5.04", *ALL_TRAIN]
    assert run(*longer, "--dry-run") == 0
    assert "At most 1 clips" in capsys.readouterr().out
    assert run(*longer) == 0 and len(read_metadata(tmp_path / "set")) == 1


def test_captions_the_summary_and_changed_options(
    tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"file_name": "dance.mp4", "text": "it hops"}\n')
    assert run(videos, tmp_path / "set", "--captions", captions, *ALL_TRAIN) == 0
    output = capsys.readouterr().out
    assert output.count("\n") == 1 and "1 clips (train 1) of 1 of 2 videos" in output
    assert "1 rejected (unreadable 1); 0 without a caption" in output
    (record,) = read_metadata(tmp_path / "set")
    assert record.text == "it hops" and (record.width, record.height) == (64, 64)
    smaller = ["--size", "48", "--aspect", "vertical", "--shares", "1", "0", "0"]
    assert run(videos, tmp_path / "set", *smaller) == 0
    output = capsys.readouterr().out
    assert "cut again: aspect square -> vertical, size 64 -> 48" in output
    (record,) = read_metadata(tmp_path / "set")
    assert record.height == 48 and record.width < 48 and not record.text
    assert len(list((tmp_path / "set/clips").iterdir())) == 2


def test_a_run_without_a_clip_ends_with_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.mp4").write_text("no video\n" * 99)
    assert run(tmp_path, tmp_path / "set") == 1
    assert "0 clips" in capsys.readouterr().out
    assert read_metadata(tmp_path / "set") == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--size", "100"], "100"),
        (["--fps", "0"], "--fps"),
        (["--fps", "1", "--seconds", "0.5"], "8 frames"),
        (["--fps", "1", "--seconds", "1"], "8 frames"),
        (["--seed", "-1"], "--seed"),
        (["--shares", "nan", "0.5", "0.5"], "--shares"),
        (["--caption-url", "http://[", "--caption-model", "m"], "http://["),
        (["--caption-url", "http://a/\u00e4", "--caption-model", "m"], "ASCII"),
        (["--seconds", "nan"], "nan"),
        (["--workers", "0"], "--workers"),
        (["--shares", "0.5", "0.5", "0.5"], "0.5"),
        (["--min-motion", "0.5", "--max-motion", "0.4"], "0.5"),
        (["--densepose", "none.pt"], "none.pt"),
        (["--densepose", "a.pt", "--maps", "videos"], "not from both"),
        (["--maps", "none"], "none"),
        (["--captions", "none.jsonl"], "none.jsonl"),
        (["--caption-url", "http://localhost:1"], "--caption-model"),
    ],
)
def test_bad_input_is_reported_in_one_line(
    tmp_path: Path,
    videos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    word: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.jit.script(torch.nn.Identity()).save("a.pt")
    assert run(videos, "set", *arguments) == 2
    output = capsys.readouterr().err
    assert output.startswith("musedance: ") and word in output and output.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(28, "No space left on device", "a/b.wav"), 2, "No space left on device: a/b.wav"),
        (KeyboardInterrupt(), 130, "Stopped; run again to go on."),
    ],
)
def test_a_full_disk_and_a_stop_are_reported_in_one_line(
    tmp_path: Path,
    videos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    message: str,
) -> None:
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr("musedance_core.preparation.build.cut_sources", fails)
    assert run(videos, tmp_path / "set") == code
    assert capsys.readouterr().err == f"musedance: {message}\n"


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(videos, tmp_path / "file/set") == 2
    output = capsys.readouterr().err
    assert output.startswith("musedance: ") and f"{tmp_path}/file" in output
    assert output.count("\n") == 1


def test_a_caption_is_found_by_the_most_exact_name(clip_record: ClipRecord) -> None:
    names = ["clips/dance-1.mp4", "dance-1.mp4", "dance-1", "a/dance.mov", "a/dance", "dance.mov"]
    captions = {name: f"by {name}" for name in [*names, "dance", "other"]}
    for name in [*names, "dance"]:
        assert CaptionFile(captions).captions([clip_record]) == [f"by {name}"]
        del captions[name]
    assert CaptionFile(captions).captions([clip_record]) == [""]


def test_a_captioner_sees_every_tenth_frame_and_a_refusal_is_no_caption(
    tmp_path: Path, clip_record: ClipRecord, studio: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clips").mkdir()
    studio.write(tmp_path / clip_record.file_name, studio.dancer(48, 64, 64, 12), 12, None)

    def captioner(key: str, frames: Any) -> str:
        if key == "dance-1":
            return f"{len(frames)} frames of {frames[0].shape}"
        raise CaptionError(f"{key}: I cannot help.")

    captions = ClipCaptioner(captioner, tmp_path)
    assert list(captions.captions([clip_record])) == ["5 frames of (64, 64, 3)"]
    other = json.loads(clip_record.to_json()) | {"file_name": "clips/other.mp4"}
    studio.write(tmp_path / "clips/other.mp4", studio.dancer(48, 64, 64, 12), 12, None)
    other = {name: tuple(v) if isinstance(v, list) else v for name, v in other.items()}
    assert list(captions.captions([ClipRecord(**other)])) == [""]
    assert "other: I cannot help." in capsys.readouterr().err


def test_the_help_names_the_variable_of_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert KEY_VARIABLE in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_leaves_no_unfinished_file_and_goes_on(
    tmp_path: Path, studio: Any, number: signal.Signals
) -> None:
    """After SIGTERM nothing has to be cleaned up; after SIGKILL the next run does it."""
    (tmp_path / "videos").mkdir()
    frames = studio.dancer(240, fps=12)
    studio.write(tmp_path / "videos/dance.mp4", frames, 12, studio.noise(20))
    words = [tmp_path / "videos", tmp_path / "set", "--seconds", "1", *ALL_TRAIN]
    command = [sys.executable, "-m", "musedance_core.cli", "prepare", *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not list((tmp_path / "set/clips").glob(".*")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.002)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert errors.splitlines()[-1] == "musedance: Stopped; run again to go on."
        assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
    assert run(*words) == 0
    whole = [tmp_path / "videos", tmp_path / "whole", "--seconds", "1", *ALL_TRAIN]
    assert run(*whole) == 0
    assert read_metadata(tmp_path / "set") == read_metadata(tmp_path / "whole") != []
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
