"""The description of a style of music, and names of General MIDI's drums and programs.

A pattern is a bar in steps of `Style.steps` a beat: X is loud, x is normal, o is soft, and a dot is
a rest. Patterns of a style that has several meters are listed per meter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KEYS = {
    "kick": 36,
    "snare": 38,
    "rim": 37,
    "clap": 39,
    "hat": 42,
    "open": 46,
    "pedal": 44,
    "ride": 51,
    "crash": 49,
    "low": 43,
    "mid": 47,
    "high": 50,
    "cowbell": 56,
    "tambourine": 54,
    "shaker": 70,
    "conga": 63,
    "tumba": 64,
    "clave": 75,
    "timbale": 65,
    "agogo": 67,
    "surdo": 41,
    "triangle": 81,
}
"""General MIDI's drum keys."""

PIANO, EPIANO, MALLET = (0, 1, 2), (4, 5), (9, 11, 12, 13)
ORGAN, ACCORDION = (16, 17, 18, 19), (21, 22, 23)
GUITAR, STEEL, CLEAN, DRIVEN = (24,), (25,), (26, 27, 28), (29, 30)
UPRIGHT, BASS, SYNTH_BASS = (32,), (33, 34, 36), (38, 39)
STRINGS, CHOIR, VOICE = (48, 49, 50, 40, 42), (52, 53), (53, 54, 85)
BRASS, REED, FLUTE = (56, 57, 61), (64, 65, 66, 71), (72, 73, 74, 75)
LEAD, PAD = (80, 81, 82, 84, 87), (88, 89, 90, 91, 95)
"""Programs of General MIDI, counted from 0."""

Drums = Mapping[str, str]


@dataclass(frozen=True)
class Style:
    """A style of music.

    Attributes:
        tempo: lowest and highest tempo in BPM.
        drums: bars for the drummer; one of them is the main pattern of a song.
        bass, chords: bars for bass and accompaniment.
        basses, players, leads: programs to choose from.
        meter: beats a bar.
        steps: steps a beat.
        swing: how late every second step comes, as a share of a step.
        density: notes a beat of the melody.
        human: largest standard deviation of the players' timing, in seconds.
        free: standard deviation of a beat's length, as a share: rubato.
        without_drums: share of songs without drums.
    """

    tempo: tuple[float, float]
    drums: tuple[Drums, ...]
    bass: tuple[str, ...]
    chords: tuple[str, ...]
    basses: tuple[int, ...]
    players: tuple[int, ...]
    leads: tuple[int, ...]
    meter: int = 4
    steps: int = 4
    swing: float = 0.0
    density: float = 1.2
    human: float = 0.008
    free: float = 0.004
    without_drums: float = 0.05


def style(tempo: tuple[float, float], *drums: Drums, **others: object) -> Style:
    """A style with these bars of drums, and plain bass and chords in four if none are given."""
    values = {"bass": ("X...X...X...X...",), "chords": ("X.......x.......",)} | others
    return Style(tempo, drums, **values)  # type: ignore[arg-type]
