"""Instruments of the song synthesiser: one-shot sounds as float64 arrays, mixed by adding."""

from __future__ import annotations

import numpy as np

RATE = 32_000


def _time(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def click(rng: np.random.Generator, seconds: float = 0.006) -> np.ndarray:
    """A broadband tick, which onset detectors respond to most."""
    t = _time(seconds)
    return np.asarray(rng.normal(0, 1, len(t)) * np.exp(-t / (seconds / 4)))


def kick(rng: np.random.Generator, deep: float) -> np.ndarray:
    """A falling sine with a click; `deep` 0..1 lowers and lengthens it."""
    t = _time(0.28)
    pitch = (62 - 18 * deep) + 150 * np.exp(-t / 0.022)
    body = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-t / (0.07 + 0.06 * deep))
    tick = click(rng)
    body[: len(tick)] += 0.55 * tick
    return np.asarray(body)


def snare(rng: np.random.Generator, tone: float) -> np.ndarray:
    """Noise over a short tone; `tone` 0..1 raises the pitch."""
    t = _time(0.20)
    noise = rng.normal(0, 0.7, len(t)) * np.exp(-t / 0.05)
    body = np.sin(2 * np.pi * (170 + 70 * tone) * t) * np.exp(-t / 0.03)
    return np.asarray(noise + 0.6 * body)


def hat(rng: np.random.Generator, open_: float) -> np.ndarray:
    """High-passed noise; `open_` 0..1 lets it ring."""
    t = _time(0.04 + 0.12 * open_)
    noise = np.diff(rng.normal(0, 0.5, len(t) + 1))
    return np.asarray(noise * np.exp(-t / (0.010 + 0.04 * open_)))


def saw(frequency: float, seconds: float, brightness: float) -> np.ndarray:
    """A saw wave through a one-pole low-pass; `brightness` 0..1 opens it."""
    return _low_passed(2 * ((frequency * _time(seconds)) % 1) - 1, brightness)


def square(frequency: float, seconds: float, brightness: float) -> np.ndarray:
    """A square wave as of old game consoles; `brightness` 0..1 opens it."""
    return _low_passed(np.where((frequency * _time(seconds)) % 1 < 0.5, 0.6, -0.6), brightness)


def tone(frequency: float, seconds: float, brightness: float) -> np.ndarray:
    """A soft sine with its octave; `brightness` 0..1 adds overtones."""
    angle = 2 * np.pi * frequency * _time(seconds)
    overtones = np.sin(3 * angle) / 3 + np.sin(5 * angle) / 4 + np.sin(8 * angle) / 6
    return np.asarray(np.sin(angle) + 0.3 * np.sin(2 * angle) + brightness * overtones)


def _low_passed(wave: np.ndarray, brightness: float) -> np.ndarray:
    from scipy.signal import lfilter

    pole = 0.985 - 0.55 * brightness
    return np.asarray(lfilter([1 - pole], [1, -pole], wave))


def enveloped(wave: np.ndarray, attack: float, release: float) -> np.ndarray:
    """Applies an envelope that rises over `attack` and falls over `release` seconds."""
    n = len(wave)
    t = np.arange(n) / RATE
    rise = np.minimum(1, t / max(attack, 1e-4))
    fall = np.minimum(1, (n / RATE - t) / max(release, 1e-4))
    return np.asarray(wave * rise * fall)


def mix(track: np.ndarray, sound: np.ndarray, at: float, gain: float) -> None:
    """Adds `sound` to `track` from `at` seconds on, cut at the track's ends."""
    first = round(at * RATE)
    if first < 0 or first >= len(track):
        return
    piece = sound[: len(track) - first]
    track[first : first + len(piece)] += gain * piece
