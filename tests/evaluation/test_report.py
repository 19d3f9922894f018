from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from musedance_core.evaluation.measure import MeasuredClip, VideoFigures
from musedance_core.evaluation.options import EvaluationOptions
from musedance_core.evaluation.report.files import write_report
from musedance_core.evaluation.report.measures import MEASURES, TABLES
from musedance_core.evaluation.report.summary import Row, summarise
from musedance_core.metrics.beat_alignment import BeatTrack

ODD = 'it\'s <b> & 100% "odd" | name'
BEATS = 0.1 + 0.5 * np.arange(-2, 20)


def measured(name: str, row: int, psnr: float) -> MeasuredClip:
    energy = 0.1 + 0.05 * np.sin(np.arange(47))
    track = BeatTrack(np.array([0.6, 1.1]), BEATS, (0.1, 3.8))
    sample = VideoFigures({"psnr": psnr, "alignment": 0.5}, energy, track)
    truth = VideoFigures({"alignment": 1.0}, energy * 2, track)
    video = f"clips/{row:02d}/{name}.mp4"
    return MeasuredClip(name, 12, video, f"truth/{name}.mp4", name, BEATS, "", sample, truth)


def rows() -> list[Row]:
    first = [measured(name, 1, 21.5) for name in ("first", ODD)]
    second = [measured(name, 2, 18.25) for name in ("first", "third")]
    return [
        summarise("ours", "a.safetensors", first, ["sampled"]),
        summarise(ODD, "folder", second, ["read"]),
    ]


class Page(HTMLParser):
    """A parsed page: its links, its elements, and an error if they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.counts: dict[str, int] = {}
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def written(tmp_path: Path) -> Path:
    options = EvaluationOptions(("a.safetensors", "folder"), "out", command="musedance x")
    write_report(tmp_path, rows(), options)
    return tmp_path


def test_the_page_holds_every_clip_beside_its_truth_and_nothing_from_outside(written: Path) -> None:
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert page.open == []
    made = {f"clips/01/{name}.mp4" for name in ("first", ODD)}
    made |= {f"clips/02/{name}.mp4" for name in ("first", "third")}
    truth = {f"truth/{name}.mp4" for name in ("first", "third", ODD)}
    assert {unquote(link) for link in page.links} == made | truth
    assert page.counts["video"] == 4 + 3 and page.counts["svg"] == 4
    assert ODD in page.text and "musedance x" in page.text
    assert "http" not in (written / "index.html").read_text(encoding="utf-8")


def test_plots_show_beats_rests_and_both_curves(written: Path) -> None:
    page = Page((written / "index.html").read_text(encoding="utf-8"))
    assert page.counts["polyline"] == 4 * 2 and page.counts["polygon"] == 4 * 2
    assert (written / "index.html").read_text().count('class="beat" d') == 4 * 8


def test_the_tables_name_every_row_and_figure(written: Path) -> None:
    text = (written / "results.md").read_text(encoding="utf-8")
    for title in TABLES:
        assert f"## {title}" in text
    for measure in MEASURES.values():
        assert measure.label in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table_2 = lines[: 2 + 2]
    assert table_2[0].startswith("| Method | PSNR ↑ | SSIM ↑ | LPIPS ↓ | FVD ↓ |")
    assert table_2[2].startswith("| ours | 21.50") and "18.25" in table_2[3]
    assert "no backbone file given" in table_2[2]
    for line in table_2:
        assert line.replace("\\|", "").count("|") == table_2[0].count("|")


def test_the_results_hold_everything_again(written: Path) -> None:
    said = json.loads((written / "results.json").read_text(encoding="utf-8"))
    assert said["command"] == "musedance x" and said["options"]["sampling"]["seed"] == 0
    assert {"musedance", "torch", "numpy", "scikit-image"} <= said["versions"].keys()
    assert [row["label"] for row in said["rows"]] == ["ours", ODD]
    for row, made in zip(said["rows"], rows(), strict=True):
        assert row["figures"].keys() == MEASURES.keys() and row["n"] == len(row["clips"]) == 2
        assert row["figures"]["psnr"]["value"] == made.figures["psnr"].value
        for clip in row["clips"]:
            assert len(clip["sample"]["motion_energy"]) == 47
            assert clip["beats"] == pytest.approx(BEATS[(BEATS > 0) & (BEATS <= 4)].tolist())
            assert clip["sample"]["figures"]["psnr"] > 0 and clip["truth"]["figures"]


def test_nothing_else_is_left_in_the_folder(written: Path) -> None:
    assert {p.name for p in written.iterdir()} == {"results.json", "results.md", "index.html"}
