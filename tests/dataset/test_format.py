"""Format of a data set: a line that is not a clip is refused in one sentence that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from musedance_core.dataset.format import ClipRecord, read_metadata, write_metadata
from musedance_core.errors import InputError

CLIP = ClipRecord(
    file_name="clips/a.mp4",
    audio="clips/a.wav",
    track="tracks/a.wav",
    start=0,
    frames=48,
    fps=12,
    width=64,
    height=64,
    text="",
    source="a.mp4",
    track_id="track-0001",
    split="train",
    tempo=120,
    beats=(0.0, 0.5),
    downbeats=(),
    part_maps="",
    motion=0.1,
    subject=(0, 0, 1, 1),
    content="",
)


def test_written_metadata_is_read_back(tmp_path: Path) -> None:
    write_metadata(tmp_path, [CLIP])
    assert read_metadata(tmp_path) == [CLIP]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", None),
        ("content", 5),
        ("text", "\ud800"),
        ("frames", 10.0),
        ("frames", True),
        ("frames", 0),
        ("width", 0),
        ("width", "32"),
        ("tempo", None),
        ("tempo", 0),
        ("tempo", 10**400),
        ("start", float("nan")),
        ("start", -1),
        ("file_name", ""),
        ("audio", "/etc/passwd"),
        ("track", "../a.wav"),
        ("split", "all"),
        ("beats", [1.0]),
        ("beats", [1.0, 0.5]),
        ("beats", [0.0, float("nan")]),
        ("beats", "01"),
        ("downbeats", [[0.0]]),
        ("downbeats", {"0": 1}),
        ("motion", float("inf")),
        ("subject", [0, 0, 1]),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, name: str, value: Any) -> None:
    other = json.loads(CLIP.to_json()) | {name: value}
    (tmp_path / "metadata.jsonl").write_text(f"{CLIP.to_json()}\n{json.dumps(other)}\n")
    with pytest.raises(InputError, match=r"metadata\.jsonl, line 2 is not a clip: .*\.$") as caught:
        read_metadata(tmp_path)
    assert name in str(caught.value) or "too large" in str(caught.value)


@pytest.mark.parametrize("line", ["[1]", "3", "null", '"a"', "{", "[" * 100_000, "{}"])
def test_a_line_that_is_no_clip_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "metadata.jsonl").write_text(line)
    with pytest.raises(InputError, match=r"metadata\.jsonl, line 1"):
        read_metadata(tmp_path)


def test_metadata_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metadata.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"metadata\.jsonl is not UTF-8"):
        read_metadata(tmp_path)

    def denied(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_metadata(tmp_path)
