"""Scores of the public domain that music21 brings: chorales, quartets, piano music, dance tunes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.beats import BeatGrid
from .score import Score, Sheet, play_drums, tempo_map
from .style import CHOIR, FLUTE, ORGAN, PIANO, REED, STRINGS, Style
from .styles import TRAINING

COLLECTIONS = {
    "bach": 0.3,
    "ryansMammoth": 0.4,
    "haydn": 0.08,
    "mozart": 0.08,
    "beethoven": 0.03,
    "joplin": 0.02,
    "chopin": 0.02,
    "schubert": 0.02,
    "corelli": 0.02,
}
"""Folders of music21's corpus and how often they are used. Ryan's Mammoth Collection (1883) holds
jigs, reels and hornpipes."""
ENSEMBLES = (STRINGS, PIANO, ORGAN, CHOIR, (*REED, *FLUTE), (6,), (24, 25), (21, 22))
TUNE = "ryansMammoth"
BEAT_UNITS = {(4, False): 1.0, (2, False): 2.0, (8, True): 1.5}
"""Quarter notes a beat, by the denominator and whether the meter is compound."""
FASTEST_NOTES = 9.0
"""Notes a second that a player can play."""
SHORTEST_RUN = 8
"""Full bars in a row that an excerpt needs."""


@dataclass(frozen=True)
class _Excerpt:
    """Full bars of a piece: notes as (beat, beats, key, part), and the beats of each bar."""

    notes: tuple[tuple[float, float, int, int], ...]
    bars: tuple[int, ...]
    parts: int


def public_domain_score(rng: np.random.Generator, seconds: float, split: str) -> Score | None:
    """A piece of `split` with a tempo and instruments of its own.

    None where music21 is not installed, or the piece that was chosen has no regular bars.
    """
    pieces = _pieces(split)
    names = [name for name in COLLECTIONS if pieces.get(name)]
    if not names:
        return None
    shares = np.array([COLLECTIONS[name] for name in names])
    collection = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    path = pieces[collection][int(rng.integers(len(pieces[collection])))]
    excerpt = _read(path, rng)
    if excerpt is None:
        return None
    return _arrange(excerpt, rng, seconds, collection)


def _arrange(excerpt: _Excerpt, rng: np.random.Generator, seconds: float, collection: str) -> Score:
    """The excerpt, repeated until it is long enough, played by an ensemble, at times with drums."""
    total = sum(excerpt.bars)
    density = len({round(note[0], 3) for note in excerpt.notes}) / total
    fastest = min(170.0, 60 * FASTEST_NOTES / max(density, 0.5))
    tempo = (min(66.0, 0.6 * fastest), fastest)
    meter = max(set(excerpt.bars), key=excerpt.bars.count)
    free = float(rng.choice([0.004, 0.01, 0.02]))
    style = Style(tempo, (), (), (), (), (), (), meter=meter, human=0.015, free=free)
    drums = [s for s in TRAINING.values() if s.meter == meter and s.steps == 4 and len(s.drums) > 1]
    beats = tempo_map(rng, style, float(rng.uniform(0.05, 1.5)), seconds)
    repeats = max(1, int(np.searchsorted(beats, seconds) / total))
    sheet = Sheet(beats, style, rng, style.human * float(rng.random()))
    bars: list[tuple[int, int]] = []
    for length in excerpt.bars * repeats:
        bars.append((sum(bars[-1]) if bars else 0, length))
    bars = [bar for bar in bars if sum(bar) < len(beats) and beats[bar[0]] < seconds]

    # One program a part, or one for all.
    ensemble = ENSEMBLES[int(rng.integers(len(ENSEMBLES)))]
    programs = [int(rng.choice(list(ensemble))) for _ in range(excerpt.parts)]
    if rng.random() < 0.5:
        programs = [programs[0]] * excerpt.parts
    loud = rng.uniform(60, 105, excerpt.parts)
    end = sum(bars[-1])
    for turn in range(repeats):
        for beat, held, key, part in excerpt.notes:
            if turn * total + beat < end:
                sheet.add(turn * total + beat, 0.95 * held, key, loud[part], programs[part])
    if drums and collection == TUNE and rng.random() < 0.5:
        sheet.style = drums[int(rng.integers(len(drums)))]
        play_drums(sheet, bars)

    on = beats[:end]
    downbeats = beats[[first for first, _ in bars]]
    notes = tuple(sorted(sheet.notes, key=lambda note: note.start))
    grid = BeatGrid(on, downbeats, 60 / float(np.median(np.diff(on))))
    return Score(notes, grid, collection, meter, float(beats[end]) + 0.3)


@cache
def _pieces(split: str) -> dict[str, tuple[Path, ...]]:
    """Files of each collection in a split: a tenth each for validation and test."""
    try:
        from music21 import corpus
    except ImportError:
        return {}
    found: dict[str, list[Path]] = {name: [] for name in COLLECTIONS}
    for path in sorted(corpus.getPaths()):
        folder = path.parts[path.parts.index("corpus") + 1] if "corpus" in path.parts else ""
        tenth = zlib.crc32("/".join(path.parts[-2:]).encode()) % 10
        if folder in found and {0: "validation", 1: "test"}.get(tenth, "train") == split:
            found[folder].append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _read(path: Path, rng: np.random.Generator) -> _Excerpt | None:
    """A run of full bars of a piece in one beat unit; None where there is none."""
    from music21 import converter
    from music21.exceptions21 import Music21Exception

    try:
        piece: Any = converter.parse(path)
    except (Music21Exception, ValueError, IndexError, AttributeError):
        return None
    if not getattr(piece, "parts", None):
        return None
    run = _full_bars(piece.parts[0])
    if run is None:
        return None
    begin, end, unit, bars = run
    notes: list[tuple[float, float, int, int]] = []
    for number, part in enumerate(piece.parts):
        for note in part.flatten().notes:
            tied = note.tie is not None and note.tie.type != "start"
            if begin <= note.offset < end and not tied:
                length = float(note.duration.quarterLength) / unit
                for pitch in note.pitches:
                    place = float(note.offset - begin) / unit
                    notes.append((place, length, int(pitch.midi), number))
    return _Excerpt(tuple(notes), bars, len(piece.parts)) if notes else None


def _full_bars(part: Any) -> tuple[float, float, float, tuple[int, ...]] | None:
    """Begin and end in quarter notes, quarter notes a beat, and the beats of each bar, of the
    longest run of full bars with one beat unit."""
    best: list[Any] = []
    run: list[tuple[float, float, float]] = []
    for measure in part.getElementsByClass("Measure"):
        signature = measure.timeSignature or measure.getContextByClass("TimeSignature")
        if signature is None:
            continue
        compound = signature.numerator % 3 == 0 and signature.numerator > 3
        unit = BEAT_UNITS.get((signature.denominator, compound))
        length = float(measure.duration.quarterLength)
        begin = float(measure.offset)
        full = unit is not None and abs(length - float(signature.barDuration.quarterLength)) < 1e-3
        follows = not run or (abs(sum(run[-1][:2]) - begin) < 1e-3 and run[-1][2] == unit)
        if not (full and follows):
            best, run = max(best, run, key=len), []
        if full and unit is not None:
            run.append((begin, length, unit))
    best = max(best, run, key=len)
    if len(best) < SHORTEST_RUN:
        return None
    unit = best[0][2]
    return best[0][0], sum(best[-1][:2]), unit, tuple(round(bar[1] / unit) for bar in best)
