"""What a dancer hears at a moment of a song: the count, the energy, and whether to freeze.

Everything is worked out per beat of the grid the dancer follows, which need not be the song's own:
a shifted, halved, doubled or jittered grid is danced to as it stands, while energy and breaks are
those of the sound at the grid's beats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.beats import BeatGrid
from .choreography import Dance, Pose, eased, perform
from .songs import Song

LONGEST_BREAK = 16
FASTEST, SLOWEST = 190.0, 55.0


@dataclass(frozen=True)
class ClipMusic:
    """Per frame [f], the arguments of `perform`: see there."""

    count: np.ndarray
    energy: np.ndarray
    smoothness: float
    frozen: np.ndarray
    origin: np.ndarray

    def perform(self, dance: Dance) -> Pose:
        """The dance as somebody dances it who hears this."""
        return perform(dance, self.count, self.energy, self.smoothness, self.frozen, self.origin)


def hear(song: Song, grid: BeatGrid, times: np.ndarray) -> ClipMusic:
    """What the dancer hears at `times` [f], seconds of the song, when following `grid`.

    A beat is frozen when its middle lies in a break. Throughout a run of frozen beats the dancer
    stands in the pose and at the strength of the run's first beat; in the beat after it the dancer
    moves on to where the others are.
    """
    count = grid.count(times)
    beat = np.floor(count).astype(np.int64)
    first, last = int(beat.min()) - LONGEST_BREAK, int(beat.max()) + 1
    edges = beat_times(grid, np.arange(first, last + 2))
    held = song.in_break((edges[:-1] + edges[1:]) / 2)
    energy = song.energy_at(edges[:-1])
    stood = np.arange(first, last + 1)
    for i in range(1, len(stood)):
        if held[i - 1]:
            stood[i] = stood[i - 1]
    origin, frozen = stood[beat - first], held[beat - first]
    target = np.where(frozen, origin, beat + 1)
    return ClipMusic(
        count=count,
        energy=eased(energy[origin - first], energy[target - first], count, song.smoothness),
        smoothness=song.smoothness,
        frozen=frozen,
        origin=origin,
    )


def beat_times(grid: BeatGrid, beats: np.ndarray) -> np.ndarray:
    """Seconds of the beats with these indices; beyond the grid's ends by the edge periods."""
    times = grid.times
    inner = np.clip(beats, 0, len(times) - 1)
    before = np.minimum(beats, 0) * (times[1] - times[0])
    after = np.maximum(beats - (len(times) - 1), 0) * (times[-1] - times[-2])
    return np.asarray(times[inner] + before + after)


def edited_grid(grid: BeatGrid, rng: np.random.Generator) -> BeatGrid:
    """The grid as a person might edit it: shifted, halved, doubled or jittered.

    A shift is at least a tenth and at most half of a beat, either way; jitter is up to an eighth of
    a beat. Halving and doubling are left out where they would be too slow or too fast to dance to.
    """
    kinds = ["shift", "jitter"]
    if grid.tempo / 2 >= SLOWEST:
        kinds.append("halve")
    if grid.tempo * 2 <= FASTEST:
        kinds.append("double")
    kind = kinds[int(rng.integers(len(kinds)))]
    period = 60.0 / grid.tempo
    if kind == "halve":
        return grid.halved()
    if kind == "double":
        return grid.doubled()
    if kind == "jitter":
        return grid.jittered(rng, period / 8)
    return grid.shifted(float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.5) * period))
