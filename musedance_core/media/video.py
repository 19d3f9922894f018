"""Videos from and to files: H.264 with the song's sound as AAC, through PyAV."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..audio.waveform import Waveform
from ..errors import InputError
from ..files import atomic_path, media_start, open_media

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
BT709, LIMITED = 1, 1
"""FFmpeg's numbers for the colours of HD video, said in the file so that no player guesses."""


@dataclass(frozen=True)
class _Codecs:
    """Encoders of pictures and sound, options of the former, and the rates the latter knows."""

    video: str
    options: dict[str, str]
    sound: str
    rates: tuple[int, ...]


# A constant rate factor at which next to no loss is seen. Without mbtree=0 x264 gives other bytes
# for the same small frames from run to run.
H264 = _Codecs(
    "libx264",
    {"crf": "16", "x264-params": "mbtree=0"},
    "aac",
    (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
)
VP9 = _Codecs(
    "libvpx-vp9",
    {"crf": "18", "b": "0", "deadline": "good", "cpu-used": "4"},
    "libopus",
    (8000, 12000, 16000, 24000, 48000),
)


def write_video(
    path: str | Path,
    chunks: Iterable[Tensor],
    fps: float,
    sound: Waveform | None = None,
    start: float = 0.0,
) -> None:
    """Write frames and the sound that belongs to them, atomically and in bounded memory.

    Frame k shows at k / fps seconds, when the song is at `start` + k / fps. The sound lasts exactly
    as long as the frames; beyond the song's ends it is silence.

    Args:
        path: ends in one of `VIDEO_SUFFIXES`; in .webm are VP9 and Opus, else H.264 and AAC.
        chunks: float frames `[f 3 h w]` in 0..1, one segment after the other; h and w even.
        fps: frames per second.
        sound: the whole song, or None for a silent video.
        start: where in the song the video starts, in seconds.

    Raises:
        InputError: an odd size, no frame at all, or a target that cannot be written.
    """
    import av

    path = Path(path)
    codecs = VP9 if path.suffix.lower() == ".webm" else H264
    sound = None if sound is None else _encodable(sound, codecs.rates)
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w", options=_container_options(path, sound)) as container:
            rate = Fraction(fps).limit_denominator(1001)
            writer = _Writer(container, codecs, rate, sound, start)
            for chunk in chunks:
                writer.add(chunk)
            frames = writer.finish()
        if frames == 0:
            raise InputError(f"There is not one frame to write to {path}.")


def _container_options(path: Path, sound: Waveform | None) -> dict[str, str]:
    """An index in front, for browsers; and lengths counted in samples, not in milliseconds."""
    if path.suffix.lower() in (".mkv", ".webm"):
        return {}
    scale = {} if sound is None else {"movie_timescale": str(sound.sample_rate)}
    return {"movflags": "+faststart", **scale}


class _Writer:
    """Both streams of one container; sound is kept level with the frames written so far."""

    def __init__(
        self, container: Any, codecs: _Codecs, fps: Fraction, sound: Waveform | None, start: float
    ) -> None:
        self.container, self.fps, self.sound, self.start = container, fps, sound, start
        self.frames = 0
        self.samples = 0
        self.video: Any = container.add_stream(codecs.video, rate=fps)
        self.video.pix_fmt = "yuv420p"
        self.video.options = codecs.options
        context = self.video.codec_context
        context.time_base = 1 / fps
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        self.audio: Any = None
        if sound is not None:
            layout = "mono" if len(sound.samples) == 1 else "stereo"
            self.audio = container.add_stream(codecs.sound, rate=sound.sample_rate, layout=layout)
            self.audio.bit_rate = 96_000 * len(sound.samples)

    def add(self, chunk: Tensor) -> None:
        """Encode frames `[f 3 h w]` and the sound under them."""
        height, width = chunk.shape[-2:]
        if height % 2 or width % 2:
            raise InputError(f"A video's sides must be even, got {width}x{height} pixels.")
        if self.frames == 0:
            self.video.width, self.video.height = width, height
        pixels = rearrange(chunk.detach().float().clamp(0, 1) * 255, "f c h w -> f h w c")
        for image in pixels.round().byte().cpu().numpy():
            self.container.mux(self.video.encode(self._picture(image)))
            self.frames += 1
        self._add_sound()

    def finish(self) -> int:
        """Flush both encoders; the number of frames written."""
        if self.frames:
            self.container.mux(self.video.encode(None))
            if self.audio is not None:
                self.container.mux(self.audio.encode(None))
        return self.frames

    def _picture(self, image: np.ndarray) -> Any:
        import av

        picture = av.VideoFrame.from_ndarray(image, format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
        picture.pts, picture.time_base = self.frames, 1 / self.fps
        return picture

    def _add_sound(self) -> None:
        """Sound up to the end of the last frame, to the sample."""
        import av

        if self.sound is None:
            return
        rate = self.sound.sample_rate
        end = round(self.frames / self.fps * rate)
        first = round(self.start * rate) + self.samples
        piece = self.sound.cut(first / rate, (end - self.samples) / rate).samples
        if piece.shape[1] == 0:
            return
        layout = "mono" if len(piece) == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, self.samples, Fraction(1, rate)
        self.container.mux(self.audio.encode(frame))
        self.samples = end


def _encodable(sound: Waveform, rates: tuple[int, ...]) -> Waveform:
    """The sound within -1..1, one or two channels, at one of `rates`, else the last of them."""
    rate = sound.sample_rate if sound.sample_rate in rates else rates[-1]
    kept = sound if len(sound.samples) <= 2 else sound.mono()
    moved = kept.resampled(rate)
    return Waveform(np.clip(moved.samples, -1, 1).astype(np.float32), rate)


def begins(path: str | Path) -> float:
    """Seconds from a video's beginning, from where its sound is counted, to its first picture.

    Raises:
        InputError: as `read_video`.
    """
    import av

    try:
        with open_media(path) as container:
            first = next(container.decode(video=0), None)
            start = media_start(container)
    except (av.FFmpegError, IndexError) as error:
        raise InputError(f"{path} cannot be read as a video: {error}.") from error
    return 0.0 if first is None or first.time is None else first.time - start


def read_video(path: str | Path) -> tuple[Tensor, float]:
    """All frames `[f 3 h w]` in 0..1 of a video file, and its frames per second.

    Raises:
        InputError: no such file, not media, no pictures in it, or frames at uneven times.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no video at {path}.")
    images: list[np.ndarray] = []
    times: list[float] = []
    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no pictures.")
            stream = container.streams.video[0]
            fps = float(stream.average_rate or stream.guessed_rate or 0)
            for frame in container.decode(stream):
                images.append(frame.to_ndarray(format="rgb24"))
                times.append(math.nan if frame.time is None else frame.time)
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read as a video: {error}.") from error
    if not images or fps <= 0:
        raise InputError(f"{path} has no pictures.")
    late = np.abs(np.array(times) - times[0] - np.arange(len(times)) / fps).max()
    if late > 1 / fps:
        raise InputError(
            f"{path} shows frames up to {late:.2f} s off {fps:g} a second: give it one frame rate."
        )
    pixels = torch.from_numpy(np.stack(images))
    return rearrange(pixels, "f h w c -> f c h w").float() / 255, fps
