"""Animated GIF, WebP and PNG: every frame, at its time, transparent, repeated for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core.errors import InputError
from musedance_core.media.animated import (
    ANIMATED_SUFFIXES,
    GIF_TICK,
    MATTE,
    WEBP_TICK,
    gif_bytes,
    start_time,
    write_animated,
)
from musedance_core.media.output import TRANSPARENT_SUFFIXES


def squares(frames: int) -> torch.Tensor:
    """A white square that moves to the right by two pixels a frame."""
    video = torch.zeros(frames, 3, 16, 64)
    for k in range(frames):
        video[k, :, 4:12, 2 * k : 2 * k + 8] = 1
    return video


def read_animated(path: Path) -> tuple[np.ndarray, list[float]]:
    pictures, times = [], []
    with Image.open(path) as file:
        assert file.info["loop"] == 0
        for k in range(file.n_frames):
            file.seek(k)
            file.load()
            times.append(float(file.info["duration"]))
            pictures.append(np.asarray(file.convert("RGBA"), dtype=np.float32) / 255)
    return np.stack(pictures), times


def disc(frames: int) -> torch.Tensor:
    """A red disc with soft edges that moves to the right over nothing, `[f 4 32 64]`."""
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(64.0), indexing="ij")
    alpha = torch.stack(
        [
            (10 - ((x - 14 - 2 * k) ** 2 + (y - 16) ** 2).sqrt()).clamp(0, 3) / 3
            for k in range(frames)
        ]
    )
    colours = torch.zeros(frames, 3, 32, 64)
    colours[:, 0] = (alpha > 0) * 0.9
    return torch.cat([colours, alpha[:, None]], dim=1)


def over(pictures: np.ndarray, colour: float) -> np.ndarray:
    """RGBA `[f h w 4]` on a page of one grey."""
    alpha = pictures[..., 3:]
    result: np.ndarray = pictures[..., :3] * alpha + colour * (1 - alpha)
    return result


@pytest.mark.parametrize(
    ("suffix", "tick"), [(".gif", GIF_TICK), (".webp", WEBP_TICK), (".png", 1e-3)]
)
def test_every_frame_is_read_back_at_its_time(tmp_path: Path, suffix: str, tick: float) -> None:
    path, frames = tmp_path / f"dance{suffix}", squares(25)
    write_animated(path, frames.split(10), 12)
    pictures, times = read_animated(path)
    truth = frames.permute(0, 2, 3, 1).numpy()
    assert pictures[..., :3].shape == truth.shape
    assert (pictures[..., 3] == 1).all() and np.abs(pictures[..., :3] - truth).mean() < 0.02
    starts = np.cumsum([0, *times])
    assert np.abs(starts - np.arange(26) * 1000 / 12).max() <= tick / 2 + 1e-6
    assert {p.name for p in tmp_path.iterdir()} == {path.name}


def test_gif_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    path, frames = tmp_path / "dance.gif", squares(25)
    write_animated(path, iter([frames]), 12)
    assert gif_bytes(frames, 12) == path.read_bytes()


def test_rounding_errors_are_passed_on() -> None:
    assert [start_time(k, 12, 10) for k in range(7)] == [0, 80, 170, 250, 330, 420, 500]
    assert start_time(1200, 12, 10) == 100_000
    assert start_time(1199, 12, 1) == round(1199 / 12 * 1000)


@pytest.mark.parametrize(("suffix", "loss"), [(".webp", 0.02), (".png", 1e-3)])
def test_soft_edges_look_the_same_on_every_page(tmp_path: Path, suffix: str, loss: float) -> None:
    path, frames = tmp_path / f"sticker{suffix}", disc(12)
    write_animated(path, frames.split(5), 24)
    pictures, _ = read_animated(path)
    truth = frames.permute(0, 2, 3, 1).numpy()
    assert np.abs(pictures[..., 3] - truth[..., 3]).max() < 0.005
    for page in (0.0, 1.0):
        assert np.abs(over(pictures, page) - over(truth, page)).mean() < loss


def test_a_gif_is_clear_or_opaque_and_its_edge_is_mixed_with_the_matte(tmp_path: Path) -> None:
    path, frames = tmp_path / "sticker.gif", disc(12)
    write_animated(path, frames.split(5), 24)
    pictures, _ = read_animated(path)
    truth = frames.permute(0, 2, 3, 1).numpy()
    opaque = truth[..., 3] >= 0.5
    assert np.array_equal(pictures[..., 3], opaque.astype(np.float32))
    on_matte = over(truth, MATTE[0] / 255)
    assert np.abs(pictures[..., :3] - on_matte)[opaque].max() < 0.1


def test_black_is_not_taken_for_clear(tmp_path: Path) -> None:
    frames = torch.zeros(2, 4, 16, 16)
    frames[:, 3, 4:12] = 1
    frames[1, 3, 4:6] = 0
    write_animated(tmp_path / "black.gif", [frames], 10)
    pictures, _ = read_animated(tmp_path / "black.gif")
    assert np.array_equal(pictures[..., 3], frames[:, 3].numpy())
    assert not pictures[pictures[..., 3] > 0][:, :3].any()


def test_a_still_area_has_one_colour_in_all_frames_of_a_gif(tmp_path: Path) -> None:
    frames = torch.rand(1, 3, 24, 48, generator=torch.Generator().manual_seed(0)).repeat(9, 1, 1, 1)
    for k in range(9):
        frames[k, :, 8:16, 4 * k : 4 * k + 8] = torch.tensor([k / 9, 0.5, 1 - k / 9])[:, None, None]
    write_animated(tmp_path / "still.gif", frames.split(4), 20)
    pictures, _ = read_animated(tmp_path / "still.gif")
    assert (pictures[:, :8] == pictures[:1, :8]).all()


@pytest.mark.parametrize("suffix", ANIMATED_SUFFIXES)
def test_a_dancer_who_rests_shows_for_as_long(tmp_path: Path, suffix: str) -> None:
    frames = disc(8)[torch.tensor([0, 1, 2, 2, 2, 2, 3, 3])]
    write_animated(tmp_path / f"rest{suffix}", [frames], 10)
    pictures, times = read_animated(tmp_path / f"rest{suffix}")
    assert sum(times) == pytest.approx(800)
    starts = np.cumsum([0, *times])
    shown = np.searchsorted(starts, np.arange(8) * 100 + 50) - 1
    assert np.abs(pictures[shown, ..., 3] - frames[:, 3].numpy()).max() <= 0.5


def test_a_gif_has_a_highest_frame_rate(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fast\.gif can show at most 50 frames a second, not 60"):
        write_animated(tmp_path / "fast.gif", [squares(3)], 60)
    assert not list(tmp_path.iterdir())


def test_every_animated_format_can_be_transparent() -> None:
    assert set(ANIMATED_SUFFIXES) < set(TRANSPARENT_SUFFIXES)


def test_without_frames_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "dance.gif"
    path.write_text("old")
    with pytest.raises(InputError, match="no frames to write"):
        write_animated(path, iter([torch.zeros(0, 3, 8, 8)]), 12)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
