"""By how much the motion comes late: against the beats, against other motion, and per shift.

All of it looks at the motion's energy (`motion.motion_energy`), which is lowest on the beats of a
dance that has one rest a beat. A lag against a periodic thing is known up to its period only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.beats import BeatGrid
from .bootstrap import Interval, mean_interval
from .motion import energy_times

REACH = 3
"""Frames within which `energy_lag` looks: half a beat at 120 BPM and 12 frames a second."""


@dataclass(frozen=True)
class BeatLag:
    """`seconds` by which the rests come after the beats, within half a beat either way; the `share`
    0..1 of the energy's variance that goes with the beat at all; the `period` of a beat in seconds.
    """

    seconds: float
    share: float
    period: float


def beat_lag(energy: np.ndarray, fps: float, beats: np.ndarray) -> BeatLag | None:
    """Lag of the motion behind `beats` (seconds from the first frame).

    The energy is matched with the periodic template -cos(2 pi (count - lag)), `count` being the
    continuous count of beats; where their correlation is highest follows from a linear fit of sine
    and cosine. None for fewer than two beats or motion without any change.
    """
    if len(beats) < 2 or np.ptp(energy) == 0:
        return None
    grid = BeatGrid(np.asarray(beats), np.asarray(beats[:0]), 0.0)
    times = energy_times(energy, fps)
    turn = 2 * np.pi * grid.count(times)
    columns = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], axis=1)
    weights, *_ = np.linalg.lstsq(columns, energy, rcond=None)
    rest = energy - columns @ weights
    beats_late = np.arctan2(-weights[2], -weights[1]) / (2 * np.pi)
    count = grid.count(times[[0, -1]])
    period = (times[-1] - times[0]) / (count[1] - count[0])
    share = 1 - float(np.var(rest) / np.var(energy))
    return BeatLag(float(beats_late * period), share, float(period))


def energy_lag(late: np.ndarray, early: np.ndarray, reach: int = REACH) -> float | None:
    """Frames, with fractions, by which the energy `late` comes after `early`, both `[f]`.

    It is the place of the highest correlation within `reach` frames, refined by the parabola
    through its neighbours; None where one of them never changes.

    Raises:
        ValueError: lengths that differ or are not above 2 * reach + 3.
    """
    n = len(early)
    if len(late) != n or n <= 2 * reach + 3:
        raise ValueError(f"energies of {len(late)} and {n} frames do not compare at reach {reach}")
    if np.ptp(late) == 0 or np.ptp(early) == 0:
        return None

    def at(k: int) -> float:
        one, two = late[max(k, 0) : n + min(k, 0)], early[max(-k, 0) : n - max(k, 0)]
        one, two = one - one.mean(), two - two.mean()
        return float(one @ two / max(float(np.linalg.norm(one) * np.linalg.norm(two)), 1e-12))

    steps = np.arange(-reach - 1, reach + 2)
    match = np.array([at(int(k)) for k in steps])
    best = 1 + int(match[1:-1].argmax())
    before, top, after = match[best - 1 : best + 2]
    bend = before - 2 * top + after
    shift = (before - after) / (2 * bend) if bend < 0 else 0.0
    return float(steps[best] + np.clip(shift, -0.5, 0.5))


@dataclass(frozen=True)
class ShiftSlope:
    """Frames by which a dance moves per frame by which its beats were moved; 1 follows exactly.

    `interval` is 95 %, by resampling the dances; None for fewer than two.
    """

    slope: float
    interval: Interval | None


def shift_slope(lags: np.ndarray, shifts: np.ndarray, seed: int = 0) -> ShiftSlope:
    """Slope through the origin of `lags` [n s] over `shifts` [s], both in frames.

    Row i holds what `energy_lag` says of dance i made again with its beats moved by each of the
    shifts. Shifts of at most 2 frames and tempi of at most 120 BPM keep the lag unambiguous.

    Raises:
        ValueError: no shift other than 0, or shapes that do not fit.
    """
    lags, shifts = np.atleast_2d(np.asarray(lags)), np.asarray(shifts, dtype=np.float64)
    if not shifts.any() or lags.shape[1:] != shifts.shape:
        raise ValueError(f"lags {lags.shape} do not belong to shifts {shifts.tolist()}")
    slopes = lags @ shifts / (shifts @ shifts)
    return ShiftSlope(float(slopes.mean()), mean_interval(slopes, seed))
