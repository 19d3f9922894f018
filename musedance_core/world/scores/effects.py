"""Effects between a score's sound and the listener: rooms, noise, compression, codecs, radios."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from ...audio.waveform import Waveform


@dataclass(frozen=True)
class EffectChances:
    """Probabilities of the effects on a song."""

    reverb: float = 0.35
    compression: float = 0.4
    distortion: float = 0.15
    noise: float = 0.3
    low_pass: float = 0.15
    high_pass: float = 0.1
    telephone: float = 0.06
    mp3: float = 0.15


CHANCES = EffectChances()


def random_effects(wave: Waveform, rng: np.random.Generator) -> Waveform:
    """The mono sound after random effects; every sound stays at its time."""
    x, rate = wave.samples[0].astype(np.float64), wave.sample_rate
    x = x / max(float(np.abs(x).max()), 1e-6)
    if rng.random() < CHANCES.reverb:
        x = reverb(x, rate, rng, float(rng.uniform(0.2, 2.2)), float(rng.uniform(0.1, 0.5)))
    if rng.random() < CHANCES.compression:
        x = compress(x, rate, float(rng.uniform(0.3, 0.8)))
    if rng.random() < CHANCES.distortion:
        drive = float(rng.uniform(2, 12))
        x = np.tanh(drive * x)
    if rng.random() < CHANCES.low_pass:
        x = _filtered(x, rate, float(np.exp(rng.uniform(np.log(800), np.log(8000)))), "lowpass")
    if rng.random() < CHANCES.high_pass:
        x = _filtered(x, rate, float(rng.uniform(60, 400)), "highpass")
    if rng.random() < CHANCES.telephone:
        x = _filtered(_filtered(x, rate, 350.0, "highpass"), rate, 3200.0, "lowpass")
    if rng.random() < CHANCES.noise:
        x = add_noise(x, rate, rng, float(rng.uniform(6, 35)))
    x = x / max(float(np.abs(x).max()), 1e-6) * 0.9
    result = Waveform(x[None].astype(np.float32), rate)
    return through_mp3(result) if rng.random() < CHANCES.mp3 else result


def reverb(
    x: np.ndarray, rate: int, rng: np.random.Generator, seconds: float, wet: float
) -> np.ndarray:
    """A room whose echo decays by 60 dB in `seconds`."""
    t = np.arange(round(seconds * rate)) / rate
    response = rng.normal(0, 1, len(t)) * np.exp(-6.9 * t / seconds)
    response /= max(float(np.sqrt((response**2).sum())), 1e-9)
    return np.asarray((1 - wet) * x + wet * fftconvolve(x, response)[: len(x)])


def compress(x: np.ndarray, rate: int, amount: float) -> np.ndarray:
    """Evens out the loudness over 100 ms; `amount` 1 makes it constant."""
    power = _running_mean(x**2, round(0.1 * rate))
    level = np.sqrt(np.maximum(power, 0)) + 1e-3 * float(np.abs(x).max()) + 1e-9
    return np.asarray(x / level**amount)


def _running_mean(x: np.ndarray, width: int) -> np.ndarray:
    """The mean of `width` samples around each sample."""
    total = np.cumsum(np.pad(x, (width // 2 + 1, width - width // 2)))
    return np.asarray((total[width:] - total[:-width])[: len(x)] / width)


def add_noise(x: np.ndarray, rate: int, rng: np.random.Generator, decibels: float) -> np.ndarray:
    """White to brown noise `decibels` below the sound."""
    spectrum = np.fft.rfft(rng.normal(0, 1, len(x)))
    hertz = np.maximum(np.fft.rfftfreq(len(x), 1 / rate), 30)
    noise = np.fft.irfft(spectrum * hertz ** -float(rng.uniform(0, 1)), len(x))
    level = np.sqrt((x**2).mean() / max(float((noise**2).mean()), 1e-12))
    return np.asarray(x + noise * level * 10 ** (-decibels / 20))


def _filtered(x: np.ndarray, rate: int, hertz: float, kind: str) -> np.ndarray:
    return np.asarray(sosfilt(butter(2, hertz, kind, fs=rate, output="sos"), x))


def through_mp3(wave: Waveform, bit_rate: int = 64_000) -> Waveform:
    """The sound after coding as mp3, at its time again."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=wave.sample_rate)
        stream.bit_rate = bit_rate
        stream.layout = "mono"
        samples = np.ascontiguousarray(wave.samples)
        for first in range(0, samples.shape[1], 1152):
            frame = av.AudioFrame.from_ndarray(
                samples[:, first : first + 1152], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = wave.sample_rate, first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        pieces = [frame.to_ndarray() for frame in container.decode(audio=0)]
    decoded = np.concatenate(pieces, axis=1).astype(np.float32)[:1]
    count = wave.samples.shape[1]
    decoded = np.pad(decoded, ((0, 0), (0, max(0, count - decoded.shape[1]))))
    return Waveform(decoded[:, :count], wave.sample_rate)
