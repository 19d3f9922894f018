"""Random scores: notes of several players over a tempo map, with exact beats and downbeats."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...audio.beats import BeatGrid
from .held_out_styles import TEST
from .style import KEYS, Drums, Style
from .styles import TRAINING

DRUMS = -1
"""The program of drum notes."""
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (0, 0, 3, 4), (5, 3, 0, 4), (1, 4, 0, 0))
LOUDNESS = {"X": 112, "x": 88, "o": 52}


@dataclass(frozen=True)
class Note:
    """A note: seconds of its start and length, MIDI key and velocity, and program or `DRUMS`."""

    start: float
    seconds: float
    key: int
    velocity: int
    program: int


@dataclass(frozen=True)
class Score:
    """Notes with the exact beats; `pulse` is False for sound without any beat."""

    notes: tuple[Note, ...]
    grid: BeatGrid
    style: str
    meter: int
    seconds: float
    pulse: bool = True


@dataclass(frozen=True)
class Chances:
    """Probabilities of features of a score."""

    jump: float = 0.08
    """A song that changes its tempo once."""
    steady: float = 0.6
    """A song without any drift, of the styles that drift at all."""
    intro: float = 0.35
    """A song whose drums come in later."""
    breakdown: float = 0.25
    """A section without drums."""
    upbeat: float = 0.3
    """A melody that begins before the bar."""
    cross: float = 0.2
    """Loud drums in another rhythm, every one and a half or three quarters of a beat ..."""
    cross_band: float = 0.4
    """... with the style's drums, and with the other players."""
    odd_bar: float = 0.04
    """A song with one bar that is a beat longer or shorter."""


CHANCES = Chances()


@dataclass
class Sheet:
    """A score while it is written. `beats` are times in seconds, also beyond the last bar."""

    beats: np.ndarray
    style: Style
    rng: np.random.Generator
    jitter: float
    notes: list[Note] = field(default_factory=list)

    def at(self, beat: float) -> float:
        """Seconds of a position in beats."""
        return float(np.interp(beat, np.arange(len(self.beats)), self.beats))

    def swung(self, step: int) -> float:
        """Position in beats of a step of a bar."""
        late = self.style.swing if step % 2 else 0.0
        return (step + late) / self.style.steps

    def add(self, beat: float, length: float, key: int, velocity: float, program: int) -> None:
        """Adds a note of `length` beats; players are not exact."""
        start = self.at(beat)
        seconds = max(0.05, self.at(beat + length) - start)
        start = max(0.0, start + float(self.rng.normal(0, self.jitter)))
        loud = int(np.clip(velocity + self.rng.normal(0, 6), 20, 127))
        self.notes.append(Note(start, seconds, int(np.clip(key, 12, 110)), loud, program))


def random_score(rng: np.random.Generator, seconds: float, split: str = "train") -> Score:
    """A score of a random style of `split` ("test" has styles of its own)."""
    styles = TEST if split == "test" else TRAINING
    return make_score(rng, str(rng.choice(list(styles))), seconds)


def make_score(rng: np.random.Generator, name: str, seconds: float) -> Score:
    """A score of the style called `name`, of about `seconds`."""
    style = {**TRAINING, **TEST}[name]
    offset = float(rng.uniform(0.05, 1.5))
    beats = tempo_map(rng, style, offset, seconds)
    bars = _bars(rng, style, beats, seconds)
    sheet = Sheet(beats, style, rng, style.human * float(rng.random()))
    scale = SCALES[int(rng.integers(len(SCALES)))]
    root = int(rng.integers(36, 48))
    chords = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    across = style.without_drums < 1 and rng.random() < CHANCES.cross
    if across:
        _play_across(sheet, bars)
    if not across or rng.random() < CHANCES.cross_band:
        play_drums(sheet, bars)
    if not across or rng.random() < CHANCES.cross_band:
        _accompany(sheet, bars, root, scale, chords)
        _play_melody(sheet, bars, root + 24, scale, chords)
    end = beats[bars[-1][0] + bars[-1][1]]
    on = beats[: bars[-1][0] + bars[-1][1]]
    downbeats = beats[[first for first, _ in bars]]
    tempo = 60 / float(np.median(np.diff(on)))
    notes = tuple(sorted(sheet.notes, key=lambda note: note.start))
    return Score(notes, BeatGrid(on, downbeats, tempo), name, style.meter, float(end) + 0.3)


def tempo_map(rng: np.random.Generator, style: Style, offset: float, seconds: float) -> np.ndarray:
    """Times of more beats than `seconds` hold: steady, drifting, or with one change of tempo."""
    count = int(seconds * style.tempo[1] * 1.5 / 60) + 16
    periods = np.full(count, 60 / float(rng.uniform(*style.tempo)))
    if rng.random() < CHANCES.jump:
        at = int(rng.integers(12, 40))
        periods[at:] = 60 / float(rng.uniform(*style.tempo))
    if style.free and rng.random() > CHANCES.steady:
        # Beats differ by themselves, and the tempo wanders.
        wander = np.cumsum(rng.normal(0, style.free, count))
        wander -= np.linspace(wander[0], wander[-1], count)
        each = rng.normal(0, style.free / 2, count)
        periods = periods * np.exp(np.clip(wander + each, -0.15, 0.15))
    return np.asarray(offset + np.r_[0, np.cumsum(periods)[:-1]])


def _bars(
    rng: np.random.Generator, style: Style, beats: np.ndarray, seconds: float
) -> list[tuple[int, int]]:
    """First beat and number of beats of each bar."""
    bars: list[tuple[int, int]] = []
    first = 0
    odd = int(rng.integers(4, 12)) if rng.random() < CHANCES.odd_bar else -1
    while first + style.meter + 2 < len(beats) and (not bars or beats[first] < seconds - 1):
        length = style.meter + (int(rng.choice([-1, 1])) if len(bars) == odd else 0)
        bars.append((first, max(length, 1)))
        first += max(length, 1)
    return bars


def play_drums(sheet: Sheet, bars: list[tuple[int, int]]) -> None:
    """A main pattern, a second one in some sections, fills between sections, and crashes."""
    rng, style = sheet.rng, sheet.style
    if rng.random() < style.without_drums:
        return
    patterns = [style.drums[int(rng.integers(len(style.drums)))] for _ in range(2)]
    loud = {voice: float(rng.uniform(0.4, 1.2)) for voice in KEYS}
    late = int(rng.integers(2, 9)) if rng.random() < CHANCES.intro else 0
    section = int(rng.choice([4, 8]))
    silent = int(rng.integers(1, 6)) if rng.random() < CHANCES.breakdown else -1
    fills = rng.random() < 0.6
    for number, (first, length) in enumerate(bars):
        if number < late or number // section == silent:
            continue
        pattern = patterns[(number // section) % 2]
        fill = fills and number % section == section - 1
        _drum_bar(sheet, pattern, first, length, loud, fill)
        if number % section == 0 and number:
            sheet.add(first, 2, KEYS["crash"], 90, DRUMS)


def _play_across(sheet: Sheet, bars: list[tuple[int, int]]) -> None:
    """A loud low drum across the beats, which a quieter voice plays."""
    rng, last = sheet.rng, sum(bars[-1])
    step = float(rng.choice([1.5, 0.75, 1.5]))
    low, high = (
        KEYS[str(rng.choice(names))]
        for names in (("kick", "low", "tumba"), ("hat", "ride", "rim", "shaker"))
    )
    loud = float(rng.uniform(95, 120))
    for beat in np.arange(0, last, step):
        sheet.add(float(beat), 0.2, low, loud, DRUMS)
    quiet = float(rng.uniform(0.15, 0.9)) * loud
    for beat in range(last):
        sheet.add(beat, 0.2, high, quiet, DRUMS)


def _drum_bar(
    sheet: Sheet, pattern: Drums, first: int, length: int, loud: dict[str, float], fill: bool
) -> None:
    steps = sheet.style.steps
    for voice, bar in pattern.items():
        for step in range(min(length * steps, len(bar))):
            ending = fill and step >= (length - 1) * steps
            if bar[step] != "." and not (ending and voice != "kick"):
                velocity = LOUDNESS[bar[step]] * loud[voice]
                sheet.add(first + sheet.swung(step), 0.2, KEYS[voice], velocity, DRUMS)
    if fill:
        for step in range((length - 1) * steps, length * steps):
            voice = str(sheet.rng.choice(["snare", "high", "mid", "low"]))
            if sheet.rng.random() < 0.8:
                sheet.add(first + sheet.swung(step), 0.2, KEYS[voice], 95, DRUMS)


def _accompany(
    sheet: Sheet,
    bars: list[tuple[int, int]],
    root: int,
    scale: tuple[int, ...],
    chords: tuple[int, ...],
) -> None:
    """Bass and chords, one chord a bar."""
    rng, style = sheet.rng, sheet.style
    bass, comp = (str(rng.choice(list(p))) for p in (style.bass, style.chords))
    low, player = int(rng.choice(list(style.basses))), int(rng.choice(list(style.players)))
    bass_loud, comp_loud = float(rng.uniform(0.6, 1.1)), float(rng.uniform(0.45, 0.95))
    with_bass, with_chords = rng.random() < 0.92, rng.random() < 0.92
    held = float(rng.uniform(0.4, 1.0))
    for number, (first, length) in enumerate(bars):
        degree = chords[number % len(chords)]
        steps = range(min(length * style.steps, len(bass)))
        for step in steps:
            position = first + sheet.swung(step)
            if with_bass and bass[step] != ".":
                tone = degree + (4 if rng.random() < 0.15 else 0)
                gap = _gap(bass, step) / style.steps
                key = root + _semitones(scale, tone)
                sheet.add(position, gap * held, key, LOUDNESS[bass[step]] * bass_loud, low)
            if with_chords and comp[step] != ".":
                gap = _gap(comp, step) / style.steps
                for third in (0, 2, 4):
                    key = root + 12 + _semitones(scale, degree + third)
                    velocity = LOUDNESS[comp[step]] * comp_loud
                    sheet.add(position, gap * held, key, velocity, player)


def _gap(pattern: str, step: int) -> int:
    """Steps from a note of a pattern to the next one."""
    following = [i for i in range(step + 1, len(pattern)) if pattern[i] != "."]
    return (following[0] if following else len(pattern)) - step


def _play_melody(
    sheet: Sheet,
    bars: list[tuple[int, int]],
    root: int,
    scale: tuple[int, ...],
    chords: tuple[int, ...],
) -> None:
    """Phrases of two bars whose rhythm returns; notes are likelier on strong steps."""
    rng, style = sheet.rng, sheet.style
    if rng.random() < 0.1:
        return
    program, loud = int(rng.choice(list(style.leads))), float(rng.uniform(60, 105))
    total = 2 * style.meter * style.steps
    density = style.density * float(rng.uniform(0.5, 1.3)) / style.steps
    weight = np.array([_weight(step, style) for step in range(total)])
    rhythms = [rng.random(total) < np.clip(density * weight / weight.mean(), 0, 0.95) for _ in "ab"]
    rests = rng.random(len(bars)) < 0.2
    degree = int(rng.integers(0, 7))
    upbeat = rng.random() < CHANCES.upbeat
    for number in range(0, len(bars) - 1, 2):
        rhythm = rhythms[(number // 4) % 2]
        if rests[number]:
            continue
        onsets = np.flatnonzero(rhythm).tolist()
        if upbeat and number:
            onsets = [-1, *onsets]
        if not onsets:
            continue
        for step, following in zip(onsets, [*onsets[1:], total], strict=True):
            strong = step >= 0 and step % (style.meter * style.steps) == 0
            chord = chords[(number + max(step, 0) // (style.meter * style.steps)) % len(chords)]
            degree = chord + 2 * int(rng.integers(0, 3)) if strong else degree
            degree = int(np.clip(degree + rng.integers(-2, 3), -4, 11))
            key = root + _semitones(scale, degree)
            length = (following - step) / style.steps * 0.9
            accent = 10 * (step % style.steps == 0)
            sheet.add(bars[number][0] + sheet.swung(step), length, key, loud + accent, program)


def _weight(step: int, style: Style) -> float:
    """Relative probability of a note of a melody on a step."""
    if step % (style.meter * style.steps) == 0:
        return 3.0
    if step % style.steps == 0:
        return 2.2
    return 1.2 if style.steps % 2 == 0 and step % (style.steps // 2) == 0 else 0.6


def _semitones(scale: tuple[int, ...], degree: int) -> int:
    return scale[degree % 7] + 12 * (degree // 7)
