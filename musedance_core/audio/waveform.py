"""Sound from files: decoded with PyAV, aligned by time, as float32 samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..streams import StreamClock, decode_stream, media_start, open_media
from .resampling import resample

SHORTEST = 0.5
"""Seconds that a song lasts at least."""
HIGHEST_RATE = 768_000
"""Highest sample rate in Hz; a file that states more is damaged."""
MOST_SILENCE = 3600
"""Seconds of all gaps in a song together; a file that states more is damaged."""
INAUDIBLE = 1e-4
"""Amplitude below which sound counts as silence."""
LOUDEST = 1e10
"""Amplitude that no sample reaches, not even where integers of 32 bits are stored as they are."""
CANCELLED = 0.2
"""Share of the loudest channel's power below which the mean of the channels lost too much of it. A
sound in one channel alone has 0.25."""
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

    @property
    def is_silent(self) -> bool:
        """True if no sample reaches the amplitude `INAUDIBLE`."""
        return self.samples.size == 0 or bool(np.abs(self.samples).max() < INAUDIBLE)

    def mono(self) -> Waveform:
        """The mean of all channels, `[1 n]`; the loudest channel where they cancel in the mean."""
        mean = self.samples.mean(axis=0, keepdims=True)
        power = np.square(self.samples).mean(axis=1)
        loudest = int(power.argmax()) if power.size else 0
        if power.size > 1 and np.square(mean).mean() < CANCELLED * power[loudest]:
            mean = self.samples[loudest : loudest + 1]
        return Waveform(mean, self.sample_rate)

    def resampled(self, rate: int) -> Waveform:
        """The same sound at `rate` Hz (polyphase filter)."""
        if rate == self.sample_rate:
            return self
        return Waveform(resample(self.samples, self.sample_rate, rate), rate)

    def cut(self, start: float, seconds: float) -> Waveform:
        """`seconds` of sound from `start` on, with silence beyond both ends."""
        first = round(start * self.sample_rate)
        count = round(seconds * self.sample_rate)
        piece = self.samples[:, max(first, 0) : max(first + count, 0)]
        before = min(max(-first, 0), count)
        after = count - before - piece.shape[1]
        return Waveform(np.pad(piece, ((0, 0), (before, after))), self.sample_rate)


def load_waveform(path: str | Path, audio_track: int | None = None) -> Waveform:
    """Decode the sound of any audio or video file at its native rate, one or two channels.

    Samples are placed by their time stamps, counted from the file's beginning as players do: a
    codec's priming samples do not shift the song, gaps are silence, and where the stamps fall back,
    as in chained Ogg files, the next part follows the one before.

    Args:
        path: the file.
        audio_track: the track to decode, counted from 1; None takes the first that is not silent.

    Raises:
        InputError: no such file, not media, no sound in it, or no such track.
    """
    import av

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no song at {path}.")
    try:
        with open_media(path) as container:
            decodable = [stream.codec_context is not None for stream in container.streams.audio]
        tracks = _tracks_to_try(path, decodable, audio_track)
        waves = (wave for track in tracks if (wave := _decode_track(path, track)) is not None)
        first = next(waves, None)
        if first is None:
            raise InputError(f"{path} has no sound that can be decoded.")
        if not first.is_silent:
            return first
        return next((wave for wave in waves if not wave.is_silent), first)
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read as sound: {error.strerror}.") from error


def _tracks_to_try(path: Path, decodable: list[bool], audio_track: int | None) -> list[int]:
    """Indices of sound streams: the one that is asked for, or all that have a decoder."""
    if not decodable:
        raise InputError(f"{path} has no sound.")
    if audio_track is not None and not 1 <= audio_track <= len(decodable):
        raise InputError(
            f"{path} has no sound track {audio_track}; its tracks are 1 to {len(decodable)}."
        )
    wanted = range(len(decodable)) if audio_track is None else (audio_track - 1,)
    tracks = [track for track in wanted if decodable[track]]
    if not tracks:
        raise InputError(f"{path} has sound of a kind that cannot be decoded.")
    return tracks


def _decode_track(path: Path, track: int) -> Waveform | None:
    """One sound stream, or None where nothing in it can be decoded."""
    pieces: list[tuple[int, np.ndarray]] = []
    with open_media(path) as container:
        stream = container.streams.audio[track]
        rate, channels = int(stream.rate), min(stream.channels, 2)
        if not 0 < rate <= HIGHEST_RATE:
            raise InputError(f"{path} has a sample rate of {rate} Hz, not 1 to {HIGHEST_RATE}.")
        clock, end, gaps = StreamClock(media_start(container)), 0, 0
        for frame, piece in _converted(decode_stream(container, stream), rate, channels):
            at = round(clock.seconds(frame.time, end / rate) * rate)
            # Time stamps are coarse in some formats: only what they cannot explain is a gap, and
            # samples never take the place of earlier ones.
            if pieces and at <= end + rate * JITTER:
                at = end
            gaps += at - end
            if gaps > rate * MOST_SILENCE:
                raise InputError(f"{path} has gaps of over {MOST_SILENCE} s between its samples.")
            pieces.append((at, piece))
            end = at + piece.shape[1]
        if not pieces:
            return None
        length = _length(stream, rate, end, frame.samples)
    return Waveform(_assembled(pieces, channels, length), rate)


def _converted(frames: Iterable[Any], rate: int, channels: int) -> Iterator[tuple[Any, np.ndarray]]:
    """Every frame with its samples float32 `[channels n]` at `rate` Hz."""
    import av

    layout = "mono" if channels == 1 else "stereo"
    form = None
    for frame in frames:
        if form != (frame.format.name, frame.layout.name, frame.sample_rate):
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for converted in resampler.resample(frame):
            yield frame, converted.to_ndarray()


def _length(stream: Any, rate: int, end: int, last: int) -> int:
    """Samples of the sound: `end`, less the padding of the codec's `last` frame."""
    if stream.duration is None:
        return end
    stated = round(float(stream.duration * stream.time_base) * rate)
    return stated if 0 < end - stated < last else end


def _assembled(pieces: list[tuple[int, np.ndarray]], channels: int, length: int) -> np.ndarray:
    """Pieces at their places in `[channels length]`, silence between them."""
    samples = np.zeros((channels, length), dtype=np.float32)
    for at, piece in pieces:
        skipped = max(-at, 0)
        part = piece[:, skipped : max(length - at, 0)]
        samples[:, at + skipped : at + skipped + part.shape[1]] = part
    return samples


def require_music(wave: Waveform, name: str) -> None:
    """Refuse sound that is no music.

    Raises:
        InputError: the sound called `name` is empty, too short or silent, or its samples are not
            finite or beyond any sound.
    """
    if wave.seconds < SHORTEST:
        raise InputError(f"{name} lasts {wave.seconds:.2f} s; a song needs {SHORTEST} s at least.")
    if not np.isfinite(wave.samples).all():
        raise InputError(f"{name} holds samples that are not finite numbers.")
    peak = float(np.abs(wave.samples).max())
    if peak > LOUDEST:
        raise InputError(f"{name} is damaged: a sample in it is {peak:.3g}, and sound is in -1..1.")
    if wave.is_silent:
        raise InputError(f"{name} is silent.")


def as_song(song: str | Path | Waveform) -> tuple[Waveform, str]:
    """A file or a waveform as a song, and its name in error messages.

    Raises:
        InputError: as `load_waveform` and `require_music`.
    """
    wave, name = (song, "The song") if isinstance(song, Waveform) else (load_waveform(song), song)
    require_music(wave, str(name))
    return wave, str(name)
