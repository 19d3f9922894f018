"""Unused input: captions, part maps and files that no clip uses are named with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from musedance_core.dataset.format import ClipRecord
from musedance_core.preparation.build import BuildSettings, build
from musedance_core.preparation.captions.caption_file import CaptionFile, read_captions
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.part_maps import unused_part_maps
from musedance_core.preparation.sources import SourceVideo, find_sources

SOURCES = [SourceVideo(name, Path(name)) for name in ("a.mp4", "more/b.mov", "silent.mp4")]


@pytest.fixture
def clips(clip_record: ClipRecord) -> list[ClipRecord]:
    """Two clips of a.mp4 and one of more/b.mov; silent.mp4 has none."""
    names = ((SOURCES[0], "0000000"), (SOURCES[0], "0004000"), (SOURCES[1], "0000000"))
    return [
        replace(clip_record, file_name=f"clips/{source.key}-{start}.mp4", source=source.name)
        for source, start in names
    ]


def reasons(captions: dict[str, str], clips: list[ClipRecord]) -> dict[str, str]:
    return {item.name: item.reason for item in CaptionFile(captions).unused(clips, SOURCES)}


@pytest.mark.parametrize("name", ["more/b.mov", "more/b", "b.mov", "b"])
def test_captions_under_any_name_of_a_video_are_used(clips: list[ClipRecord], name: str) -> None:
    assert reasons({name: "it hops"}, clips) == {}


def test_a_caption_of_one_clip_and_one_of_its_video_are_both_used(clips: list[ClipRecord]) -> None:
    assert reasons({clips[0].key: "it hops", "a.mp4": "it sways"}, clips) == {}


def test_unused_captions_are_named_with_the_reason(clips: list[ClipRecord]) -> None:
    left_out = f"{SOURCES[2].key}-0000000.mp4"
    captions = {
        "a.mp4": "it hops",
        "a": "it sways",
        "A.mp4": "it spins",
        "silent": "it waves",
        left_out: "it bows",
    }
    assert reasons(captions, clips) == {
        "a": "matches only clips that have captions under more exact names",
        "A.mp4": "matches no clip and no video",
        "silent": "matches a video without clips",
        left_out: "is not among the clips of silent.mp4",
    }


def test_a_repeated_line_is_named(tmp_path: Path, clips: list[ClipRecord]) -> None:
    line = '{"file_name": "a.mp4", "text": "it hops"}\n'
    (tmp_path / "captions.jsonl").write_text(2 * line)
    captions = read_captions(tmp_path / "captions.jsonl")
    assert captions.captions(clips) == ["it hops", "it hops", ""]
    (item,) = captions.unused(clips, SOURCES)
    assert (item.name, item.reason) == ("a.mp4", "repeats an earlier line")


def test_unused_part_maps_are_named_with_the_reason(
    tmp_path: Path, clips: list[ClipRecord]
) -> None:
    names = [
        "a/frame-0.png",
        "a/frame-99.png",  # perhaps of a frame that no clip shows
        "a/notes.txt",
        "a/last.png",
        "more/b/0.png",
        "silent/0.png",
        "silnt/0.png",
        "7.png",
        ".hidden/0.png",
        "a/.DS_Store",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    marked = [replace(clips[0], part_maps="maps/a.npz"), *clips[1:]]
    unused = unused_part_maps(SOURCES, ClipOptions(maps=str(tmp_path)), marked)
    assert {Path(item.name).relative_to(tmp_path).as_posix(): item.reason for item in unused} == {
        "7.png": "is not FOLDER/VIDEO/FRAME_NUMBER.png",
        "a/last.png": "is not FOLDER/VIDEO/FRAME_NUMBER.png",
        "a/notes.txt": "is not FOLDER/VIDEO/FRAME_NUMBER.png",
        "more/b": "marks nobody in the clips of its video",
        "silent": "belongs to a video without clips",
        "silnt": "belongs to no video",
    }
    assert unused_part_maps(SOURCES, ClipOptions(), marked) == []


def test_videos_with_one_folder_of_part_maps_may_use_it_in_turn(
    tmp_path: Path, clips: list[ClipRecord]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/0.png").write_text("")
    marked = [replace(clips[0], part_maps="maps/a.npz")]
    twin = SourceVideo("a.mov", Path("a.mov"))
    for sources in ([SOURCES[0], twin], [twin, SOURCES[0]]):
        assert unused_part_maps(sources, ClipOptions(maps=str(tmp_path)), marked) == []


def test_a_build_counts_and_names_unused_input(tmp_path: Path, studio: Any) -> None:
    videos, maps, dataset = tmp_path / "videos", tmp_path / "maps", tmp_path / "set"
    for folder in (videos, maps / "dance", maps / "dnace"):
        folder.mkdir(parents=True)
    studio.write(videos / "dance.mp4", studio.dancer(13, 64, 64, 12), 12, studio.noise(1.1))
    (videos / "<i>notes.txt").write_text("")
    ids = np.zeros((32, 32), np.uint8)
    ids[8:28, 10:22] = 2
    for k in range(13):
        Image.fromarray(ids).save(maps / f"dance/{k}.png")
        Image.fromarray(ids).save(maps / f"dnace/{k}.png")
    captions = tmp_path / "captions.jsonl"
    lines = [f'{{"file_name": "{name}", "text": "it hops"}}' for name in ("dance", "dnace.mp4")]
    captions.write_text("\n".join(lines))
    options = ClipOptions(seconds=1, size=48, maps=str(maps))
    settings = BuildSettings(options, shares=(1.0, 0.0, 0.0))
    result = build(find_sources(videos, dataset), dataset, settings, read_captions(captions))
    assert [clip.text for clip in result.clips] == ["it hops"] and result.clips[0].part_maps
    assert (
        "1 other files ignored; 2 inputs not used (caption 1, part maps 1), see report.html."
        in result.summary()
    )
    report = (dataset / "report.html").read_text()
    assert "dnace.mp4 matches no clip and no video" in report
    assert f"{maps}/dnace belongs to no video" in report
    assert "&lt;i&gt;notes.txt is not a video by the ending of its name" in report
