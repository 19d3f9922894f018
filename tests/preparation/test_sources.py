"""Source videos: the files of a folder or a list, their order and their names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from musedance_core.errors import InputError
from musedance_core.preparation.sources import find_sources


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def test_a_folder_is_searched_in_natural_order(tmp_path: Path) -> None:
    touch(tmp_path, "10.mp4", "9.MOV", "b/2.webm", "notes.txt", "c.jpg", ".hidden.mp4", ".t/x.mp4")
    touch(tmp_path / "set", "clips/1.mp4")
    found = find_sources(tmp_path, tmp_path / "set")
    assert [source.name for source in found.videos] == ["9.MOV", "10.mp4", "b/2.webm"]
    assert found.ignored == ("c.jpg", "notes.txt")


def test_a_list_names_its_videos(tmp_path: Path) -> None:
    touch(tmp_path, "v/one.mp4", "v/two.mkv", "read.me")
    listed = tmp_path / "list.txt"
    listed.write_text(f"# mine\nv/two.mkv\n\n{tmp_path}/v/one.mp4\nread.me\nv/two.mkv\n")
    found = find_sources(listed, tmp_path / "set")
    assert [source.name for source in found.videos] == ["v/one.mp4", "v/two.mkv"]
    assert {source.path for source in found.videos} == {
        tmp_path / "v/one.mp4",
        tmp_path / "v/two.mkv",
    }
    assert found.ignored == ("read.me",) and found.repeated == ("v/two.mkv",)
    listed.write_text("v/three.mp4\n")
    with pytest.raises(InputError, match=r"v/three\.mp4"):
        find_sources(listed, tmp_path / "set")


def test_a_listed_file_outside_the_folder_is_named_by_its_file_name(tmp_path: Path) -> None:
    touch(tmp_path, "v/one.mp4", "v/two.mp4", "w/one.mp4", "lists/three.mp4")
    listed = tmp_path / "lists/list.txt"
    listed.write_text(f"../v/one.mp4\n{tmp_path}/v/two.mp4\n{tmp_path}/v/../v/one.mp4\nthree.mp4\n")
    found = find_sources(listed, tmp_path / "set")
    assert [source.name for source in found.videos] == ["one.mp4", "three.mp4", "two.mp4"]
    listed.write_text("../v/one.mp4\n../w/one.mp4\n")
    with pytest.raises(InputError, match=r"both named one\.mp4"):
        find_sources(listed, tmp_path / "set")


def test_input_without_a_video_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "b.png")
    for path in (tmp_path, tmp_path / "a.txt", tmp_path / "b.png", tmp_path / "none"):
        with pytest.raises(InputError, match=path.name):
            find_sources(path, tmp_path / "set")


@pytest.mark.parametrize("line", ["a" * 5000, "a\0b.mp4"])
def test_a_listed_path_that_cannot_exist_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "list.txt").write_text(line)
    with pytest.raises(InputError, match=r"list\.txt lists a.*, but there is no such file\.$"):
        find_sources(tmp_path / "list.txt", tmp_path / "set")


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    touch(tmp_path, "one.mp4")
    (tmp_path / "list.txt").write_text("one.mp4\n", encoding="utf-8-sig")
    (one,) = find_sources(tmp_path / "list.txt", tmp_path / "set").videos
    assert one.name == "one.mp4"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_text("")
    with pytest.raises(InputError, match="is not valid text: rename") as caught:
        find_sources(tmp_path, tmp_path / "set")
    assert "caf" in str(caught.value) and str(caught.value).encode()


def test_keys_are_file_names_and_differ(tmp_path: Path) -> None:
    names = ["a b.mp4", "a/b.mp4", "a_b.mp4", "a_b.mov", "日本.mp4", "x" * 90 + ".mp4"]
    touch(tmp_path, *names)
    keys = [source.key for source in find_sources(tmp_path, tmp_path / "set").videos]
    assert len(set(keys)) == len(names)
    assert all(key.isascii() and len(key) <= 49 and "/" not in key for key in keys)
