"""Building a data set from video files, end to end."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from einops import rearrange

from musedance_core.audio.waveform import Waveform
from musedance_core.dataset.format import ClipRecord, read_metadata, verify_splits
from musedance_core.dataset.reading import (
    content_hash,
    read_frames,
    read_part_maps,
    read_sound,
    read_track,
)
from musedance_core.errors import InputError
from musedance_core.preparation import workers
from musedance_core.preparation.build import BuildResult, BuildSettings, build
from musedance_core.preparation.cutting import CutJob
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.sources import find_sources
from musedance_core.preparation.workers import cut_sources
from musedance_core.world.clips import World
from musedance_core.world.songs import Song

OPTIONS = ClipOptions(size=128)
SETTINGS = BuildSettings(OPTIONS, shares=(0.6, 0.2, 0.2))


def prepare(videos: Path, dataset: Path, settings: BuildSettings = SETTINGS) -> BuildResult:
    return build(find_sources(videos, dataset), dataset, settings, None)


class Dancers:
    """Puppets of the dance world, with their music."""

    def __init__(self) -> None:
        self.world = World("test", size=96, seed=5, mixture={"puppet": 1}, moves=["hop", "sway"])
        self.batch = self.world.clips(range(4), frames=60)

    def frames(self, i: int, fps: float, size: int = 96) -> np.ndarray:
        """Five seconds at `fps`, uint8 `[f h w 3]`."""
        indices = (torch.arange(int(5 * fps)) / float(fps) * 12).round().long().clamp(max=59)
        scaled = F.interpolate(self.batch.frames[i], size=size, mode="bilinear").clamp(0, 1)
        return rearrange(scaled[indices] * 255, "f c h w -> f h w c").round().byte().numpy()

    def song(self, i: int) -> Song:
        return self.world.song(self.batch.song_indices[i])

    def sound(self, i: int) -> Waveform:
        return self.song(i).wave.cut(self.batch.starts[i], 5)


@pytest.fixture(scope="module")
def dancers() -> Dancers:
    return Dancers()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, studio: Any, dancers: Dancers) -> Path:
    """A folder with one video of every kind."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "more").mkdir()
    frames, cinema = dancers.frames, Fraction(24000, 1001)
    studio.write(folder / "a.mp4", frames(0, 12), 12, dancers.sound(0))
    studio.write(folder / "b.mov", frames(1, cinema), cinema, dancers.sound(1), "mpeg4")
    studio.write(folder / "c.webm", frames(2, 60), 60, dancers.sound(2))
    rotated = np.rot90(frames(3, 25), 1, (1, 2))
    studio.write(folder / "more/d.mp4", rotated, 25, dancers.sound(3), rotation=90)
    studio.write(folder / "e again.mp4", frames(0, 30, 112), 30, dancers.sound(0), "mpeg4")
    studio.write(folder / "g silent.mp4", frames(1, 12), 12, None)
    two = np.concatenate([frames(2, 12), frames(3, 12)], axis=2)
    studio.write(folder / "h two.mp4", two, 12, dancers.sound(1))
    studio.write(folder / "i still.mp4", np.repeat(frames(1, 12)[:1], 60, 0), 12, dancers.sound(1))
    cut = studio.write(folder / "j cut short.mp4", frames(1, 12), 12, dancers.sound(1))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (folder / "k text.mp4").write_text("no video\n" * 99)
    (folder / "notes.md").write_text("ignored")
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, videos: Path) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "dances"
    built = prepare(videos, folder)
    kinds = Counter(rejection.kind for rejection in built.rejected)
    assert kinds == {
        "duplicate": 1,
        "no sound": 1,
        "several subjects": 1,
        "still": 1,
        "unreadable": 2,
    }
    assert built.summary().startswith("4 clips") and "1 other files ignored" in built.summary()
    return folder


def by_source(folder: Path) -> dict[str, ClipRecord]:
    return {record.source: record for record in read_metadata(folder)}


def test_every_good_video_gives_a_clip(dataset: Path) -> None:
    records = by_source(dataset)
    assert list(records) == ["a.mp4", "b.mov", "c.webm", "more/d.mp4"]
    verify_splits(records.values())
    assert {record.split for record in records.values()} == {"train", "validation", "test"}
    assert len({record.track_id for record in records.values()}) == 4
    for record in records.values():
        assert (record.frames, record.fps, record.width, record.height) == (48, 12, 128, 128)
        assert record.content == content_hash(dataset / record.file_name, dataset / record.track)
        assert read_frames(dataset, record, range(48), 32).shape == (48, 3, 32, 32)
        assert read_track(dataset, record).seconds == pytest.approx(5, abs=0.1)
        assert 0.002 < record.motion < 0.2
    files = {p.relative_to(dataset).as_posix() for p in dataset.rglob("*.*") if p.is_file()}
    listed = {n for r in records.values() for n in (r.file_name, r.audio, r.track)}
    assert {f for f in files if not f.startswith(".")} == listed | {"metadata.jsonl", "report.html"}


def test_a_clip_shows_its_crop_of_the_source_at_its_time(dataset: Path, dancers: Dancers) -> None:
    for i, record in enumerate(by_source(dataset).values()):
        left, top, right, bottom = record.subject
        rows = slice(round(top * 96), round(bottom * 96))
        columns = slice(round(left * 96), round(right * 96))
        first = round(record.start * 12)
        truth = dancers.batch.frames[i][first : first + 48, :, rows, columns]
        scaled = F.interpolate(truth, size=64, mode="bilinear")
        frames = read_frames(dataset, record, range(48), 64)
        assert (frames - scaled).abs().mean() < 0.02
        for late in (-1, 1):
            error = (frames[2:46] - scaled[2 + late : 46 + late]).abs().mean()
            assert error > 1.15 * (frames - scaled)[2:46].abs().mean()


def test_beats_and_sound_are_those_of_the_song(dataset: Path, dancers: Dancers) -> None:
    for i, record in enumerate(by_source(dataset).values()):
        song, start = dancers.song(i), dancers.batch.starts[i]
        truth = song.grid.times - start
        inside = [beat for beat in record.beats if 0.5 < beat < 4.5]
        gaps = [np.abs(truth - beat).min() for beat in inside]
        expected = ((truth > 0.5) & (truth < 4.5)).sum()
        assert abs(len(inside) - expected) <= 1 and np.median(gaps) < 0.04
        clip = read_sound(dataset / record.audio)
        expected = song.wave.mono().resampled(16_000).cut(start + record.start, 4)
        assert clip.samples.shape == (1, 64_000)
        assert np.corrcoef(clip.samples[0], expected.samples[0])[0, 1] > 0.95


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".prepare" not in path.parts
    }


def test_a_finished_source_is_not_cut_again(
    tmp_path: Path, videos: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = tmp_path / "again"
    shutil.copytree(dataset, again)
    before = snapshot(again)
    monkeypatch.setattr("musedance_core.preparation.workers.cut_source", _never)
    prepare(videos, again)
    assert snapshot(again) == before
    next(again.glob("clips/a-*.mp4")).unlink()
    with pytest.raises(AssertionError, match=r"a\.mp4 was cut"):
        prepare(videos, again)


def _never(job: Any) -> None:
    raise AssertionError(f"{job.source.name} was cut")


def test_missing_clips_and_states_are_made_again(
    tmp_path: Path, videos: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deleted clip and a missing state make their videos be cut again, and no others."""
    again, cut = tmp_path / "again", []
    shutil.copytree(dataset, again)
    before = snapshot(again)
    next(again.glob("clips/a-*.mp4")).unlink()
    next(again.glob(".prepare/b-*/state.json")).unlink()
    plain: Callable[[Any], None] = workers.cut_source
    monkeypatch.setattr(
        workers, "cut_source", lambda job: (cut.append(job.source.name), plain(job))
    )
    prepare(videos, again)
    assert sorted(cut) == ["a.mp4", "b.mov"]
    assert snapshot(again) == before


def relocate(dataset: Path, old: Path, new: Path) -> None:
    """Change the folder of the videos in the states, as if they had been cut there."""
    for path in dataset.glob(".prepare/*/state.json"):
        content = json.loads(path.read_text())
        content["stamp"]["path"] = content["stamp"]["path"].replace(str(old), str(new))
        path.write_text(json.dumps(content))


def test_the_clips_of_a_removed_video_leave_the_data_set(
    tmp_path: Path, videos: Path, dataset: Path
) -> None:
    """The clips of its copy, duplicates until then, take their place."""
    again, fewer = tmp_path / "again", tmp_path / "fewer"
    shutil.copytree(dataset, again)
    shutil.copytree(videos, fewer)
    (fewer / "a.mp4").unlink()
    relocate(again, videos, fewer)
    prepare(fewer, again)
    assert list(by_source(again)) == ["b.mov", "c.webm", "e again.mp4", "more/d.mp4"]
    assert not list(again.glob("[!.]*/a-*")) and len(list(again.glob("clips/e-again-*.mp4"))) == 1


def test_sources_stay_in_their_split_when_one_is_added(
    tmp_path: Path, videos: Path, dataset: Path, studio: Any
) -> None:
    """For any seed and shares; the new source comes before them in order."""
    again, more = tmp_path / "again", tmp_path / "more"
    shutil.copytree(dataset, again)
    shutil.copytree(videos, more)
    relocate(again, videos, more)
    studio.write(more / "0 new.mp4", studio.dancer(60, fps=12, seed=77), 12, studio.noise(5, 77))
    before = {name: record.split for name, record in by_source(again).items()}
    for seed in range(3):
        prepare(more, again, BuildSettings(OPTIONS, shares=(0.1, 0.1, 0.8), seed=seed))
        after = {name: record.split for name, record in by_source(again).items()}
        assert after.pop("0 new.mp4") == "test" and after == before


def test_a_crashed_video_is_tried_again_in_the_next_run(
    tmp_path: Path, studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.write(tmp_path / "a.mp4", studio.dancer(13, 64, 64, 12), 12, studio.noise(1.1))
    settings = BuildSettings(ClipOptions(seconds=1, size=48), shares=(1.0, 0.0, 0.0))

    def crash(jobs: list[CutJob], _: int) -> None:
        for job in jobs:
            workers._record_crash(job)

    with monkeypatch.context() as patch:
        patch.setattr("musedance_core.preparation.build.cut_sources", crash)
        result = prepare(tmp_path, tmp_path / "set", settings)
    assert [rejection.kind for rejection in result.rejected] == ["crash"] and not result.clips
    result = prepare(tmp_path, tmp_path / "set", settings)
    assert not result.rejected and len(result.clips) == 1


def test_two_processes_cut_the_same_clips(
    tmp_path: Path, videos: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musedance_core.preparation.build.cut_sources", cut_sources)
    listed = tmp_path / "some.txt"
    names = ["more/d.mp4", "k text.mp4"]
    listed.write_text("".join(f"{name}\n" for name in names))
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(videos / name, tmp_path / name)
    built = prepare(listed, tmp_path / "set", BuildSettings(OPTIONS, 2, (1.0, 0.0, 0.0)))
    (clip,) = built.clips
    expected = by_source(dataset)["more/d.mp4"]
    assert clip == replace(expected, split="train", track_id=clip.track_id)
    assert [rejection.kind for rejection in built.rejected] == ["unreadable"]


def test_flashes_and_clicks_coincide_in_the_clips(tmp_path: Path, studio: Any) -> None:
    """At 29.97 frames a second, with codecs that delay the sound, and in a container whose clock
    does not start at 0."""
    times = np.array([0.7, 1.45, 2.3, 3.65])
    fps = Fraction(30000, 1001)
    names = ("a.mp4", "b.webm", "c.ts")
    count = round(4.3 * fps)
    films = [studio.dancer(count, 64, 64, float(fps), seed=9 * i) for i in range(len(names))]
    samples = np.zeros((1, round(4.3 * 32_000)), np.float32)
    for time in times:
        first = round(time * fps)
        for frames in films:
            frames[first : first + 3] = frames[first : first + 3] // 2 + 127
        begin = round(first / fps * 32_000)
        samples[0, begin : begin + 600] = np.sin(np.arange(600) / 4) * 0.9
    videos = tmp_path / "videos"
    videos.mkdir()
    for name, frames in zip(names, films, strict=True):
        studio.write(videos / name, frames, fps, Waveform(samples, 32_000))
    prepare(videos, tmp_path / "set", BuildSettings(ClipOptions(size=64), shares=(1.0, 0.0, 0.0)))
    records = read_metadata(tmp_path / "set")
    assert [record.source for record in records] == list(names)
    for record in records:
        light = read_frames(tmp_path / "set", record, range(48), 32).mean(dim=(1, 2, 3)).numpy()
        flashes = np.flatnonzero((light[1:] > 0.6) & (light[:-1] < 0.6)) + 1
        sound = read_sound(tmp_path / "set" / record.audio).samples[0]
        loud = np.flatnonzero(np.abs(sound) > 0.3)
        clicks = loud[np.r_[True, np.diff(loud) > 2000]] / 16_000
        assert len(flashes) == len(clicks) == 4
        assert np.abs(flashes / 12 - clicks).max() <= 0.5 / 12 + 1 / 30


def test_part_maps_are_cropped_like_the_frames(tmp_path: Path, studio: Any) -> None:
    """The model gives id 7 where a picture is red."""
    red = tmp_path / "red.pt"
    torch.jit.script(_Red()).save(str(red))
    frames = np.repeat(studio.room(96, 160)[None] // 2, 52, axis=0)
    for k, frame in enumerate(frames):
        top = 30 + round(8 * np.sin(k))
        frame[top : top + 40, 100:125] = (255, 0, 0)
    videos = tmp_path / "videos"
    videos.mkdir()
    studio.write(videos / "a.mp4", frames, 12, studio.noise(52 / 12))
    options = replace(OPTIONS, densepose=str(red))
    prepare(videos, tmp_path / "set", BuildSettings(options, shares=(1.0, 0.0, 0.0)))
    (record,) = read_metadata(tmp_path / "set")
    frames = read_frames(tmp_path / "set", record, range(48), 64)
    maps = read_part_maps(tmp_path / "set", record, range(48), 64)
    assert maps is not None and set(maps.unique().tolist()) == {0, 7}
    truth = (frames[:, 0] > 0.6) & (frames[:, 1] < 0.3)
    overlap = (truth & (maps == 7)).sum() / (truth | (maps == 7)).sum()
    assert overlap > 0.85 and record.subject[0] > 0.3


class _Red(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return ((images[:, 0] > 0.6) & (images[:, 1] < 0.3)).long() * 7


def test_a_part_model_that_cannot_be_used_stops_the_run(tmp_path: Path, studio: Any) -> None:
    path = tmp_path / "identity.pt"
    torch.jit.script(torch.nn.Identity()).save(str(path))
    studio.write(tmp_path / "a.mp4", studio.dancer(60, fps=12), 12, studio.noise(5))
    options = replace(OPTIONS, densepose=str(path))
    with pytest.raises(InputError, match="must return integer ids"):
        prepare(tmp_path, tmp_path / "set", BuildSettings(options))


def test_folders_with_other_content_are_left_alone(tmp_path: Path, videos: Path) -> None:
    (tmp_path / "file").write_text("")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "metadata.jsonl").write_text("")
    for name in ("file", "foreign"):
        with pytest.raises(InputError, match=name):
            prepare(videos, tmp_path / name)
    assert [p.name for p in foreign.iterdir()] == ["metadata.jsonl"]
