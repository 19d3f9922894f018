"""Video files: every frame and its sound exactly in time, and no half-written file."""

from __future__ import annotations

import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from einops import repeat
from torch import Tensor

from musedance_core.audio.waveform import Waveform, load_waveform
from musedance_core.errors import InputError
from musedance_core.media.video import VIDEO_SUFFIXES, read_video, write_video

SIZE = (32, 48)


def coloured(frames: int) -> Tensor:
    """Frames of one colour each, all different."""
    ramp = torch.linspace(0.1, 0.9, frames)
    colours = torch.stack([ramp, 1 - ramp, (ramp * 3) % 1], dim=1)
    return repeat(colours, "f c -> f c h w", h=SIZE[0], w=SIZE[1])


def song(seconds: float, rate: int, channels: int = 2) -> Waveform:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((channels, round(seconds * rate) + 15))
    smooth = [np.convolve(row, np.hanning(16), "valid") for row in samples]
    return Waveform((0.05 * np.array(smooth)).astype(np.float32), rate)


def lag(truth: np.ndarray, sound: np.ndarray) -> int:
    size = 1 << (len(truth) + len(sound)).bit_length()
    peak = int(np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(truth, size))).argmax())
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_frames_are_read_back(tmp_path: Path, suffix: str) -> None:
    frames = coloured(53)
    path = tmp_path / f"dance{suffix}"
    write_video(path, frames.split(20), 12)
    back, fps = read_video(path)
    assert fps == 12 and back.dtype == torch.float32 and back.shape == frames.shape
    assert (back - frames).abs().max() < 0.03
    assert {p.name for p in tmp_path.iterdir()} == {path.name}


@pytest.mark.parametrize(
    ("frames", "fps", "rate", "channels"),
    [(53, 12, 44_100, 2), (1, 12, 48_000, 1), (31, 30_000 / 1001, 32_000, 2), (25, 25, 11_025, 1)],
)
def test_the_sound_lasts_as_long_as_the_frames(
    tmp_path: Path, frames: int, fps: float, rate: int, channels: int
) -> None:
    path = tmp_path / "dance.mp4"
    write_video(path, coloured(frames).split(7), fps, song(8, rate, channels))
    sound = load_waveform(path)
    assert abs(sound.samples.shape[1] - frames / fps * rate) <= 1
    assert sound.samples.shape[0] == channels
    with av.open(str(path)) as container:
        for stream in container.streams:
            assert stream.start_time == 0
            length = stream.duration * stream.time_base
            assert float(length) == pytest.approx(frames / fps, abs=1.5 / rate)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("start", [0.0, 1.37])
def test_frame_k_has_its_time_on_the_song_clock(tmp_path: Path, start: float, suffix: str) -> None:
    path, music = tmp_path / f"dance{suffix}", song(6, 44_100)
    frames = torch.zeros(48, 3, *SIZE)
    frames[30] = 1
    write_video(path, frames.split(9), 12, music, start)
    back, _ = read_video(path)
    assert back.mean(dim=(1, 2, 3)).argmax() == 30 and back[29].max() < 0.1 and back[31].max() < 0.1
    sound = load_waveform(path)
    truth, decoded = music.cut(start, 4).resampled(sound.sample_rate).samples[0], sound.samples[0]
    assert lag(truth, decoded) == 0 and len(truth) == len(decoded)
    assert np.corrcoef(truth, decoded)[0, 1] > 0.95
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert np.allclose(times, np.arange(48) / 12, atol=1e-3)


def test_beyond_the_end_of_the_song_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    write_video(path, [coloured(36)], 12, song(1, 44_100), 0.5)
    sound = load_waveform(path)
    assert sound.seconds == 3
    loud = np.abs(sound.samples[0])
    assert loud[:20_000].max() > 0.05 and loud[24_000:].max() < 1e-3


def test_a_sample_rate_that_aac_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    write_video(path, [coloured(12)], 12, song(1, 96_000))
    sound = load_waveform(path)
    assert sound.sample_rate == 48_000 and sound.seconds == 1


def test_the_index_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    write_video(path, [coloured(12)], 12, song(1, 44_100))
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_only_one_segment_is_held_at_a_time(tmp_path: Path) -> None:
    """A segment is requested only when the one before is encoded and can be freed."""
    segments_made: list[weakref.ref[Tensor]] = []

    def segments() -> Iterator[Tensor]:
        for _ in range(5):
            assert sum(reference() is not None for reference in segments_made) <= 1
            segment = torch.rand(4, 3, *SIZE)
            segments_made.append(weakref.ref(segment))
            yield segment

    write_video(tmp_path / "dance.mp4", segments(), 12)


def test_failures_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    path.write_text("the old video")

    def stopped() -> Iterator[Tensor]:
        yield coloured(12)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, stopped(), 12, song(1, 44_100))
    with pytest.raises(InputError, match="cannot be transparent"):
        write_video(path, [torch.zeros(2, 4, 32, 32)], 12)
    with pytest.raises(InputError, match="no frames to write"):
        write_video(path, [], 12, song(1, 44_100))
    with pytest.raises(InputError, match="directory"):
        write_video(tmp_path, [coloured(2)], 12)
    assert path.read_text() == "the old video" and list(tmp_path.iterdir()) == [path]


KILLED = """
import sys, time, torch
from musedance_core.media.video import write_video
def frames():
    while True:
        yield torch.rand(12, 3, 32, 48)
        print("written", flush=True)
write_video(sys.argv[1], frames(), 12)
"""


def test_a_kill_leaves_no_half_video(tmp_path: Path) -> None:
    path = tmp_path / "dance.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "written\n"
        time.sleep(0.05)
        process.kill()
    assert not path.exists()


def test_files_without_a_video_raise_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 99)
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    for name in ("missing.mp4", "text.mp4", "sound.wav"):
        with pytest.raises(InputError, match=name):
            read_video(tmp_path / name)


def test_frames_at_uneven_times_raise_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "phone.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height = SIZE[1], SIZE[0]
        for k, moment in enumerate((0, 1, 2, 9, 10, 11)):
            pixels = np.full((*SIZE, 3), 40 * k, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 12)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"phone\.mkv shows frames up to .* one frame rate"):
        read_video(path)
