"""Beat times of a whole song, and the beats on a video's frames (section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError

BEATS_PER_BAR = 4
ASSUMED_BPM = 120.0
"""Tempo of the even grid for a song without a pulse."""
STEADY = 0.15
"""Share of the median interval within which an interval counts towards the tempo of a song."""
SAME_TIME = 1e-3
"""Seconds within which a downbeat and a beat are the same: files round their times."""


@dataclass(frozen=True)
class DoubtLimits:
    """Limits of doubt: a `beat` with less confidence, 0..1, is doubtful."""

    beat: float = 0.5


DOUBT = DoubtLimits()


@dataclass(frozen=True)
class BeatGrid:
    """The beats of a song.

    Attributes:
        times: seconds from the song's start, float64, strictly rising, at least two.
        downbeats: the first beats of the bars, in seconds.
        tempo: beats a minute.
        assumed: no beat was found in the song, and the grid is only a guess.
        confidence: the tracker's confidence in each beat, 0..1; None for beats that a person set.
    """

    times: np.ndarray
    downbeats: np.ndarray
    tempo: float
    assumed: bool = False
    confidence: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and self.confidence.shape != self.times.shape:
            raise ValueError(
                f"{len(self.times)} beats need as many confidences, got {self.confidence.shape}"
            )
        if len(self.times) < 2:
            raise ValueError(f"a beat grid needs two beats, got {len(self.times)}")
        if not np.isfinite(self.times).all() or (np.diff(self.times) <= 0).any():
            raise ValueError("beat times must be finite and strictly rising")

    @property
    def song_confidence(self) -> float:
        """The confidence in the beats of the whole song, 0..1: 0 where they are assumed, 1 where a
        person set them."""
        if self.assumed:
            return 0.0
        return 1.0 if self.confidence is None else float(self.confidence.mean())

    def is_doubtful(self) -> np.ndarray:
        """True for the beats `[n]` of which the tracker is not sure."""
        if self.confidence is None:
            return np.zeros(len(self.times), dtype=bool)
        result: np.ndarray = self.confidence < DOUBT.beat
        return result

    def count(self, t: np.ndarray) -> np.ndarray:
        """Continuous beat count at seconds `t`: i at beat i, linear between and beyond."""
        t = np.asarray(t, dtype=np.float64)
        index = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self.times) - 2)
        begin, end = self.times[index], self.times[index + 1]
        result: np.ndarray = index + (t - begin) / (end - begin)
        return result

    def is_downbeat(self) -> np.ndarray:
        """True for the beats `[n]` that are downbeats."""
        downbeats = np.sort(self.downbeats)
        if not len(downbeats):
            return np.zeros(len(self.times), dtype=bool)
        after = np.searchsorted(downbeats, self.times).clip(max=len(downbeats) - 1)
        nearest = np.minimum(
            np.abs(downbeats[after] - self.times),
            np.abs(downbeats[(after - 1).clip(min=0)] - self.times),
        )
        result: np.ndarray = nearest < SAME_TIME
        return result

    def bar_numbers(self) -> np.ndarray:
        """Each beat's number in its bar, int64 `[n]`, 1 on downbeats.

        Beats before the first downbeat are a pickup, numbered by the length of the bar after it;
        where they are no fewer than that, or no bar is known, they count from 2 on.
        """
        index = np.arange(len(self.times))
        downbeats = np.flatnonzero(self.is_downbeat())
        last = np.maximum.accumulate(np.where(np.isin(index, downbeats), index, -1))
        bar = int(downbeats[1] - downbeats[0]) if len(downbeats) > 1 else 0
        pickup = int(downbeats[0]) if len(downbeats) else 0
        first = bar - pickup + 1 if pickup < bar else 2
        return np.where(last < 0, index + first, index - last + 1)

    def in_meter(self, meter: int) -> BeatGrid:
        """The same beats with every `meter`-th a downbeat, in the phase that keeps most of them,
        and among equals the first one."""
        kept = self.is_downbeat()
        first = int(kept.argmax()) % meter
        phase = max(range(meter), key=lambda p: (int(kept[p::meter].sum()), p == first))
        return replace(self, downbeats=self.times[phase::meter])

    def shifted(self, seconds: float) -> BeatGrid:
        """The same beats, later by `seconds`."""
        return replace(self, times=self.times + seconds, downbeats=self.downbeats + seconds)

    def halved(self) -> BeatGrid:
        """Every other beat: the half with more downbeats."""
        if len(self.times) < 4:
            return self
        halves = self.times[::2], self.times[1::2]
        even, odd = (int(np.isin(half, self.downbeats).sum()) for half in halves)
        chosen = slice(int(odd > even), None, 2)
        return replace(
            self,
            times=self.times[chosen],
            # In bars of an odd number of beats, every other downbeat falls between the beats.
            downbeats=self.times[chosen][self.is_downbeat()[chosen]],
            tempo=self.tempo / 2,
            confidence=None if self.confidence is None else self.confidence[chosen],
        )

    def doubled(self) -> BeatGrid:
        """The same beats with one more halfway between any two."""
        return replace(
            self,
            times=_with_middles(self.times),
            tempo=self.tempo * 2,
            confidence=None if self.confidence is None else _with_middles(self.confidence),
        )

    def jittered(self, rng: np.random.Generator, seconds: float) -> BeatGrid:
        """The same beats, each shifted at random by up to `seconds`, less where beats are close;
        downbeats move with their beats."""
        room = min(seconds, float(np.diff(self.times).min()) * 0.4)
        times = self.times + rng.uniform(-room, room, len(self.times))
        return replace(self, times=times, downbeats=times[self.is_downbeat()])

    def to_json(self) -> dict[str, Any]:
        """`{"tempo": .., "beats": [s, ..], "downbeats": [s, ..]}`.

        Where the tracker's confidence is known, also `"confidence": [0..1, ..]` of each beat and
        `"song_confidence"`; an assumed grid has `"assumed": true`.
        """
        data: dict[str, Any] = {
            "tempo": round(float(self.tempo), 3),
            "beats": [round(float(t), 4) for t in self.times],
            "downbeats": [round(float(t), 4) for t in self.downbeats],
        }
        if self.confidence is not None:
            data["confidence"] = [round(float(share), 4) for share in self.confidence]
        if self.confidence is not None or self.assumed:
            data["song_confidence"] = round(self.song_confidence, 4)
        if self.assumed:
            data["assumed"] = True
        return data


def _with_middles(values: np.ndarray) -> np.ndarray:
    """The values with the mean of each two neighbours between them."""
    result = np.repeat(values, 2)[:-1]
    result[1::2] = (values[:-1] + values[1:]) / 2
    return result


def regular_grid(bpm: float, offset: float, seconds: float, meter: int = BEATS_PER_BAR) -> BeatGrid:
    """Even beats at `bpm`, one of them at `offset` seconds, over a song of `seconds`.

    The first beat and every `meter`-th after it is a downbeat.

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
    return BeatGrid(times, times[::meter], float(bpm))


def assumed_grid(seconds: float, bpm: float | None = None, meter: int | None = None) -> BeatGrid:
    """Even beats at `bpm` over a song of `seconds` in which no beat was found.

    Raises:
        InputError: the tempo is not within 20..400 BPM.
    """
    even = regular_grid(bpm or ASSUMED_BPM, 0.0, seconds, meter or BEATS_PER_BAR)
    return replace(even, assumed=True)


def steady_tempo(times: np.ndarray) -> float:
    """Beats a minute of the mean interval between tracked `times [n]` in seconds, which is finer
    than a tracker's frames. Intervals over a break, or of another tempo, do not count."""
    intervals = np.diff(times)
    median = float(np.median(intervals))
    steady = intervals[np.abs(intervals / median - 1) < STEADY]
    # There are none where the median is between two tempi.
    return 60 / (float(steady.mean()) if len(steady) else median)


def require_beats_in_song(grid: BeatGrid, seconds: float, name: str) -> None:
    """Refuse the beats of another song, or in another unit.

    Raises:
        InputError: none of the beats is within the `seconds` of the song called `name`.
    """
    if not ((grid.times >= 0) & (grid.times <= seconds)).any():
        raise InputError(
            f"No beat is within {name}, which is {seconds:.2f} s long: the beats are at "
            f"{grid.times[0]:g} to {grid.times[-1]:g} s."
        )


@dataclass(frozen=True)
class BeatFrames:
    """Beats per frame: `ids` int64 `[f]`, 1 on a beat and else 0, and the continuous beat `count`,
    float64 `[f]`."""

    ids: np.ndarray
    count: np.ndarray


def beat_frames(
    grid: BeatGrid, start: float, frames: int, fps: float, first: int = 0
) -> BeatFrames:
    """Beats on frames `first .. first + frames - 1` of a video that starts `start` s into the song.

    A beat at `t` falls on frame `round((t - start) * fps)`, counted from the video's first frame,
    so that no beat is lost or repeated between segments.
    """
    index = np.round((grid.times - start) * fps).astype(np.int64) - first
    ids = np.zeros(frames, dtype=np.int64)
    ids[index[(index >= 0) & (index < frames)]] = 1
    t = start + (first + np.arange(frames)) / fps
    return BeatFrames(ids, grid.count(t))


@dataclass(frozen=True)
class BeatPulse:
    """The beat per frame, float64 `[f]`: `phase` rises from 0 on a beat to 1 until the next, and
    `pulse` falls from 1 to 0."""

    phase: np.ndarray
    pulse: np.ndarray


DECAYS = ("quadratic", "linear", "exponential", "cosine", "square")
"""Shapes of a pulse from 1 on a beat to 0 at the next."""


def decayed(phase: np.ndarray, decay: str = DECAYS[0]) -> np.ndarray:
    """The pulse at a `phase` in 0..1, in the shape of one of `DECAYS`: 1 at 0, falling to 0 at 1;
    "square" is 1 in the first half and 0 in the second.

    Raises:
        InputError: there is no such shape.
    """
    if decay == "quadratic":
        return (1 - phase) ** 2
    if decay == "linear":
        return 1 - phase
    if decay == "exponential":
        # Down to e^-5, 0.7 %, at the next beat; shifted and scaled to end at 0.
        end = np.exp(-5.0)
        result: np.ndarray = (np.exp(-5 * phase) - end) / (1 - end)
        return result
    if decay == "cosine":
        return np.asarray((1 + np.cos(np.pi * phase)) / 2)
    if decay == "square":
        return (phase < 0.5).astype(np.float64)
    raise InputError(f"There is no decay {decay!r}: it is one of {', '.join(DECAYS)}.")


def beat_pulse(
    grid: BeatGrid, start: float, frames: int, fps: float, decay: str = DECAYS[0]
) -> BeatPulse:
    """The beat as a curve over the frames of a video that starts `start` s into the song, in the
    shape of one of `DECAYS`.

    Before the first beat, and from two usual intervals after any beat on, the phase stays at 1 and
    the pulse at 0; so it does where no beat was found in the song.
    """
    if grid.assumed:
        return BeatPulse(np.ones(frames), np.zeros(frames))
    intervals = np.diff(grid.times)
    usual = float(np.median(intervals))
    lengths = np.append(intervals, usual).clip(max=2 * usual)
    t = start + np.arange(frames) / fps
    index = np.searchsorted(grid.times, t, side="right") - 1
    phase = ((t - grid.times[index]) / lengths[index]).clip(0, 1)
    phase[index < 0] = 1.0

    # The frame of a beat is the nearest one, which may come a little before it.
    phase[beat_frames(grid, start, frames, fps).ids == 1] = 0.0
    return BeatPulse(phase, decayed(phase, decay))


def whole_beats(grid: BeatGrid, start: float, frames: int, fps: float, multiple: int = 2) -> range:
    """The frames of a seamless loop: as many beats as fit, from the video's first beat on.

    Args:
        grid: the song's beats.
        start: seconds of the song at which the video starts.
        frames: number of frames of the video.
        fps: frames per second.
        multiple: the number of beats is a multiple of this; moves repeat after two beats.

    Raises:
        InputError: fewer than `multiple` beats after the first one.
    """
    beats = (grid.times - start) * fps
    inside = beats[(beats > -0.5) & (beats <= frames)]
    fit = (len(inside) - 1) // multiple * multiple
    if fit < multiple:
        raise InputError(
            f"A loop needs {multiple} whole beats, but {frames / fps:.2f} s at {grid.tempo:.1f} "
            f"BPM, from {start:.2f} s of the song on, hold fewer."
        )
    return range(max(0, round(float(inside[0]))), round(float(inside[fit])))
