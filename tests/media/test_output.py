"""Formats by name: sound, transparency, and folders of pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.audio.waveform import Waveform, load_waveform
from musedance_core.errors import InputError
from musedance_core.media.alpha import bleed_colours, flatten
from musedance_core.media.output import SUFFIXES, TRANSPARENT_SUFFIXES, write_output
from musedance_core.media.video import read_video

SONG = Waveform(np.random.default_rng(0).normal(0, 0.1, (1, 48_000)).astype(np.float32), 48_000)


def ring(frames: int, height: int = 48, width: int = 64) -> Tensor:
    """A red ring with soft edges that grows, black where it is not, `[f 4 h w]`."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    away = ((x - width / 2) ** 2 + (y - height / 2) ** 2).sqrt()
    alpha = torch.stack([(6 - (away - 12 - k).abs()).clamp(0, 2) / 2 for k in range(frames)])
    red = torch.tensor([0.8, 0.1, 0.2]).reshape(3, 1, 1)
    return torch.cat([red * (alpha[:, None] > 0), alpha[:, None]], dim=1)


def read_transparent(path: Path) -> Tensor:
    """The frames `[f 4 h w]` of a VP9 file with alpha, which only libvpx decodes."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.metadata["alpha_mode"] == "1"
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                assert frame.format.name == "yuva420p"
                frames.append(frame.reformat(format="rgba", src_colorspace="ITU709").to_ndarray())
    return torch.from_numpy(np.stack(frames)).movedim(-1, 1).float() / 255


@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_webm_holds_alpha_and_sound(tmp_path: Path, size: tuple[int, int]) -> None:
    path, frames = tmp_path / "dance.webm", ring(12, *size)
    write_output(path, frames.split(5), 24, SONG)
    back = read_transparent(path)
    assert back.shape[-2:] == (48, 64)
    back = back[..., : size[0], : size[1]]
    assert (back[:, 3] - frames[:, 3]).abs().mean() < 0.01
    for page in (0.0, 1.0):
        black, white = (flatten(video, torch.tensor(page)) for video in (back, frames))
        assert (black - white).abs().mean() < 0.02
    assert load_waveform(path).seconds == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("suffix", sorted(set(SUFFIXES) - set(TRANSPARENT_SUFFIXES)))
def test_other_videos_refuse_transparency(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dance{suffix}"
    with pytest.raises(InputError, match=r"cannot be transparent: .*--background") as error:
        write_output(path, [ring(2)], 24)
    assert str(path) in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("height", "width"), [(31, 48), (32, 49), (33, 47)])
def test_odd_sides(tmp_path: Path, suffix: str, height: int, width: int) -> None:
    """Videos repeat the last row and column; pictures have the size of the frames."""
    path = tmp_path / f"odd{suffix}"
    ramp = torch.linspace(0.2, 0.8, width).expand(5, 3, height, width)
    write_output(path, [ramp], 10)
    if suffix in (".gif", ".webp", ".png"):
        with Image.open(path) as picture:
            assert picture.size == (width, height)
        return
    back, _ = read_video(path)
    assert back.shape[-2:] == (height + height % 2, width + width % 2)
    assert (back[..., :height, :width] - ramp).abs().max() < 0.05
    assert (back[..., -1] - 0.8).abs().max() < 0.05


@pytest.mark.parametrize("channels", [3, 4])
def test_a_folder_of_pictures(tmp_path: Path, channels: int) -> None:
    frames, folder = ring(7)[:, :channels], tmp_path / "frames"
    write_output(f"{folder}/", frames.split(3), 24, SONG)
    assert [p.name for p in sorted(folder.iterdir())] == [f"frame_{k:05d}.png" for k in range(1, 8)]
    for frame, path in zip(frames, sorted(folder.iterdir()), strict=True):
        pixels = np.asarray(Image.open(path)).astype(np.float32) / 255
        assert np.abs(pixels - frame.permute(1, 2, 0).numpy()).max() < 0.002
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_is_not_empty_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("old")
    with pytest.raises(InputError, match="is not empty"):
        write_output(tmp_path, [ring(2)], 24)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    def stopped() -> object:
        yield ring(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_output(f"{tmp_path}/frames/", stopped(), 24)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no frames to write"):
        write_output(f"{tmp_path}/frames/", [], 24)
    (tmp_path / "empty").mkdir()
    write_output(tmp_path / "empty", [ring(1)], 24)
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]


def test_a_name_without_a_format_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.mp4 .* or in a slash"):
        write_output(tmp_path / "frames", [ring(1)], 24)


def test_colours_bleed_into_the_transparent_surroundings() -> None:
    picture = (ring(1)[0] * 255).round().byte()
    filled = bleed_colours(picture)
    visible = picture[3] > 0
    assert torch.equal(filled[3], picture[3])
    assert torch.equal(filled[:, visible], picture[:, visible])
    red = torch.tensor([204.0, 25.5, 51.0]).reshape(3, 1)
    assert (filled[:3, ~visible] - red).abs().max() < 3


def test_colours_bleed_to_their_own_side() -> None:
    picture = torch.zeros(4, 30, 62, dtype=torch.uint8)
    picture[0, :, 10:20], picture[1, :, 40:50] = 200, 100
    picture[3, :, 10:20] = picture[3, :, 40:50] = 255
    filled = bleed_colours(picture)
    assert (filled[0, :, 9] == 200).all() and (filled[1, :, 9] == 0).all()
    assert (filled[1, :, 50] == 100).all() and (filled[0, :, 50] == 0).all()
