"""State of source videos: valid for the same files and options, and never when damaged."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from musedance_core.dataset.format import ClipRecord
from musedance_core.preparation.cutting import CutJob, cut_source
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.rejections import Rejection, UnusableVideo
from musedance_core.preparation.sources import SourceVideo
from musedance_core.preparation.state import (
    TRACK,
    SourceState,
    changed_options,
    load_source_state,
    save_source_state,
    source_stamp,
)

OPTIONS = ClipOptions(size=128)


@pytest.fixture
def source(tmp_path: Path) -> SourceVideo:
    (tmp_path / "a.mp4").write_text("")
    return SourceVideo("a.mp4", tmp_path / "a.mp4")


@pytest.fixture
def state_folder(tmp_path: Path, source: SourceVideo, clip_record: ClipRecord) -> Path:
    """The folder of a saved state with one clip and one rejection."""
    arrays = {clip_record.key: np.ones((2, 3)), TRACK: np.arange(6).reshape(3, 2)}
    state = SourceState((clip_record,), (Rejection("a.mp4", 4.0, "still: 0"),), arrays)
    save_source_state(tmp_path, source, source_stamp(source, OPTIONS), state)
    loaded = load_source_state(tmp_path, source, OPTIONS)
    assert loaded is not None and loaded.is_final
    assert (loaded.clips, loaded.rejected) == (state.clips, state.rejected)
    assert all(np.array_equal(loaded.arrays[name], array) for name, array in arrays.items())
    return tmp_path / ".prepare" / source.key


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"stamp": 3}', "\udcff"])
def test_a_damaged_state_is_no_state(
    tmp_path: Path, source: SourceVideo, state_folder: Path, damage: str
) -> None:
    (state_folder / "state.json").write_bytes(damage.encode(errors="surrogateescape"))
    assert load_source_state(tmp_path, source, OPTIONS) is None
    assert changed_options(tmp_path, OPTIONS) == []


@pytest.mark.parametrize("name", ["arrays.npz", "metadata.jsonl"])
def test_a_state_with_a_damaged_file_is_no_state(
    tmp_path: Path, source: SourceVideo, state_folder: Path, name: str
) -> None:
    path = state_folder / name
    path.write_bytes(path.read_bytes()[:-40])
    assert load_source_state(tmp_path, source, OPTIONS) is None


@pytest.mark.usefixtures("state_folder")
def test_other_options_need_another_state(tmp_path: Path, source: SourceVideo) -> None:
    other = replace(OPTIONS, size=64, fps=24)
    assert load_source_state(tmp_path, source, other) is None
    assert changed_options(tmp_path, other) == ["fps 12 -> 24", "size 128 -> 64"]


def test_the_stamp_depends_on_the_part_maps_and_the_cutting_version(
    tmp_path: Path, source: SourceVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "maps/a").mkdir(parents=True)
    options = replace(OPTIONS, maps=f"{tmp_path}/maps")
    stamps = [source_stamp(source, options)]
    (tmp_path / "maps/a/0.png").write_text("one")
    stamps.append(source_stamp(source, options))
    (tmp_path / "maps/a/0.png").write_text("other")
    stamps.append(source_stamp(source, options))
    assert stamps[-1] == source_stamp(source, options)
    monkeypatch.setattr("musedance_core.preparation.state.CUTTING_VERSION", "next")
    stamps.append(source_stamp(source, options))
    assert all(one != other for one, other in itertools.combinations(stamps, 2))


def test_a_video_that_changes_while_it_is_read_is_not_finished(
    tmp_path: Path, source: SourceVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changes(path: Path) -> float:
        path.write_text("another video")
        raise UnusableVideo("unreadable: it has no pictures")

    monkeypatch.setattr("musedance_core.preparation.cutting.probe_seconds", changes)
    cut_source(CutJob(source, tmp_path, OPTIONS))
    assert load_source_state(tmp_path, source, OPTIONS) is None
