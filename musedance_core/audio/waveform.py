"""Sound from files: decoded with PyAV, aligned by time, as float32 samples."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from ..errors import InputError

SHORTEST = 0.5
"""Seconds below which a sound is no song."""


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

    Samples are placed by their time stamps, so a codec's priming samples do not shift the song.

    Raises:
        InputError: no such file, not media, or no sound in it.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no song at {path}.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no sound.")
            return _decode(container, path)
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as sound: {error}.") from error


def _decode(container: object, path: Path) -> Waveform:
    import av

    stream = container.streams.audio[0]  # type: ignore[attr-defined]
    rate = int(stream.rate)
    layout = "mono" if stream.channels == 1 else "stereo"
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    pieces: list[np.ndarray] = []
    offset: float | None = None
    for frame in container.decode(stream):  # type: ignore[attr-defined]
        if offset is None:
            offset = float(frame.time or 0.0)
        for converted in resampler.resample(frame):
            pieces.append(converted.to_ndarray())
    for converted in resampler.resample(None):
        pieces.append(converted.to_ndarray())
    if not pieces:
        raise InputError(f"{path} has no sound.")
    samples = np.concatenate(pieces, axis=1).astype(np.float32)
    shift = round((offset or 0.0) * rate)
    samples = samples[:, -shift:] if shift < 0 else np.pad(samples, ((0, 0), (shift, 0)))
    return Waveform(samples, rate)


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
