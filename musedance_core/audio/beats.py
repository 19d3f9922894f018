"""Beats of the whole song, and where they fall on a video's frames (section 3.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import atomic_path

BEATS_PER_BAR = 4


@dataclass(frozen=True)
class BeatGrid:
    """Beat `times` and `downbeats` in seconds of the song, strictly rising; `tempo` in BPM."""

    times: np.ndarray
    downbeats: np.ndarray
    tempo: float

    def __post_init__(self) -> None:
        if len(self.times) < 2:
            raise ValueError(f"a beat grid needs two beats, got {len(self.times)}")
        if not np.isfinite(self.times).all() or (np.diff(self.times) <= 0).any():
            raise ValueError("beat times must be finite and strictly rising")

    def count(self, t: np.ndarray) -> np.ndarray:
        """Continuous beat count at times `t`: i at beat i, linear between, extrapolated outside."""
        t = np.asarray(t, dtype=np.float64)
        index = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self.times) - 2)
        begin, end = self.times[index], self.times[index + 1]
        result: np.ndarray = index + (t - begin) / (end - begin)
        return result

    def shifted(self, seconds: float) -> BeatGrid:
        """All beats later by `seconds`."""
        return BeatGrid(self.times + seconds, self.downbeats + seconds, self.tempo)

    def halved(self) -> BeatGrid:
        """Every other beat, those that keep more downbeats."""
        if len(self.times) < 4:
            return self
        halves = self.times[::2], self.times[1::2]
        even, odd = (int(np.isin(half, self.downbeats).sum()) for half in halves)
        return BeatGrid(halves[odd > even], self.downbeats, self.tempo / 2)

    def doubled(self) -> BeatGrid:
        """A beat more halfway between any two."""
        middle = (self.times[:-1] + self.times[1:]) / 2
        return BeatGrid(np.sort(np.r_[self.times, middle]), self.downbeats, self.tempo * 2)

    def jittered(self, rng: np.random.Generator, seconds: float) -> BeatGrid:
        """Every beat moved at random by up to `seconds`, less where beats are close."""
        room = min(seconds, float(np.diff(self.times).min()) * 0.4)
        times = self.times + rng.uniform(-room, room, len(self.times))
        return BeatGrid(times, self.downbeats, self.tempo)

    def to_json(self) -> dict[str, Any]:
        """`{"tempo": .., "beats": [s, ..], "downbeats": [s, ..]}`."""
        return {
            "tempo": round(float(self.tempo), 3),
            "beats": [round(float(t), 4) for t in self.times],
            "downbeats": [round(float(t), 4) for t in self.downbeats],
        }


def regular_grid(bpm: float, offset: float, seconds: float) -> BeatGrid:
    """Even beats at `bpm` with one at `offset`, over `seconds` of song.

    Raises:
        InputError: the tempo is not within 20..400 BPM or the offset not finite.
    """
    if not 20 <= bpm <= 400:
        raise InputError(f"A tempo must be within 20..400 BPM, got {bpm}.")
    if not np.isfinite(offset):
        raise InputError(f"A beat offset must be a number of seconds, got {offset}.")
    period = 60 / bpm
    first = offset % period
    times = np.arange(first, max(seconds, first + 1.5 * period), period)
    return BeatGrid(times, times[::BEATS_PER_BAR], float(bpm))


def write_beats(path: str | Path, grid: BeatGrid) -> None:
    """Write the grid as JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(grid.to_json(), indent=1) + "\n", encoding="utf-8")


def read_beats(path: str | Path) -> BeatGrid:
    """Read a grid that `write_beats` or a person wrote.

    Raises:
        InputError: not such JSON, or times that are not finite, not sorted or fewer than two.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no beats file at {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is not JSON with a list "beats" of seconds.') from error
    return parse_beats(text, str(path))


def parse_beats(text: str, name: str) -> BeatGrid:
    """A grid out of JSON: what `BeatGrid.to_json` gives, or a bare list of seconds.

    Raises:
        InputError: as `read_beats`; the sentence calls the text `name`.
    """
    try:
        data = json.loads(text)
        data = {"beats": data} if isinstance(data, list) else data
        times = np.array(data["beats"], dtype=np.float64)
        downbeats = np.array(data.get("downbeats", times[::BEATS_PER_BAR]), dtype=np.float64)
        tempo = float(data.get("tempo") or 0)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f'{name} is not JSON with a list "beats" of seconds.') from error
    if times.ndim != 1 or len(times) < 2:
        raise InputError(f"{name} holds {times.size} beats; two are needed at least.")
    if not (np.isfinite(times).all() and np.isfinite(downbeats).all() and np.isfinite(tempo)):
        raise InputError(f"{name} holds a beat time or tempo that is not a finite number.")
    drops = np.flatnonzero(np.diff(times) <= 0)
    if len(drops):
        i = int(drops[0])
        raise InputError(f"{name}: beats must rise, but {times[i]} comes before {times[i + 1]}.")
    return BeatGrid(times, downbeats, tempo or 60 / float(np.median(np.diff(times))))


@dataclass(frozen=True)
class BeatFrames:
    """Per frame: `ids` int64 `[f]` (1 where a beat falls) and continuous `count` float64 `[f]`."""

    ids: np.ndarray
    count: np.ndarray


def beat_frames(grid: BeatGrid, start: float, frames: int, fps: int, first: int = 0) -> BeatFrames:
    """Beats on frames `first .. first + frames - 1` of a video that starts `start` s into the song.

    A beat at `t` falls on frame `round((t - start) * fps)`, counted from the video's first frame,
    so segments neither lose nor repeat one.
    """
    index = np.round((grid.times - start) * fps).astype(np.int64) - first
    ids = np.zeros(frames, dtype=np.int64)
    ids[index[(index >= 0) & (index < frames)]] = 1
    t = start + (first + np.arange(frames)) / fps
    return BeatFrames(ids, grid.count(t))


def whole_beats(grid: BeatGrid, start: float, frames: int, fps: int, even: int = 2) -> range:
    """Those of a video's `frames` that repeat without a break: from its first beat on, over as many
    beats as fit, a multiple of `even`, since a move takes two beats to come back.

    `start` is where in the song the video starts, in seconds.

    Raises:
        InputError: fewer than `even` beats from the first one on.
    """
    beats = (grid.times - start) * fps
    inside = beats[(beats > -0.5) & (beats <= frames)]
    fit = (len(inside) - 1) // even * even
    if fit < even:
        raise InputError(
            f"A loop takes {even} whole beats; {frames / fps:.2f} s at {grid.tempo:.1f} BPM, from "
            f"{start:.2f} s of the song on, do not hold them."
        )
    return range(max(0, round(float(inside[0]))), round(float(inside[fit])))
