"""Lag of the motion behind the beats, behind other motion, and per shift of the beats.

All functions use the motion energy (`motion.motion_energy`), which has its minima on the beats of a
dance that rests once a beat. A lag behind a periodic signal is known modulo its period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.beats import BeatGrid
from .bootstrap import Interval, mean_interval
from .motion import energy_times

REACH = 3
"""Search range of `energy_lag` in frames: half a beat at 120 BPM and 12 frames a second."""


@dataclass(frozen=True)
class BeatLag:
    """Lag of the motion's rests behind the beats.

    seconds: the lag, within half a beat either way. share: the share 0..1 of the energy's variance
    that is periodic with the beat. period: the duration of a beat in seconds.
    """

    seconds: float
    share: float
    period: float


def beat_lag(energy: np.ndarray, fps: float, beats: np.ndarray) -> BeatLag | None:
    """Returns the lag of the motion behind `beats` (seconds from the first frame).

    Fits the periodic template -cos(2 pi (count - lag)) to the energy, with `count` the continuous
    beat count; the best lag follows from a linear fit of sine and cosine. None for fewer than two
    beats or constant motion.
    """
    if len(beats) < 2 or np.ptp(energy) == 0:
        return None
    grid = BeatGrid(np.asarray(beats), np.asarray(beats[:0]), 0.0)
    times = energy_times(energy, fps)
    turn = 2 * np.pi * grid.count(times)
    columns = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], axis=1)
    weights, *_ = np.linalg.lstsq(columns, energy, rcond=None)
    residual = energy - columns @ weights
    beats_late = np.arctan2(-weights[2], -weights[1]) / (2 * np.pi)
    count = grid.count(times[[0, -1]])
    period = (times[-1] - times[0]) / (count[1] - count[0])
    share = 1 - float(np.var(residual) / np.var(energy))
    return BeatLag(float(beats_late * period), share, float(period))


def energy_lag(late: np.ndarray, early: np.ndarray, reach: int = REACH) -> float | None:
    """Returns the delay in frames, with fractions, of the energy `late` after `early`, both `[f]`.

    It maximises the correlation within `reach` frames, refined by a parabola through the
    neighbours; None if one of them is constant.

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
    """Shift of a dance per shift of its beats; 1 means that it follows exactly.

    `interval` is the 95 % bootstrap interval over dances; None for fewer than two.
    """

    slope: float
    interval: Interval | None


def shift_slope(lags: np.ndarray, shifts: np.ndarray, seed: int = 0) -> ShiftSlope:
    """Returns the slope through the origin of `lags` [n s] over `shifts` [s], both in frames.

    Row i holds the `energy_lag` of dance i when its beats are moved by each of the shifts. Shifts
    of at most 2 frames and tempi of at most 120 BPM keep the lag unambiguous.

    Raises:
        ValueError: no shift other than 0, or shapes that do not fit.
    """
    lags, shifts = np.atleast_2d(np.asarray(lags)), np.asarray(shifts, dtype=np.float64)
    if not shifts.any() or lags.shape[1:] != shifts.shape:
        raise ValueError(f"lags {lags.shape} do not belong to shifts {shifts.tolist()}")
    slopes = lags @ shifts / (shifts @ shifts)
    return ShiftSlope(float(slopes.mean()), mean_interval(slopes, seed))
