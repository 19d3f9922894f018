"""Decoding: at k / fps every container, frame rate and rotation gives the frame of a player."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musedance_core.preparation.decoding import probe_seconds, read_thumbnails, sample_frames
from musedance_core.preparation.rejections import UnusableVideo


def greys(count: int, size: int = 64) -> np.ndarray:
    """Frame k has brightness 3 k + 20, with a lighter square in the upper left quarter."""
    frames = np.zeros((count, size, size + 32, 3), np.uint8)
    frames += (3 * np.arange(count) + 20).astype(np.uint8)[:, None, None, None]
    frames[:, :16, :16] = 250
    return frames


@pytest.mark.parametrize(
    ("name", "fps", "codec"),
    [
        ("a.mp4", 12, ""),
        ("a.mp4", 60, ""),
        ("a.mov", Fraction(24000, 1001), "mpeg4"),
        ("a.mkv", Fraction(30000, 1001), ""),
        ("a.webm", 25, ""),
        ("a.webm", 30, "libvpx-vp9"),
    ],
)
def test_the_nearest_frame_in_time(
    tmp_path: Path, studio: Any, name: str, fps: Fraction, codec: str
) -> None:
    path = studio.write(tmp_path / name, greys(72), fps, studio.noise(72 / fps), codec)
    thumbs = read_thumbnails(path, 12, 96, 96)
    seconds = (thumbs.first + np.arange(len(thumbs.numbers))) / 12
    assert thumbs.first == 0 and abs(len(seconds) - 72 / fps * 12) <= 1
    off_by = thumbs.numbers / float(fps) - seconds
    assert (np.abs(off_by[:-1]) <= 0.5 / float(fps) + 0.002).all()
    brightness = thumbs.filter_frames[:, 40, 60].mean(axis=1)
    assert np.abs(brightness - (3 * thumbs.numbers + 20)).max() < 2.5


def test_a_variable_frame_rate_follows_the_clock(tmp_path: Path, studio: Any) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.12, 60)) - 0.01
    path = studio.write(tmp_path / "a.mp4", greys(60), 30, studio.noise(4), times=times - times[0])
    thumbs = read_thumbnails(path, 12, 96, 96)
    seconds = np.arange(len(thumbs.numbers)) / 12
    nearest = np.abs(times[None] - times[0] - seconds[:, None]).argmin(axis=1)
    assert np.array_equal(thumbs.numbers, nearest)


def test_pictures_that_start_late_have_a_late_first_index(tmp_path: Path, studio: Any) -> None:
    times = 0.5 + np.arange(30) / 15
    path = studio.write(tmp_path / "a.mkv", greys(30), 15, studio.noise(3), times=times)
    thumbs = read_thumbnails(path, 12, 96, 96)
    assert thumbs.first == 6 and thumbs.numbers[0] == 0


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotated_pictures_are_upright(tmp_path: Path, studio: Any, turn: int) -> None:
    path = studio.write(tmp_path / "a.mp4", greys(6), 12, None, rotation=turn)
    thumbs = read_thumbnails(path, 12, 96, 48)
    wide = turn % 180 == 0
    assert thumbs.size == ((96, 64) if wide else (64, 96))
    assert thumbs.filter_frames.shape[1:3] == ((64, 96) if wide else (96, 64))
    assert thumbs.model_frames.shape[1:3] == ((32, 48) if wide else (48, 32))
    corners = thumbs.filter_frames[0][[4, 4, -4, -4], [4, -4, -4, 4]].mean(axis=1)
    assert corners.argmax() == turn // 90 and corners.max() > 230
    assert next(sample_frames(path, 12)).frame.pixels().shape[:2] == thumbs.filter_frames.shape[1:3]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_truncated_file_gives_the_frames_that_decode(
    tmp_path: Path, studio: Any, name: str
) -> None:
    path = studio.write(tmp_path / name, greys(72), 24, studio.noise(3))
    whole = read_thumbnails(path, 12, 96, 96)
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    part = read_thumbnails(path, 12, 96, 96)
    assert 5 < len(part.numbers) < len(whole.numbers)
    assert np.array_equal(part.filter_frames, whole.filter_frames[: len(part.filter_frames)])


def test_a_file_that_is_no_video_is_unusable(tmp_path: Path, studio: Any) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 99)
    (tmp_path / "empty.mp4").write_text("")
    path = studio.write(tmp_path / "cut.mp4", greys(30), 12, None)
    path.write_bytes(path.read_bytes()[:-500])
    for name in ("text.mp4", "empty.mp4", "cut.mp4"):
        for read in (probe_seconds, lambda path: read_thumbnails(path, 12, 96, 96)):
            with pytest.raises(UnusableVideo, match=r"^unreadable: "):
                read(tmp_path / name)


def test_the_length_comes_from_the_header(tmp_path: Path, studio: Any) -> None:
    path = studio.write(tmp_path / "a.mp4", greys(36), 12, studio.noise(3))
    assert probe_seconds(path) == pytest.approx(3, abs=0.1)
    with pytest.raises(UnusableVideo, match="no sound"):
        probe_seconds(studio.write(tmp_path / "b.mp4", greys(36), 12, None))
