"""The music of a clip as choreography needs it: beat count, energy and pauses per frame.

All values are per beat of the grid that the dancer follows, which need not be the song's own: a
shifted, halved, doubled or jittered grid is danced as it is, while energy and breaks are those of
the sound at the grid's beats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.beats import BeatGrid
from .easing import ease_between_beats
from .songs import Song

LONGEST_BREAK = 16
FASTEST, SLOWEST = 190.0, 55.0


@dataclass(frozen=True)
class ClipMusic:
    """Per frame `[f]`: beat count, energy 0..1, whether the dancer holds still, and the beat whose
    pose it comes from; and the smoothness of the song, 0..1."""

    count: np.ndarray
    energy: np.ndarray
    smoothness: float
    frozen: np.ndarray
    origin: np.ndarray


def clip_music(song: Song, grid: BeatGrid, times: np.ndarray) -> ClipMusic:
    """Returns the music at `times` [f], in seconds of the song, counted on `grid`.

    A beat is frozen when its middle lies in a break. During a run of frozen beats the dancer keeps
    the pose and the amplitude of the first one; in the beat after, it catches up.
    """
    count = grid.count(times)
    beat = np.floor(count).astype(np.int64)
    first, last = int(beat.min()) - LONGEST_BREAK, int(beat.max()) + 1
    # Energy and pauses per beat, from long before the clip so that a run of pauses is complete.
    edges = beat_times(grid, np.arange(first, last + 2))
    paused = song.in_break((edges[:-1] + edges[1:]) / 2)
    energy = song.energy_at(edges[:-1])
    pose_beat = np.arange(first, last + 1)
    for i in range(1, len(pose_beat)):
        if paused[i - 1]:
            pose_beat[i] = pose_beat[i - 1]
    origin, frozen = pose_beat[beat - first], paused[beat - first]
    target = np.where(frozen, origin, beat + 1)
    return ClipMusic(
        count=count,
        energy=ease_between_beats(
            energy[origin - first], energy[target - first], count, song.smoothness
        ),
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


def random_beat_edit(grid: BeatGrid, rng: np.random.Generator) -> BeatGrid:
    """Edits the grid as a person might: shifts, halves, doubles or jitters it.

    A shift is at least a tenth and at most half of a beat, either way; jitter is up to an eighth of
    a beat. Halving and doubling are left out where the tempo would leave `SLOWEST`..`FASTEST`.
    Halving is twice as likely as the others: a dance that ignores every other beat of loud drums is
    the hardest to learn.
    """
    kinds = ["shift", "jitter"]
    if grid.tempo / 2 >= SLOWEST:
        kinds += ["halve", "halve"]
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


def random_music(rng: np.random.Generator, frames: int, fps: float) -> ClipMusic:
    """Music without a song: a tempo within `SLOWEST`..`FASTEST`, unsteady beats, even energy."""
    period = 60 / float(np.exp(rng.uniform(np.log(SLOWEST), np.log(FASTEST))))
    beats = int(frames / fps / period) + 3
    times = np.arange(beats) * period + rng.uniform(-0.06, 0.06, beats) * period
    grid = BeatGrid(times, times[:0], 60 / period)
    count = grid.count(np.arange(frames) / fps + rng.uniform(1, 1.99) * period)
    count = count + int(rng.integers(16))
    beat = np.floor(count).astype(np.int64)
    return ClipMusic(
        count=count,
        energy=np.full(frames, rng.random()),
        smoothness=float(rng.random()),
        frozen=np.zeros(frames, dtype=bool),
        origin=beat,
    )
