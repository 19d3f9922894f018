"""Report: counts that add up, pictures of every clip, and no text that is taken for HTML."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.dataset.format import SPLITS, ClipRecord
from musedance_core.errors import InputError
from musedance_core.media.video import write_video
from musedance_core.preparation.histograms import histogram
from musedance_core.preparation.rejections import Rejection, UnusedInput
from musedance_core.preparation.report import SIDE, TILES, write_report

NASTY = "<script>alert(\"1\")</script> & 'so on'"


class Page(HTMLParser):
    """The tags that are still open, all tags, and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def record(i: int) -> ClipRecord:
    return ClipRecord(
        file_name=f"clips/v{i // 3}-{i:04d}.mp4",
        audio=f"clips/v{i // 3}-{i:04d}.wav",
        track=f"tracks/v{i // 3}.wav",
        start=4.0 * (i % 3),
        frames=48,
        fps=12,
        width=64,
        height=64,
        text=f"the dancer hops {i % 5} times",
        source=f"video {i // 3}.mp4",
        track_id=f"track-{i // 6 + 1:04d}",
        split=SPLITS[min(i // 6, 2)],
        tempo=90.0 + i,
        beats=(0.5, 1.0),
        downbeats=(0.5,),
        part_maps="",
        motion=0.01 + 0.001 * i,
        subject=(0.0, 0.0, 1.0, 1.0),
        content="0" * 64,
    )


def grey(folder: Path, clip: ClipRecord, indices: Sequence[int], size: int) -> Tensor:
    """Frame k is grey k / 48."""
    return (torch.tensor(indices) / 48)[:, None, None, None].expand(-1, 3, size, size)


def write_without_clips(
    folder: Path, records: Sequence[ClipRecord], rejected: Sequence[Rejection]
) -> Path:
    """A report on clips whose files do not exist."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("musedance_core.preparation.report.read_frames", grey)
        return write_report(folder, records, rejected)


def page(folder: Path, records: Sequence[ClipRecord], rejected: Sequence[Rejection] = ()) -> str:
    path = write_without_clips(folder, records, rejected)
    assert path == folder / "report.html"
    text = path.read_text(encoding="utf-8")
    assert not Page(text).open
    return text


def row(text: str, first: str) -> list[str]:
    """The cells of the first table row that starts with this cell, without tags."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", text, re.DOTALL)
    cells = [[re.sub(r"<[^>]*>", "", c) for c in re.split(r"</td>", r)[:-1]] for r in rows]
    return next(row_cells for row_cells in cells if row_cells[0] == first)


def pictures(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    return [np.asarray(Image.open(BytesIO(base64.b64decode(data)))) for data in found]


def test_the_counts_are_those_of_the_clips(tmp_path: Path) -> None:
    text = page(tmp_path, [record(i) for i in range(15)])
    assert "<h1>Data set</h1>" in text
    assert row(text, "train")[1:6] == ["6", "1", "6 (5 different)", "2", "0:00:24"]
    assert row(text, "validation")[1:5] == ["6", "1", "6 (5 different)", "2"]
    assert row(text, "test")[1:5] == ["3", "1", "3", "1"]
    assert row(text, "all")[1:] == ["15", "3", "15 (5 different)", "5", "0:01:00", "90 to 104"]


def test_every_clip_has_frames_from_the_first_to_the_last(tmp_path: Path) -> None:
    records = [record(i) for i in range(7)]
    text = page(tmp_path, records)
    strips = pictures(text)
    assert "All 7 clips." in text and len(strips) == 7
    for strip in strips:
        assert strip.shape == (SIDE, SIDE * TILES, 3)
        tiles = strip.reshape(SIDE, TILES, SIDE, 3).mean(axis=(0, 2, 3))
        assert tiles / 255 * 48 == pytest.approx([0, 12, 24, 35, 47], abs=0.6)
    for clip in records:
        assert clip.key in text and clip.text in text and clip.source in text


def test_of_many_clips_some_are_on_the_page(tmp_path: Path) -> None:
    text = page(tmp_path, [record(i) for i in range(1203)])
    assert "500 of 1,203 clips" in text and len(pictures(text)) == 500
    assert record(0).key in text and record(1202).key in text
    assert row(text, "all")[1] == "1,203"


def test_rejections_are_counted_by_kind(tmp_path: Path) -> None:
    rejected = [Rejection("a.mp4", 4.0 * i, f"still: motion 0.000{i}") for i in range(4)]
    rejected += [Rejection("b.mp4", 0.0, "sound: b.mp4 is silent")]
    text = page(tmp_path, [record(0)], rejected)
    assert row(text, "still")[1] == "4" and row(text, "sound")[1] == "1"
    assert row(text, "still")[2].startswith("a.mp4 at 0.0 s: motion 0.0000")
    assert "motion 0.0003" not in text
    assert text.index(">still<") < text.index(">sound<")


def test_unused_input_is_counted_by_kind_and_named(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("musedance_core.preparation.report.MAX_UNUSED", 3)
        patch.setattr("musedance_core.preparation.report.read_frames", grey)
        unused = [UnusedInput("caption", f"{i}.mp4", "is unused") for i in range(5)]
        unused.append(UnusedInput("other file", "caf\udce9.txt", "is unused"))
        text = write_report(tmp_path, [record(0)], [], unused).read_text(encoding="utf-8")
    assert row(text, "caption")[1:] == [
        "5",
        "0.mp4 is unused1.mp4 is unused2.mp4 is unusedand 2 more",
    ]
    assert row(text, "other file")[1:] == ["1", "caf\\udce9.txt is unused"]


def test_names_and_captions_are_escaped(tmp_path: Path) -> None:
    nasty = replace(record(0), text=NASTY, source=NASTY, track_id=NASTY, file_name="<script>.mp4")
    path = write_without_clips(tmp_path, [nasty], [Rejection(NASTY, 0.0, NASTY)])
    text = path.read_text(encoding="utf-8")
    read = Page(text)
    assert "script" not in {tag for tag, _ in read.tags} and not read.open
    assert read.text.count(NASTY) >= 5


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    text = page(tmp_path, [record(0)], [Rejection("a", 0.0, "still: 1")])
    for _, attributes in Page(text).tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in text and "@import" not in text


def test_a_clip_without_a_caption_says_so(tmp_path: Path) -> None:
    text = page(tmp_path, [replace(record(0), text="")])
    assert "no caption" in text and row(text, "all")[3] == "0"


def test_an_empty_data_set_has_a_report(tmp_path: Path) -> None:
    text = page(tmp_path, [])
    assert row(text, "all")[1:] == ["0", "0", "0", "0", "0:00:00", ""]


def test_pictures_are_read_from_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    clip = replace(record(0), frames=12)
    frames = torch.zeros(12, 3, 64, 64)
    frames[:, 0] = 1.0
    write_video(tmp_path / clip.file_name, [frames], 12)
    (strip,) = pictures(write_report(tmp_path, [clip], []).read_text())
    red, green, blue = strip.mean(axis=(0, 1))
    assert red > 200 and green < 40 and blue < 40
    (tmp_path / clip.file_name).unlink()
    with pytest.raises(InputError, match=re.escape(clip.file_name)):
        write_report(tmp_path, [clip], [])


@pytest.mark.parametrize(
    ("values", "whole"),
    [([1.0, 2.0, 2.5, 9.0], False), ([3.0], False), ([0.0, 0.0], False), ([1, 1, 7, 40, 83], True)],
)
def test_a_histogram_holds_every_value_once(values: list[float], whole: bool) -> None:
    figure = histogram(values, "Things & more", "a<b", whole)
    counts = re.findall(r"<title>[^<]*: (\d+)</title>", figure)
    assert sum(map(int, counts)) == len(values)
    assert "Things &amp; more" in figure and "a&lt;b" in figure
    heights = [float(h) for h in re.findall(r'<rect [^>]* height="([\d.]+)"', figure)]
    assert max(heights) > 0 and min(heights) >= 0
