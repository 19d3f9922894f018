from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.audio.beat_files import write_beats
from musedance_core.audio.beats import BeatGrid, regular_grid
from musedance_core.audio.waveform import Waveform
from musedance_core.errors import InputError
from musedance_core.evaluation import videos
from musedance_core.evaluation.clip import Clip
from musedance_core.evaluation.videos import match, video_clips
from musedance_core.media.video import first_frame_seconds, write_video

Draw = Callable[[np.ndarray], Tensor]
Clicks = Callable[[np.ndarray, float], Waveform]


@pytest.fixture
def folders(tmp_path: Path, draw: Draw) -> Path:
    """`made` and `truth`, each with the videos a and b."""
    for folder, start in (("made", 4), ("truth", 5)):
        (tmp_path / folder).mkdir()
        for name in "ab":
            frames = draw(start + 0.2 * np.arange(24))
            write_video(tmp_path / folder / f"{name}.mp4", [frames], 12)
    return tmp_path


def read(folders: Path, truth: str | None, beats: str | None = None) -> list[Clip]:
    (folders / "out").mkdir(exist_ok=True)
    pairs = match(str(folders / "made"), truth and str(folders / truth), beats)
    return list(video_clips(pairs, folders / "out", "clips/01"))


def test_videos_meet_their_truth_by_name_and_are_copied(folders: Path) -> None:
    (folders / "made" / "notes.txt").write_text("not a video")
    write_video(folders / "truth" / "more.mp4", [torch.zeros(9, 3, 32, 32)], 12)
    clips = read(folders, "truth")
    assert [clip.name for clip in clips] == ["a", "b"]
    for clip in clips:
        assert clip.truth is not None and clip.truth.shape == clip.frames.shape == (24, 3, 32, 32)
        assert clip.fps == 12 and torch.equal(clip.reference, clip.truth[0])
        source = folders / "made" / f"{clip.name}.mp4"
        assert (folders / "out" / clip.video).read_bytes() == source.read_bytes()
        assert clip.truth_video == f"truth/{clip.name}.mp4"
        assert (folders / "out" / clip.truth_video).is_file()
        assert clip.beats is None and clip.beats_from == "no source"


def test_without_truth_the_own_first_frame_is_the_reference(folders: Path) -> None:
    clip = read(folders, None)[0]
    assert clip.truth is None and clip.truth_video is None
    assert torch.equal(clip.reference, clip.frames[0])


def test_beats_come_from_one_file_or_from_one_each(folders: Path) -> None:
    one, each = folders / "beats.json", folders / "beats"
    each.mkdir()
    write_beats(one, regular_grid(120, 0.1, 4))
    write_beats(each / "a.json", regular_grid(90, 0.1, 4))
    write_beats(each / "b.csv", regular_grid(100, 0.1, 4))
    found = [clip.beats for clip in read(folders, None, str(one))]
    assert all(np.diff(beats).mean() == pytest.approx(0.5) for beats in found if beats is not None)
    found = [clip.beats for clip in read(folders, None, str(each))]
    periods = [float(np.diff(beats).mean()) for beats in found if beats is not None]
    assert periods == pytest.approx([60 / 90, 0.6], abs=1e-4)


def test_beats_come_from_the_sound_of_the_video_or_else_of_the_truth(
    folders: Path, draw: Draw, clicks: Clicks, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[float] = []

    def track(wave: Waveform) -> BeatGrid:
        heard.append(wave.seconds)
        return regular_grid(120, 0.1, wave.seconds)

    monkeypatch.setattr(videos, "track_beats", track)
    frames = draw(4 + 0.2 * np.arange(48))
    for place, name, beats in (
        ("made", "a", np.arange(0.5, 9, 0.5)),
        ("made", "b", np.zeros(0)),
        ("truth", "a", np.zeros(0)),
        ("truth", "b", np.arange(0.5, 9, 0.5)),
    ):
        write_video(folders / place / f"{name}.mp4", [frames], 12, clicks(beats, 4))
    clips = read(folders, "truth")
    assert [clip.beats_from for clip in clips] == ["the video's sound", "the truth's sound"]
    assert heard == pytest.approx([4, 4])
    for clip in clips:
        assert clip.beats is not None and np.diff(clip.beats) == pytest.approx(0.5)


def test_beats_are_counted_from_the_first_picture(
    folders: Path, draw: Draw, clicks: Clicks, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folders / "made" / "a.mp4"
    write_video(path, [draw(4 + 0.2 * np.arange(48))], 12, clicks(np.arange(0.5, 9, 0.5), 4))
    with av.open(str(path)) as whole, av.open(str(folders / "late.mkv"), "w") as late:
        copies = {s.index: late.add_stream_from_template(s) for s in whole.streams}
        for packet in whole.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                packet.pts += round(0.25 / packet.time_base)
                packet.dts += round(0.25 / packet.time_base)
            packet.stream = copies[packet.stream.index]
            late.mux(packet)
    assert first_frame_seconds(path) == pytest.approx(0, abs=0.001)
    assert first_frame_seconds(folders / "late.mkv") == pytest.approx(0.25, abs=0.06)
    monkeypatch.setattr(videos, "track_beats", lambda wave: regular_grid(120, 0.5, wave.seconds))
    heard = videos._tracked(folders / "late.mkv")
    assert heard is not None and np.abs(heard - 0.25).min() < 0.06


NOISE = torch.rand(24, 3, 32, 64, generator=torch.Generator().manual_seed(0))
SQUARE = NOISE[..., :32]
SPOILT: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no folder": (lambda made, truth: made.rename(made.parent / "gone"), "made"),
    "no videos": (lambda made, truth: emptied(made), "holds no videos"),
    "no common name": (lambda made, truth: emptied(truth, "x.mp4"), "No video in"),
    "one without truth": (lambda made, truth: (truth / "b.mp4").unlink(), "b.mp4 has no truth"),
    "two of a name": (lambda made, truth: write_video(made / "a.mkv", [SQUARE], 12), "a.mkv and"),
    "text": (lambda made, truth: (made / "b.mp4").write_text("text"), "b.mp4 cannot be read"),
    "size": (lambda made, truth: write_video(truth / "a.mp4", [NOISE], 12), "64 x 32"),
    "length": (lambda made, truth: write_video(truth / "a.mp4", [SQUARE[:20]], 12), "20 frames"),
    "rate": (lambda made, truth: write_video(truth / "a.mp4", [SQUARE], 24), "24 fps"),
    "short": (lambda made, truth: write_video(made / "a.mp4", [SQUARE[:3]], 12), "a.mp4 has 3"),
}


def emptied(folder: Path, *kept: str) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name in kept:
        (folder / name).write_text("a video")


@pytest.mark.parametrize("case", SPOILT)
def test_mismatches_are_named(folders: Path, case: str) -> None:
    spoil, said = SPOILT[case]
    spoil(folders / "made", folders / "truth")
    with pytest.raises(InputError, match=said) as raised:
        read(folders, "truth")
    assert str(raised.value).count("\n") == 0


def test_beats_that_do_not_fit_are_named(folders: Path) -> None:
    (folders / "beats").mkdir()
    with pytest.raises(InputError, match="no beats files"):
        read(folders, None, str(folders / "beats"))
    write_beats(folders / "beats" / "a.json", regular_grid(120, 0.1, 4))
    with pytest.raises(InputError, match=r"b\.mp4 has no beats"):
        read(folders, None, str(folders / "beats"))
    with pytest.raises(InputError, match=r"none\.json"):
        read(folders, None, str(folders / "none.json"))
