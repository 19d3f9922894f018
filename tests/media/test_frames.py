"""Decoded frames: upright, in square pixels, and in time, whatever the file says of them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from musedance_core.audio.waveform import load_waveform
from musedance_core.errors import InputError
from musedance_core.media.frames import video_frames
from musedance_core.media.video import first_frame_seconds, read_video
from musedance_core.metrics.image import psnr
from musedance_core.streams import open_media

RATE = 48_000


def pictures(count: int, height: int = 32, width: int = 48) -> np.ndarray:
    """Smooth frames uint8 `[f h w 3]` without any symmetry, one brighter than the other."""
    y, x = np.mgrid[:height, :width]
    base = np.stack([4 * x, 6 * y, x + y], axis=-1)
    return np.stack([np.clip(base + 3 * k, 0, 255) for k in range(count)]).astype(np.uint8)


def write(
    path: Path,
    frames: np.ndarray,
    fps: int = 12,
    aspect: Fraction | None = None,
    sound: bool = False,
    times: np.ndarray | None = None,
) -> Path:
    """A video file without loss, with noise as its sound where `sound`."""
    transport = path.suffix == ".ts"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg2video" if transport else "libx264", rate=fps)
        video.height, video.width = frames.shape[1:3]
        if transport:
            video.pix_fmt, video.bit_rate = "yuv420p", 8_000_000
        else:
            video.pix_fmt, video.options = "yuv444p", {"qp": "0"}
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        if sound:
            audio: Any = container.add_stream("mp2", rate=RATE, layout="mono")
        for k, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = k if times is None else int(times[k])
            frame.time_base = Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound:
            rng = np.random.default_rng(len(frames))
            noise = rng.integers(-9999, 9999, (1, len(frames) * RATE // fps)).astype(np.int16)
            samples = av.AudioFrame.from_ndarray(noise, "s16", "mono")
            samples.sample_rate, samples.pts = RATE, 0
            container.mux(audio.encode(samples))
            container.mux(audio.encode(None))
    return path


def tag_rotation(path: Path, degrees: int) -> Path:
    """State in an MP4 file that its frames are shown turned clockwise by so many degrees."""
    data = bytearray(path.read_bytes())
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    matrix = (cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, *matrix)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_tag_gives_the_frames_of_a_video_stored_upright(
    tmp_path: Path, degrees: int
) -> None:
    frames = pictures(5)
    upright = write(tmp_path / "upright.mp4", frames)
    turned = np.rot90(frames, degrees // 90, axes=(1, 2))
    tagged = tag_rotation(write(tmp_path / "tagged.mp4", turned), degrees)
    truth, video = read_video(upright)[0], read_video(tagged)[0]
    assert truth.shape == (5, 3, 32, 48) and torch.equal(truth, video)
    assert psnr(video, truth) == psnr(truth, truth)


def test_wide_pixels_become_square(tmp_path: Path) -> None:
    path = write(tmp_path / "wide.mp4", pictures(3), aspect=Fraction(3, 2))
    video, _ = read_video(path)
    assert video.shape == (3, 3, 32, 72)
    narrow = torch.nn.functional.interpolate(video, (32, 48), mode="area") * 255
    truth = torch.from_numpy(pictures(3)).movedim(-1, 1).float()
    assert (narrow - truth).abs().mean() < 3


def test_joined_videos_play_one_after_the_other(tmp_path: Path) -> None:
    """Time stamps fall back where MPEG-TS files are joined."""
    parts = [write(tmp_path / f"{n}.ts", pictures(n), 25, sound=True) for n in (50, 75)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    alone = [read_video(part)[0] for part in parts]
    video, fps = read_video(joined)
    assert fps == 25 and torch.equal(video, torch.cat(alone))
    assert load_waveform(joined).seconds == pytest.approx(5, abs=0.06)
    with open_media(joined) as container:
        seconds = [frame.seconds for frame in video_frames(container)]
    start = first_frame_seconds(joined)
    assert np.allclose(np.diff(seconds), 0.04, atol=1e-3) and seconds[0] == start


def test_a_video_that_changes_its_size_raises_one_sentence(tmp_path: Path) -> None:
    parts = [write(tmp_path / f"{h}.ts", pictures(50, h), 25) for h in (32, 64)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(InputError, match=r"joined\.ts changes its size at 1\.96 s"):
        read_video(joined)


def test_a_damaged_video_is_refused_and_not_shortened(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3)).astype(np.uint8)
    path = write(tmp_path / "a.mp4", noise)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    with open_media(path) as container:
        assert 0 < len(list(video_frames(container))) < 9
    with pytest.raises(InputError, match=r"a\.mp4 cannot be read as a video"):
        read_video(path)
