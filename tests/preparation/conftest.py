"""Video files for the tests: dancers in any container, codec, frame rate and rotation."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from musedance_core.audio.waveform import Waveform
from musedance_core.dataset.format import ClipRecord
from musedance_core.preparation import workers
from musedance_core.preparation.cutting import CutJob

RATE = 32_000
CODECS = {".webm": ("libvpx", "libopus"), ".avi": ("mpeg4", "libmp3lame")}


class Studio:
    """Makes videos for the tests."""

    @staticmethod
    def write(
        path: Path,
        frames: np.ndarray,
        fps: float | Fraction,
        sound: Waveform | None,
        codec: str = "",
        rotation: int = 0,
        times: np.ndarray | None = None,
    ) -> Path:
        """Write frames uint8 `[f h w 3]` at `fps` or at `times`, with the sound from its start."""
        default, audio_codec = CODECS.get(path.suffix, ("libx264", "aac"))
        rate = Fraction(fps).limit_denominator(1001)
        scale = Fraction(1, 90_000)
        with av.open(str(path), "w") as container:
            video: Any = container.add_stream(codec or default, rate=rate)
            video.height, video.width = frames.shape[1:3]
            video.pix_fmt = "yuv420p"
            video.bit_rate = 4_000_000
            video.codec_context.time_base = scale if times is not None else 1 / rate
            audio: Any = None
            if sound is not None:
                audio = container.add_stream(audio_codec, rate=48_000, layout="mono")
            for k, pixels in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                picture.pts, picture.time_base = k, 1 / rate
                if times is not None:
                    picture.pts, picture.time_base = round(float(times[k] / scale)), scale
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
            if sound is not None:
                _encode_sound(container, audio, sound.resampled(48_000))
        if rotation:
            _turn(path, rotation)
        return path

    @staticmethod
    def noise(seconds: float, seed: int = 0) -> Waveform:
        """Noise that differs for every seed, so that no two videos share their music."""
        rng = np.random.default_rng(seed)
        return Waveform(
            0.1 * rng.standard_normal((1, round(seconds * RATE))).astype(np.float32), RATE
        )

    @staticmethod
    def room(height: int, width: int, seed: int = 0) -> np.ndarray:
        """A background uint8 `[h w 3]` of soft shapes."""
        rng = np.random.default_rng(seed)
        soft = gaussian_filter(rng.standard_normal((height, width, 3)), (height / 8, width / 8, 0))
        low, high = soft.min(), soft.max()
        return (40 + 170 * (soft - low) / (high - low)).astype(np.uint8)

    @staticmethod
    def dancer(
        frames: int,
        height: int = 128,
        width: int = 128,
        fps: float = 24.0,
        centre: float = 0.5,
        seed: int = 0,
        scene: np.ndarray | None = None,
    ) -> np.ndarray:
        """A textured body that hops and sways around `centre` (a share of the width)."""
        pictures = np.repeat(
            (Studio.room(height, width, seed) if scene is None else scene)[None], frames, 0
        )
        body = np.asarray(
            Image.fromarray(
                np.random.default_rng(seed + 1).integers(0, 255, (6, 3, 3), dtype=np.uint8)
            ).resize((height // 5, height // 2), Image.Resampling.NEAREST)
        )
        for k, picture in enumerate(pictures):
            beat = 2 * np.pi * 2 * k / fps
            left = round(centre * width - body.shape[1] / 2 + 0.08 * height * np.sin(beat / 2))
            top = round(0.35 * height - 0.1 * height * abs(np.sin(beat / 2)))
            picture[top : top + body.shape[0], left : left + body.shape[1]] = body
        return pictures


@pytest.fixture(autouse=True, scope="package")
def one_process() -> Iterator[None]:
    """Cut in the process of the tests: starting another one takes seconds."""

    def cut(jobs: Sequence[CutJob], _: int) -> None:
        for job in jobs:
            workers.cut_source(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("musedance_core.preparation.build.cut_sources", cut)
        yield


@pytest.fixture(scope="session")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="session")
def clip_record() -> ClipRecord:
    """The record of a clip of a/dance.mov."""
    return ClipRecord(
        file_name="clips/dance-1.mp4",
        audio="clips/dance-1.wav",
        track="tracks/dance.wav",
        start=0,
        frames=48,
        fps=12,
        width=64,
        height=64,
        text="",
        source="a/dance.mov",
        track_id="track-0001",
        split="train",
        tempo=120,
        beats=(0, 0.5),
        downbeats=(0,),
        part_maps="",
        motion=0.1,
        subject=(0, 0, 1, 1),
        content="",
    )


def _encode_sound(container: Any, stream: Any, sound: Waveform) -> None:
    samples = np.clip(sound.mono().samples, -1, 1).astype(np.float32)
    resampler = av.AudioResampler(stream.format.name, "mono", 48_000)
    frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    for piece in resampler.resample(frame):
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def _turn(path: Path, degrees: int) -> None:
    """Write a rotation in degrees clockwise into the first track of an MP4 file."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    values = (cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, matrix, *values)
    path.write_bytes(data)
