"""Video files: writing H.264 or VP9 with the song's sound, and reading, through PyAV.

VP9 in WebM can be transparent; H.264 cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
from ..files import atomic_path
from ..streams import open_media
from .alpha import bleed_colours
from .frames import video_frames
from .images import to_uint8

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
BT709, LIMITED = 1, 1
"""FFmpeg's numbers for the colours of HD video, stated in the file so that no player guesses."""
BITS_PER_CHANNEL = 96_000
"""Bits per second of each channel of sound."""


@dataclass(frozen=True)
class _Codecs:
    """Encoders of one container.

    Attributes:
        video: FFmpeg's name of the video encoder.
        options: options of the video encoder.
        sound: FFmpeg's name of the sound encoder.
        rates: sample rates in Hz that the sound encoder accepts, the best one last.
    """

    video: str
    options: dict[str, str]
    sound: str
    rates: tuple[int, ...]


# Constant rate factors whose loss is hardly visible: what is lost at 16 is lost to the halved
# resolution of colours. Without mbtree=0 x264 writes other bytes for the same small frames from
# run to run. The real-time mode of VP9 has the same quality in a quarter of the time.
H264 = _Codecs(
    "libx264",
    {"crf": "16", "x264-params": "mbtree=0"},
    "aac",
    (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
)
VP9 = _Codecs(
    "libvpx-vp9",
    {"crf": "18", "b": "0", "deadline": "realtime", "cpu-used": "6"},
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
    """Write frames with their sound, atomically and in bounded memory.

    Frame k shows at k / fps seconds, when the song is at `start` + k / fps. The sound lasts exactly
    as long as the frames, with silence beyond the song's ends.

    Args:
        path: ends in one of `VIDEO_SUFFIXES`; .webm files hold VP9 and Opus, others H.264 and AAC.
        chunks: float frames `[f 3 h w]` in 0..1, or `[f 4 h w]` with straight alpha for .webm, one
            segment after the other. Videos have even sides: the last row or column of an odd one
            is repeated.
        fps: frames per second.
        sound: the whole song, or None for a silent video.
        start: seconds of the song at which the video starts.

    Raises:
        InputError: transparent frames for another ending than .webm, no frame at all, or a target
            that cannot be written.
    """
    import av

    path = Path(path)
    codecs = VP9 if path.suffix.lower() == ".webm" else H264
    sound = None if sound is None else _encodable(sound, codecs.rates)
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w", options=_container_options(path, sound)) as container:
            rate = Fraction(fps).limit_denominator(1001)
            writer = _Writer(container, path, codecs, rate, sound, start)
            frames = writer.write(chunks)
        if frames == 0:
            raise InputError(f"There are no frames to write to {path}.")


def _container_options(path: Path, sound: Waveform | None) -> dict[str, str]:
    """Options of MP4: the index first, for browsers, and lengths in samples, not milliseconds."""
    if path.suffix.lower() in (".mkv", ".webm"):
        return {}
    scale = {} if sound is None else {"movie_timescale": str(sound.sample_rate)}
    return {"movflags": "+faststart", **scale}


class _Writer:
    """Encodes both streams of one container; the sound always reaches the end of the frames."""

    def __init__(
        self,
        container: Any,
        path: Path,
        codecs: _Codecs,
        fps: Fraction,
        sound: Waveform | None,
        start: float,
    ) -> None:
        self.container, self.path, self.codecs = container, path, codecs
        self.fps, self.sound, self.start = fps, sound, start
        self.frames = 0
        self.samples = 0
        self.video: Any = container.add_stream(codecs.video, rate=fps)
        self.video.options = codecs.options
        context = self.video.codec_context
        context.time_base = 1 / fps
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        self.audio: Any = None
        if sound is not None:
            layout = "mono" if len(sound.samples) == 1 else "stereo"
            self.audio = container.add_stream(codecs.sound, rate=sound.sample_rate, layout=layout)
            self.audio.bit_rate = BITS_PER_CHANNEL * len(sound.samples)

    def write(self, chunks: Iterable[Tensor]) -> int:
        """Encode all frames and their sound; returns the number of frames."""
        # Each chunk is encoded while the next one is made.
        with ThreadPoolExecutor(1, "encoder") as encoder:
            last = None
            for chunk in chunks:
                if last is not None:
                    last.result()
                last = encoder.submit(self.add, chunk)
            if last is not None:
                last.result()
        return self.finish()

    def add(self, chunk: Tensor) -> None:
        """Encode frames `[f c h w]` and their sound."""
        channels, height, width = chunk.shape[1:]
        if channels == 4 and self.codecs is not VP9:
            raise InputError(
                f"{self.path} cannot be transparent: give the video a background (--background "
                "COLOUR), or write .webm, .webp, .gif, .png or a folder of pictures."
            )
        odd = (height % 2, width % 2)  # 2 x 2 pixels share one colour
        if self.frames == 0:
            self.video.width, self.video.height = width + odd[1], height + odd[0]
            self.video.pix_fmt = "yuva420p" if channels == 4 else "yuv420p"
        for frame in chunk:  # one by one, in the processor's cache
            pixels = to_uint8(frame)
            filled = bleed_colours(pixels) if channels == 4 else pixels
            image = rearrange(filled, "c h w -> h w c").numpy()
            if any(odd):
                image = np.pad(image, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
            self.container.mux(self.video.encode(self._picture(image)))
            self.frames += 1
        self._add_sound()

    def finish(self) -> int:
        """Flush both encoders; returns the number of frames."""
        if self.frames:
            self.container.mux(self.video.encode(None))
            if self.audio is not None:
                self.container.mux(self.audio.encode(None))
        return self.frames

    def _picture(self, image: np.ndarray) -> Any:
        import av

        source = "rgba" if image.shape[-1] == 4 else "rgb24"
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=source)
        picture = picture.reformat(format=self.video.pix_fmt, dst_colorspace="ITU709")
        picture.pts, picture.time_base = self.frames, 1 / self.fps
        return picture

    def _add_sound(self) -> None:
        """Encode sound up to the end of the last frame, to the sample."""
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
    """The sound within -1..1, with one or two channels, at its own rate or the last of `rates`."""
    rate = sound.sample_rate if sound.sample_rate in rates else rates[-1]
    mixed = sound if len(sound.samples) <= 2 else sound.mono()
    resampled = mixed.resampled(rate)
    return Waveform(np.clip(resampled.samples, -1, 1).astype(np.float32), rate)


def first_frame_seconds(path: str | Path) -> float:
    """Seconds from the beginning of playing, where the sound starts too, to the first frame.

    Raises:
        InputError: as `read_video`.
    """
    with _open_video(Path(path)) as container:
        first = next(video_frames(container), None)
    return 0.0 if first is None else first.seconds


def read_video(path: str | Path) -> tuple[Tensor, float]:
    """All frames `[f 3 h w]` in 0..1 of a video file, and its frames per second.

    Frames are upright and have square pixels, as players show them.

    Raises:
        InputError: no such file, not media, no pictures in it, frames at uneven times or of several
            sizes.
    """
    path = Path(path)
    images: list[np.ndarray] = []
    times: list[float] = []
    with _open_video(path) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        for frame in video_frames(container, strict=True):
            images.append(frame.pixels())
            times.append(frame.seconds)
            if images[-1].shape != images[0].shape:
                raise InputError(f"{path} changes its size at {frame.seconds:.2f} s.")
    if not images or fps <= 0:
        raise InputError(f"{path} has no pictures.")
    # Frame k must show at k / fps, or the dance would not be on the beats that are counted so.
    offset = np.abs(np.array(times) - times[0] - np.arange(len(times)) / fps).max()
    if offset > 1 / fps:
        raise InputError(
            f"{path} shows frames up to {offset:.2f} s off {fps:g} a second: give it one frame "
            f"rate."
        )
    pixels = torch.from_numpy(np.stack(images))
    return rearrange(pixels, "f h w c -> f c h w").float() / 255, fps


@contextmanager
def _open_video(path: Path) -> Iterator[Any]:
    """The container of a video file; errors of decoding within become one sentence."""
    import av

    if not path.is_file():
        raise InputError(f"There is no video at {path}.")
    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no pictures.")
            yield container
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read as a video: {error.strerror}.") from error
