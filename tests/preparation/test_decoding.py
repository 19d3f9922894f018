"""Frames by time: every container, rate and turn shows at k / fps what a player shows then."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musedance_core.preparation.decoding import frames_by_time, probe, read_film
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
    film = read_film(path, 12, 96, 96)
    seconds = (film.first + np.arange(len(film.numbers))) / 12
    assert film.first == 0 and abs(len(seconds) - 72 / fps * 12) <= 1
    off_by = film.numbers / float(fps) - seconds
    assert (np.abs(off_by[:-1]) <= 0.5 / float(fps) + 0.002).all()
    shown = film.thumbs[:, 40, 60].mean(axis=1)
    assert np.abs(shown - (3 * film.numbers + 20)).max() < 2.5


def test_an_uneven_rate_keeps_to_the_clock(tmp_path: Path, studio: Any) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.12, 60)) - 0.01
    path = studio.write(tmp_path / "a.mp4", greys(60), 30, studio.noise(4), times=times - times[0])
    film = read_film(path, 12, 96, 96)
    seconds = np.arange(len(film.numbers)) / 12
    nearest = np.abs(times[None] - times[0] - seconds[:, None]).argmin(axis=1)
    assert np.array_equal(film.numbers, nearest)


def test_pictures_that_start_late_start_late(tmp_path: Path, studio: Any) -> None:
    times = 0.5 + np.arange(30) / 15
    path = studio.write(tmp_path / "a.mkv", greys(30), 15, studio.noise(3), times=times)
    film = read_film(path, 12, 96, 96)
    assert film.first == 6 and film.numbers[0] == 0


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_pictures_stand_upright(tmp_path: Path, studio: Any, turn: int) -> None:
    path = studio.write(tmp_path / "a.mp4", greys(6), 12, None, rotation=turn)
    film = read_film(path, 12, 96, 48)
    wide = turn % 180 == 0
    assert film.size == ((96, 64) if wide else (64, 96))
    assert film.thumbs.shape[1:3] == ((64, 96) if wide else (96, 64))
    assert film.views.shape[1:3] == ((32, 48) if wide else (48, 32))
    corners = film.thumbs[0][[4, 4, -4, -4], [4, -4, -4, 4]].mean(axis=1)
    assert corners.argmax() == turn // 90 and corners.max() > 230
    assert next(frames_by_time(path, 12)).frame.pixels().shape[:2] == film.thumbs.shape[1:3]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_of_a_truncated_file_comes_what_decodes(tmp_path: Path, studio: Any, name: str) -> None:
    path = studio.write(tmp_path / name, greys(72), 24, studio.noise(3))
    whole = read_film(path, 12, 96, 96)
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    part = read_film(path, 12, 96, 96)
    assert 5 < len(part.numbers) < len(whole.numbers)
    assert np.array_equal(part.thumbs, whole.thumbs[: len(part.thumbs)])


def test_what_is_no_video_says_so(tmp_path: Path, studio: Any) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 99)
    (tmp_path / "empty.mp4").write_text("")
    path = studio.write(tmp_path / "cut.mp4", greys(30), 12, None)
    path.write_bytes(path.read_bytes()[:-500])
    for name in ("text.mp4", "empty.mp4", "cut.mp4"):
        for read in (probe, lambda path: read_film(path, 12, 96, 96)):
            with pytest.raises(UnusableVideo, match=r"^unreadable: "):
                read(tmp_path / name)


def test_the_duration_is_told(tmp_path: Path, studio: Any) -> None:
    path = studio.write(tmp_path / "a.mp4", greys(36), 12, studio.noise(3))
    assert probe(path) == pytest.approx(3, abs=0.1)
    with pytest.raises(UnusableVideo, match="no sound"):
        probe(studio.write(tmp_path / "b.mp4", greys(36), 12, None))
