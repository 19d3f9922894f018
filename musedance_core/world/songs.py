"""Synthesised songs with exact beats: drums, bass and chords in bars of four.

A song is a function of (seed, index). Sections of two or four bars differ in energy, which controls
loudness, drum density and brightness. During a break the drums stop while bass and chords go on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.beats import BEATS_PER_BAR, BeatGrid
from ..audio.waveform import Waveform
from . import synth
from .synth import RATE

SONG_SECONDS = 24.0
BREAK_SHARE = 0.4
"""Share of songs with a break."""


@dataclass(frozen=True)
class Genre:
    """The playing style of a genre; steps are sixteenths of a bar.

    Of every pair of notes of `swung` sixteenths the second comes late by `swing` of its length; a
    third makes triplets.
    """

    tempo: tuple[float, float]
    smoothness: float
    swing: float
    kicks: tuple[int, ...]
    snares: tuple[int, ...]
    hats: int
    bass: tuple[int, ...]
    pad: str
    chord_beats: int
    swung: int = 1

    def onset(self, sixteenth: int, period: float) -> float:
        """Returns the seconds from the beat to its `sixteenth` (0..3), with swing."""
        place = (sixteenth % (2 * self.swung)) / (2 * self.swung)
        late = 2 * self.swung * self.swing * min(place, 1 - place)
        return (sixteenth + late) * period / 4


GENRES: dict[str, Genre] = {
    "techno": Genre((118, 150), 0.0, 0.0, (0, 4, 8, 12), (4, 12), 2, (2, 6, 10, 14), "saw", 4),
    "house": Genre((110, 130), 0.25, 0.1, (0, 4, 8, 12), (4, 12), 2, (0, 3, 6, 11), "saw", 4),
    "rock": Genre(
        (95, 165), 0.2, 0.0, (0, 8, 10), (4, 12), 2, (0, 2, 4, 6, 8, 10, 12, 14), "saw", 4
    ),
    "funk": Genre((90, 118), 0.4, 0.15, (0, 6, 8), (4, 12), 1, (0, 3, 6, 8, 11, 14), "saw", 1),
    "hiphop": Genre((70, 105), 0.5, 0.25, (0, 7, 8), (4, 12), 2, (0, 7, 10), "tone", 4),
    "chiptune": Genre((120, 170), 0.1, 0.0, (0, 8), (4, 12), 2, (0, 4, 8, 12), "square", 1),
    "swing": Genre(
        (100, 170), 0.6, 1 / 3, (0, 4, 8, 12), (4, 12), 2, (0, 4, 8, 12), "tone", 2, swung=2
    ),
    "ballad": Genre((70, 96), 1.0, 0.0, (0, 8), (4, 12), 4, (0, 8), "tone", 4),
}
SCALE = (0, 2, 3, 5, 7, 8, 10)
PROGRESSIONS = ((0, 5, 3, 4), (0, 3, 4, 0), (0, 2, 5, 4), (5, 3, 0, 4))


@dataclass(frozen=True)
class Song:
    """A song with its ground truth.

    `wave` is mono at 32 kHz with 16-bit values; `grid` holds the exact beats; `energy [beats]` is
    0..1; `breaks` are (begin, end) in seconds; `smoothness` 0..1 belongs to the genre.
    """

    wave: Waveform
    grid: BeatGrid
    genre: str
    energy: np.ndarray
    breaks: tuple[tuple[float, float], ...]
    smoothness: float

    def energy_at(self, t: np.ndarray) -> np.ndarray:
        """Returns the energy of the beats that contain the times `t`."""
        beat = np.floor(self.grid.count(np.asarray(t)) + 1e-6).astype(np.int64)
        return np.asarray(self.energy[np.clip(beat, 0, len(self.energy) - 1)])

    def in_break(self, t: np.ndarray) -> np.ndarray:
        """Returns True where the drums are silent at the times `t`."""
        t = np.asarray(t)
        inside = np.zeros(t.shape, dtype=bool)
        for begin, end in self.breaks:
            inside |= (t >= begin) & (t < end)
        return inside


def make_song(
    seed: int,
    index: int,
    seconds: float = SONG_SECONDS,
    tempo: float | None = None,
    genre: str | None = None,
    level: float | None = None,
) -> Song:
    """Returns song `index` of `seed`; tempo (BPM), genre and energy `level` can be fixed."""
    rng = np.random.default_rng([seed, index, 77])
    name = str(rng.choice(list(GENRES)))
    name = genre or name
    style = GENRES[name]
    bpm = float(rng.uniform(*style.tempo))
    bpm = tempo or bpm
    period = 60 / bpm
    offset = float(rng.uniform(0.05, 0.05 + period))
    count = int((seconds - offset) / period) + 1
    times = offset + period * np.arange(count)
    # Structure first: sections with their energy, and breaks.
    energy, breaks = _sections(rng, count, times, period)
    if level is not None:
        energy = np.full(count, level, dtype=np.float32)
    grid = BeatGrid(times, times[::BEATS_PER_BAR], bpm)
    track = np.zeros(round(seconds * RATE))
    silent = np.zeros(count, dtype=bool)
    for begin, end in breaks:
        silent |= (times > begin - period / 2) & (times < end - period / 2)
    # Then the instruments, and a soft limiter.
    _play_drums(track, rng, style, grid, np.where(silent, -1.0, energy))
    _play_harmony(track, rng, style, grid, energy)
    track = np.tanh(track * (0.5 / max(float(np.std(track)) * 3, 1e-6)))
    samples = (np.round(track * 0.9 * 32767) / 32768).astype(np.float32)[None]
    return Song(Waveform(samples, RATE), grid, name, energy, breaks, style.smoothness)


def _sections(
    rng: np.random.Generator, count: int, times: np.ndarray, period: float
) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """Returns the energy per beat and the breaks, both on bar lines."""
    energy = np.zeros(count, dtype=np.float32)
    first, previous = 0, -1.0
    while first < count:
        length = BEATS_PER_BAR * int(rng.choice([2, 4]))
        value = float(rng.uniform(0.05, 1))
        while abs(value - previous) < 0.25:
            value = float(rng.uniform(0.05, 1))
        energy[first : first + length] = value
        first, previous = first + length, value
    breaks: list[tuple[float, float]] = []
    bars = count // BEATS_PER_BAR
    if bars > 4 and rng.random() < BREAK_SHARE:
        bar = int(rng.integers(2, bars - 1))
        begin = float(times[bar * BEATS_PER_BAR])
        breaks.append((begin, begin + BEATS_PER_BAR * period))
    return energy, tuple(breaks)


def _play_drums(
    track: np.ndarray, rng: np.random.Generator, style: Genre, grid: BeatGrid, levels: np.ndarray
) -> None:
    """Plays kick, snare and hats on every beat whose level is not negative."""
    kick = synth.kick(rng, float(rng.random()))
    snare = synth.snare(rng, float(rng.random()))
    hats = [synth.hat(rng, open_) for open_ in (0.0, 1.0)]
    for beat in np.flatnonzero(levels >= 0):
        level = float(levels[beat])
        gain = 0.4 + 0.6 * level
        fill = beat % 16 == 15 and level > 0.5
        dense = style.hats if level > 0.35 else style.hats * 2
        for sixteenth in range(4):
            step = int(beat % BEATS_PER_BAR) * 4 + sixteenth
            at = grid.times[beat] + style.onset(sixteenth, 60 / grid.tempo)
            on_beat = 1.0 if sixteenth == 0 else 0.6
            if step in style.kicks or sixteenth == 0:
                strong = 1.0 if step in style.kicks else 0.35
                synth.mix(track, kick, at, strong * gain * on_beat)
            if step in style.snares:
                synth.mix(track, snare, at, 0.55 * gain)
            elif fill and sixteenth:
                synth.mix(track, snare, at, 0.25 * gain)
            if step % dense == 0 or (level > 0.75 and sixteenth % 2 == 0):
                ring = hats[int(level > 0.6 and sixteenth == 2)]
                synth.mix(track, ring, at, (0.08 + 0.18 * level) * on_beat)


def _play_harmony(
    track: np.ndarray, rng: np.random.Generator, style: Genre, grid: BeatGrid, energy: np.ndarray
) -> None:
    """Plays chords and bass, brighter and louder with the energy, also during breaks."""
    period = 60 / grid.tempo
    root = 45 + int(rng.integers(0, 10))
    progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    chords: dict[tuple[int, int], np.ndarray] = {}
    lows: dict[tuple[int, int], np.ndarray] = {}
    for beat, time in enumerate(grid.times):
        level = float(energy[beat])
        degree = progression[(beat // BEATS_PER_BAR) % len(progression)]
        sound = degree, round(level * 4)
        if sound not in lows:
            brightness = sound[1] / 4
            chords[sound] = _chord(root, degree, period * style.chord_beats, brightness, style.pad)
            lows[sound] = _low(root, degree, period, brightness)
        if beat % style.chord_beats == 0:
            synth.mix(track, chords[sound], time, 0.10 + 0.12 * level)
        for sixteenth in range(4):
            if (beat % BEATS_PER_BAR) * 4 + sixteenth in style.bass:
                at = time + style.onset(sixteenth, period)
                synth.mix(track, lows[sound], at, 0.35 + 0.25 * level)


def _semitones(degree: int) -> int:
    return SCALE[degree % 7] + 12 * (degree // 7)


def _hertz(root: int, degree: int) -> float:
    return float(440 * 2 ** ((root + _semitones(degree) - 69) / 12))


def _chord(root: int, degree: int, seconds: float, brightness: float, pad: str) -> np.ndarray:
    """Returns a triad of the scale on `degree`, nearly `seconds` long."""
    voice = {"tone": synth.tone, "saw": synth.saw, "square": synth.square}[pad]
    length = 0.95 * seconds
    voices = [
        voice(_hertz(root + 12, degree + third), length, 0.1 + 0.8 * brightness)
        for third in (0, 2, 4)
    ]
    return synth.enveloped(np.sum(voices, axis=0), 0.08 if pad == "tone" else 0.02, 0.3 * length)


def _low(root: int, degree: int, period: float, brightness: float) -> np.ndarray:
    """Returns a bass note of nearly half a beat."""
    return synth.enveloped(
        synth.saw(_hertz(root - 12, degree), 0.4 * period, 0.3 * brightness), 0.004, 0.05
    )
