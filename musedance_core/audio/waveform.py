"""Sound from files: decoded with PyAV, aligned by time, as float32 samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from ..errors import InputError
from ..files import media_start, open_media

SHORTEST = 0.5
"""Seconds below which a sound is no song."""
JITTER = 0.02
"""Seconds by which a time stamp may differ from the samples before it without meaning a gap."""


@dataclass(frozen=True)
class Waveform:
    """Sound as `samples` float32 `[channels n]` in -1..1 at `sample_rate` Hz."""

    samples: np.ndarray
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1]) / self.sample_rate

    def mono(self) -> Waveform:
        """The mean of all channels, `[1 n]`."""
        return Waveform(self.samples.mean(axis=0, keepdims=True), self.sample_rate)

    def resampled(self, rate: int) -> Waveform:
        """The same sound at `rate` Hz (polyphase filter)."""
        if rate == self.sample_rate:
            return self
        divisor = gcd(rate, self.sample_rate)
        up, down = rate // divisor, self.sample_rate // divisor
        return Waveform(resample_poly(self.samples, up, down, axis=1).astype(np.float32), rate)

    def cut(self, start: float, seconds: float) -> Waveform:
        """`seconds` of sound from `start` on, silence where there is none."""
        first = round(start * self.sample_rate)
        count = round(seconds * self.sample_rate)
        piece = self.samples[:, max(first, 0) : max(first + count, 0)]
        before = min(max(-first, 0), count)
        after = count - before - piece.shape[1]
        return Waveform(np.pad(piece, ((0, 0), (before, after))), self.sample_rate)


def load_waveform(path: str | Path) -> Waveform:
    """Decode the sound of any audio or video file at its native rate, one or two channels.

    Samples are placed by their time stamps, counted from the file's beginning as players do: a
    codec's priming samples do not shift the song, and gaps are silence.

    Raises:
        InputError: no such file, not media, or no sound in it.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no song at {path}.")
    try:
        with open_media(path) as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no sound.")
            if container.streams.audio[0].codec_context is None:
                raise InputError(f"{path} has sound of a kind that cannot be decoded.")
            waveform = _decode(container)
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read as sound: {error.strerror}.") from error
    if waveform is None:
        raise InputError(f"{path} has no sound that can be decoded.")
    return waveform


def _decode(container: Any) -> Waveform | None:
    """The first sound stream, or None where nothing in it can be decoded."""
    stream = container.streams.audio[0]
    rate, channels = int(stream.rate), min(stream.channels, 2)
    begin = media_start(container)
    pieces: list[tuple[int, np.ndarray]] = []
    end = 0
    for frame, piece in _converted(container, stream, rate, "mono" if channels == 1 else "stereo"):
        at = end if frame.time is None else round((frame.time - begin) * rate)
        # Time stamps are coarse in some formats: only what they cannot explain is a gap.
        at = at if abs(at - end) > rate * JITTER or not pieces else end
        pieces.append((at, piece))
        end = at + piece.shape[1]
    if not pieces:
        return None
    return Waveform(_assembled(pieces, channels, _length(stream, rate, end, frame.samples)), rate)


def _converted(
    container: Any, stream: Any, rate: int, layout: str
) -> Iterator[tuple[Any, np.ndarray]]:
    """Every frame with its samples `[channels n]`; damaged packets are passed over."""
    import av

    form = None
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            if form != (frame.format.name, frame.layout.name, frame.sample_rate):
                form = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            for converted in resampler.resample(frame):
                yield frame, converted.to_ndarray()


def _length(stream: Any, rate: int, end: int, last: int) -> int:
    """Samples of the sound: `end`, less what only fills the codec's `last` frame."""
    if stream.duration is None:
        return end
    told = round(float(stream.duration * stream.time_base) * rate)
    return told if 0 < end - told < last else end


def _assembled(pieces: list[tuple[int, np.ndarray]], channels: int, length: int) -> np.ndarray:
    """Pieces at their places in `[channels length]`, silence between them."""
    samples = np.zeros((channels, length), dtype=np.float32)
    for at, piece in pieces:
        skipped = max(-at, 0)
        kept = piece[:, skipped : max(length - at, 0)]
        samples[:, at + skipped : at + skipped + kept.shape[1]] = kept
    return samples


def require_music(wave: Waveform, name: str) -> None:
    """Refuse what nobody can dance to.

    Raises:
        InputError: the sound called `name` is empty, too short or silent.
    """
    if wave.seconds < SHORTEST:
        raise InputError(f"{name} lasts {wave.seconds:.2f} s; a song needs {SHORTEST} s at least.")
    if not np.isfinite(wave.samples).all():
        raise InputError(f"{name} holds samples that are not numbers.")
    if np.abs(wave.samples).max() < 1e-4:
        raise InputError(f"{name} is silent.")
