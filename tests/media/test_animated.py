"""Animated GIF and WebP: every frame, at its time, repeated for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core.errors import InputError
from musedance_core.media.animated import GIF_TICK, WEBP_TICK, durations, gif_bytes, write_animated


def squares(frames: int) -> torch.Tensor:
    """A white square that moves to the right by two pixels a frame."""
    video = torch.zeros(frames, 3, 16, 64)
    for k in range(frames):
        video[k, :, 4:12, 2 * k : 2 * k + 8] = 1
    return video


def read_animated(path: Path) -> tuple[np.ndarray, list[int]]:
    pictures, times = [], []
    with Image.open(path) as file:
        assert file.info["loop"] == 0
        for k in range(file.n_frames):
            file.seek(k)
            file.load()
            times.append(int(file.info["duration"]))
            pictures.append(np.asarray(file.convert("RGB"), dtype=np.float32) / 255)
    return np.stack(pictures), times


@pytest.mark.parametrize(("suffix", "tick"), [(".gif", GIF_TICK), (".webp", WEBP_TICK)])
def test_every_frame_is_read_back_at_its_time(tmp_path: Path, suffix: str, tick: int) -> None:
    path, frames = tmp_path / f"dance{suffix}", squares(25)
    write_animated(path, frames.split(10), 12)
    pictures, times = read_animated(path)
    truth = frames.permute(0, 2, 3, 1).numpy()
    assert pictures.shape == truth.shape
    assert np.abs(pictures - truth).mean() < 0.02
    starts = np.cumsum([0, *times])
    assert np.abs(starts - np.arange(26) * 1000 / 12).max() <= tick / 2 + 1e-6
    assert {p.name for p in tmp_path.iterdir()} == {path.name}


def test_gif_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    path, frames = tmp_path / "dance.gif", squares(25)
    write_animated(path, iter([frames]), 12)
    assert gif_bytes(frames, 12) == path.read_bytes()


def test_rounding_errors_are_passed_on() -> None:
    assert durations(6, 12, 10) == [80, 90, 80, 80, 90, 80]
    assert sum(durations(1200, 12, 10)) == 100_000
    assert sum(durations(1199, 12, 1)) == round(1199 / 12 * 1000)


def test_without_frames_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "dance.gif"
    path.write_text("old")
    with pytest.raises(InputError, match="no frames to write"):
        write_animated(path, iter([torch.zeros(0, 3, 8, 8)]), 12)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
