"""Songs for the beat tracker: scores with their sound, the repository's songs, and no music."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from ...audio.beats import BeatGrid
from ...audio.waveform import Waveform
from .. import synth
from ..songs import make_song
from .effects import random_effects
from .public_domain import public_domain_score
from .score import random_score
from .soundfonts import installed_fonts, play

SONG_SECONDS = 36.0


@dataclass(frozen=True)
class SongShares:
    """Shares of the kinds of songs; the rest are scores."""

    world: float = 0.08
    """Songs of the dance world's synthesiser."""
    synthesised: float = 0.06
    """Scores that the synthesiser plays although there are soundfonts."""
    public_domain: float = 0.25
    """Pieces of the public domain, where music21 is installed."""
    no_pulse: float = 0.08
    """Drones, noise, speech-like and applause-like sound: no beats."""
    silence: float = 0.12
    """Songs with silence before or after them."""


SHARES = SongShares()


@dataclass(frozen=True)
class BeatSong:
    """A song with exact beats; no beats where the sound has no pulse.

    Attributes:
        wave: mono sound.
        beats, downbeats: seconds.
        meter: beats a bar, 0 without a pulse.
        style: of the music.
    """

    wave: Waveform
    beats: np.ndarray
    downbeats: np.ndarray
    meter: int
    style: str


NONE = np.zeros(0)


def beat_song(
    seed: int, index: int, split: str = "train", seconds: float = SONG_SECONDS
) -> BeatSong:
    """Song `index` of `split`: a function of its arguments and of the installed soundfonts."""
    rng = np.random.default_rng((seed, {"train": 0, "validation": 1, "test": 2}[split], index))
    kind = float(rng.random())
    if kind < SHARES.no_pulse:
        name = str(rng.choice(list(NO_PULSE)))
        sound = Waveform(_scaled(NO_PULSE[name](rng, seconds)), synth.RATE)
        return BeatSong(sound, NONE, NONE, 0, name)
    if kind < SHARES.no_pulse + SHARES.world:
        song = make_song(int(rng.integers(2**31)), index, seconds)
        grid, wave, meter, style = song.grid, song.wave, 4, song.genre
    else:
        score = random_score(rng, seconds, split)
        if rng.random() < SHARES.public_domain:
            score = public_domain_score(rng, seconds, split) or score
        fonts = installed_fonts(split)
        own = not fonts or kind > 1 - SHARES.synthesised
        wave = play(score, None if own else fonts[int(rng.integers(len(fonts)))])
        grid, meter, style = score.grid, score.meter, score.style
    wave, grid = _with_silence(random_effects(wave, rng), grid, rng)
    return BeatSong(wave, grid.times, grid.downbeats, meter, style)


def _with_silence(
    wave: Waveform, grid: BeatGrid, rng: np.random.Generator
) -> tuple[Waveform, BeatGrid]:
    """The song, at times with silence before or after it."""
    if rng.random() >= SHARES.silence:
        return wave, grid
    before, after = (float(rng.uniform(0, 6)) for _ in range(2))
    samples = np.pad(
        wave.samples, ((0, 0), (round(before * wave.sample_rate), round(after * wave.sample_rate)))
    )
    return Waveform(samples, wave.sample_rate), grid.shifted(before)


def _scaled(x: np.ndarray) -> np.ndarray:
    return (x / max(float(np.abs(x).max()), 1e-6) * 0.9)[None].astype(np.float32)


def _noise(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Coloured noise whose loudness wanders slowly."""
    count = round(seconds * synth.RATE)
    x = lfilter([1], [1, -float(rng.uniform(0, 0.98))], rng.normal(0, 1, count))
    slow = np.interp(np.arange(count), np.linspace(0, count, 12), rng.uniform(0.3, 1, 12))
    return np.asarray(x * slow)


def _drone(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """A few long tones that beat slowly, with a little noise."""
    count = round(seconds * synth.RATE)
    t = np.arange(count) / synth.RATE
    x = np.zeros(count)
    for _ in range(int(rng.integers(1, 6))):
        hertz = float(np.exp(rng.uniform(np.log(50), np.log(900))))
        swell = np.interp(t, np.linspace(0, seconds, 8), rng.uniform(0.2, 1, 8))
        x += swell * np.sin(2 * np.pi * hertz * t + rng.uniform(0, 6))
        x += 0.3 * swell * np.sin(4 * np.pi * hertz * 1.002 * t)
    return np.asarray(x + rng.normal(0, 0.02, count))


def _speech(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Syllables of irregular length: buzz and hiss through moving resonances."""
    pieces: list[np.ndarray] = []
    pitch = float(rng.uniform(80, 240))
    while sum(len(piece) for piece in pieces) < seconds * synth.RATE:
        length = float(rng.uniform(0.06, 0.32))
        count = round(length * synth.RATE)
        t = np.arange(count) / synth.RATE
        voiced = rng.random() < 0.75
        melody = pitch * (1 + rng.normal(0, 0.1)) * (1 + rng.normal(0, 0.3) * t)
        buzz = 2 * ((np.cumsum(melody) / synth.RATE) % 1) - 1
        source = buzz if voiced else rng.normal(0, 0.4, count)
        for formant in rng.uniform((300, 900), (900, 2600)):
            angle, radius = 2 * np.pi * formant / synth.RATE, 0.98
            source = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], source)
        pieces.append(source * np.sin(np.pi * np.arange(count) / count) ** 0.6)
        if rng.random() < 0.25:
            pieces.append(np.zeros(round(float(rng.exponential(0.25)) * synth.RATE)))
    return np.concatenate(pieces)[: round(seconds * synth.RATE)]


def _applause(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Many hands without a common pulse, from a few people to a crowd."""
    count = round(seconds * synth.RATE)
    x = np.zeros(count)
    claps = rng.uniform(
        0, seconds, int(seconds * float(np.exp(rng.uniform(np.log(6), np.log(250)))))
    )
    for at in claps:
        clap = lfilter([1, -0.9], [1, -float(rng.uniform(0.2, 0.7))], synth.click(rng, 0.02))
        synth.mix(x, clap, float(at), float(rng.uniform(0.2, 1)))
    return x


def _taps(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Sparse sounds at random times: steps, doors, drops."""
    x = np.zeros(round(seconds * synth.RATE))
    at = 0.0
    while at < seconds:
        at += float(rng.exponential(0.7)) + 0.08
        hit = synth.kick(rng, 0.5) if rng.random() < 0.4 else synth.snare(rng, float(rng.random()))
        synth.mix(x, hit, at, float(rng.uniform(0.2, 1)))
    return x + rng.normal(0, 0.003, len(x))


NO_PULSE = {
    "noise": _noise,
    "drone": _drone,
    "speech": _speech,
    "applause": _applause,
    "taps": _taps,
}
