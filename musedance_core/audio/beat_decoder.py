"""From activations to beats: dynamic programming over positions and tempi, then over meters.

A path is a list of beats, each with a tempo. Its score is the log-likelihood of the activations:
log p at its beats and log (1 - p) at all frames between them, so that neither half nor double the
tempo is free. Intervals may differ a little from the tempo, the tempo may drift from beat to beat,
and a path may pause where nothing pulses and start again with another tempo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METERS = (2, 3, 4)
"""Beats a bar that the decoder tells apart."""


@dataclass(frozen=True)
class DecoderConfig:
    """Weights of the decoder, in log-likelihood; all were chosen on validation songs."""

    slowest: float = 50.0
    fastest: float = 215.0
    """Range of the tempo in BPM."""
    bins_per_octave: int = 36
    """Tempi in an octave: 2 % apart."""
    between: float = 0.65
    """Weight of frames between beats: neighbouring frames are no independent observations."""
    guard: int = 2
    """Frames on both sides of a beat that do not count as between beats."""
    beside: float = 0.6
    """Share of its probability that a beat keeps on the frames beside its own."""
    drift: float = 2.5
    """Cost of a tempo that is one bin off the tempo of the beat before."""
    reach: int = 3
    """Largest change of the tempo between two beats, in bins."""
    deviation: float = 0.4
    """Cost of an interval that is one frame off its tempo; grows with the square."""
    pause: float = 28.0
    """Cost of a pause in the path, after which the tempo is free."""
    typical: float = 100.0
    prior: float = 0.75
    """Tempi are a priori near `typical` BPM: cost per beat of one octave off it, squared."""
    smallest: float = 0.01
    """Smallest probability, at a beat and between beats."""
    meter_change: float = 12.0
    """Cost of a bar with another meter than the bar before, or of a bar that is cut short."""
    bar: tuple[float, float, float] = (0.2, 0.0, 0.0)
    """Cost of a bar of each of `METERS`: bars of two are mostly halves of bars of four."""


DECODER = DecoderConfig()


def decode_beats(
    probability: np.ndarray,
    rate: float,
    tempi: tuple[float, float] | None = None,
    config: DecoderConfig = DECODER,
) -> np.ndarray:
    """The most likely beats, as rising indices of frames, int64 `[n]`; none where nothing pulses.

    Args:
        probability: of a beat, per frame `[t]`, 0..1.
        rate: frames a second.
        tempi: lowest and highest tempo in BPM; None takes those of `config`.
    """
    likelihood = _likelihood(probability, config)
    states = _tempo_states(rate, tempi or (config.slowest, config.fastest), config)
    frames = len(probability)
    paths = _Paths.empty(frames, len(states.cost), config)

    # No interval is shorter than a block, so that the frames of one are independent.
    block = max(1, int(states.intervals.min()) - 1)
    for first in range(0, frames, block):
        t = np.arange(first, min(first + block, frames))
        _extend(paths, t, likelihood, states, config)
        _pause(paths, t, likelihood, config)
    return _trace(paths, likelihood)


@dataclass(frozen=True)
class _Likelihood:
    """Log-likelihoods of the activations.

    Attributes:
        beat: of a beat at each frame, `[t]`.
        empty: `[t + 1]`: that the frames before i hold no beat.
        before, after: per frame `[t]`, `empty` up to a beat there and from it on, without the
            guard around the beat. A beat at b after one at a has before[b] - after[a] between them.
    """

    beat: np.ndarray
    empty: np.ndarray
    before: np.ndarray
    after: np.ndarray


def _likelihood(probability: np.ndarray, config: DecoderConfig) -> _Likelihood:
    """Log-likelihoods of activations `[t]`."""
    p = np.clip(probability.astype(np.float64), config.smallest, 1 - config.smallest)
    beside = np.maximum(np.r_[p[1:], 0], np.r_[0, p[:-1]])
    beat = np.log(np.maximum(p, config.beside * beside))
    # The least activation says nothing against a beat, nor for its absence.
    absent = config.between * np.log1p(-np.where(p > config.smallest, p, 0))
    empty = np.r_[0, np.cumsum(absent)]
    frames = np.arange(len(p))
    before = empty[np.maximum(frames - config.guard, 0)]
    after = empty[np.minimum(frames + config.guard + 1, len(p))]
    return _Likelihood(beat, empty, before, after)


@dataclass(frozen=True)
class _TempoStates:
    """Tempi that a beat can have.

    Attributes:
        cost: of a beat at each tempo, `[k]`: the prior.
        intervals: possible frames from the beat before, int64 `[k 3]`.
        penalty: costs of these intervals with that of the tempo, `[k 3]`.
    """

    cost: np.ndarray
    intervals: np.ndarray
    penalty: np.ndarray


def _tempo_states(rate: float, tempi: tuple[float, float], config: DecoderConfig) -> _TempoStates:
    """Tempi from the lowest to the highest in BPM, evenly spaced in octaves."""
    low, high = tempi
    count = max(1, round(np.log2(high / low) * config.bins_per_octave)) + 1
    bpm = np.geomspace(low, high, count)
    period = 60 * rate / bpm
    cost = config.prior * np.log2(bpm / config.typical) ** 2
    intervals = np.round(period).astype(np.int64)[:, None] + np.array([-1, 0, 1])
    penalty = config.deviation * (intervals - period[:, None]) ** 2 + cost[:, None]
    return _TempoStates(cost, intervals, penalty)


@dataclass(frozen=True)
class _Paths:
    """Scores of the best paths, and pointers back along them.

    Attributes:
        best: `[t k]`, of paths whose last beat is at frame t and tempo k.
        leaving: `[t k]`, of the same paths for a next beat at tempo k, less `_Likelihood.after`.
        source: frame of the beat before, int32 `[t k]`; -1 where the path starts or has paused.
        came_from: tempo of the beat before, int32 `[t k]`.
        last_tempo: tempo of the beat at t for a next beat at tempo k, int32 `[t k]`.
        resumed: last beat before the pause of a path that goes on at t, int32 `[t]`; -1 where it
            begins at t.
        paused: `[t + 1]`, of paths that pause, whose last beat is before frame i.
        paused_at: that beat, int32 `[t + 1]`; -1 before the first one.
    """

    best: np.ndarray
    leaving: np.ndarray
    source: np.ndarray
    came_from: np.ndarray
    last_tempo: np.ndarray
    resumed: np.ndarray
    paused: np.ndarray
    paused_at: np.ndarray

    @classmethod
    def empty(cls, frames: int, tempi: int, config: DecoderConfig) -> _Paths:
        """No paths yet; a first beat costs half a pause."""
        shape = (frames, tempi)
        return cls(
            best=np.full(shape, -np.inf),
            leaving=np.full(shape, -np.inf),
            source=np.full(shape, -1, dtype=np.int32),
            came_from=np.zeros(shape, dtype=np.int32),
            last_tempo=np.zeros(shape, dtype=np.int32),
            resumed=np.full(frames, -1, dtype=np.int32),
            paused=np.full(frames + 1, -config.pause / 2),
            paused_at=np.full(frames + 1, -1, dtype=np.int32),
        )


def _extend(
    paths: _Paths,
    t: np.ndarray,
    likelihood: _Likelihood,
    states: _TempoStates,
    config: DecoderConfig,
) -> None:
    """Beats at the frames `t` of a block: the best way to each of them at each tempo."""
    # A beat that continues: from each of the three intervals of its tempo.
    columns, rows = np.arange(len(states.cost)), np.arange(len(t))[:, None]
    before = t[:, None, None] - states.intervals[None]
    valid = before >= 0
    value = paths.leaving[np.where(valid, before, 0), columns[None, :, None]]
    value = np.where(valid, value - states.penalty[None], -np.inf)
    choice = value.argmax(axis=2)
    continued = value[rows, columns, choice]

    # A beat that starts: after nothing, or after a pause.
    # Its guard and that of the beat before the pause do not overlap.
    known = np.clip(t - 2 * config.guard, 0, t[0])
    paths.resumed[t] = paths.paused_at[known]
    start = paths.paused[known][:, None] - states.cost[None]
    starts = start > continued
    paths.source[t] = np.where(starts, -1, before[rows, columns, choice])
    reached = (likelihood.beat[t] + likelihood.before[t])[:, None]
    paths.best[t] = np.maximum(continued, start) + reached
    paths.came_from[t] = paths.last_tempo[np.maximum(paths.source[t], 0), columns]

    # From here on, the tempo may change by a few bins.
    left = paths.best[t] - likelihood.after[t][:, None]
    paths.leaving[t], paths.last_tempo[t] = _drifted(left, config)


def _pause(paths: _Paths, t: np.ndarray, likelihood: _Likelihood, config: DecoderConfig) -> None:
    """Pauses after the beats at the frames `t` of a block."""
    ended = paths.best[t].max(axis=1) - likelihood.after[t] - config.pause
    for frame, score in zip(t.tolist(), ended, strict=True):
        better = score > paths.paused[frame]
        paths.paused[frame + 1] = score if better else paths.paused[frame]
        paths.paused_at[frame + 1] = frame if better else paths.paused_at[frame]


def _drifted(score: np.ndarray, config: DecoderConfig) -> tuple[np.ndarray, np.ndarray]:
    """The best score `[t k]` with which each tempo can follow, and the tempo that it follows."""
    count = score.shape[1]
    best, tempo = score.copy(), np.broadcast_to(np.arange(count), score.shape).copy()
    for step in range(1, min(config.reach, count - 1) + 1):
        for shift in (-step, step):
            to = slice(max(shift, 0), count + min(shift, 0))
            origin = slice(max(-shift, 0), count + min(-shift, 0))
            candidate = score[:, origin] - config.drift * step
            better = candidate > best[:, to]
            best[:, to][better] = candidate[better]
            tempo[:, to][better] = np.broadcast_to(np.arange(count)[origin], candidate.shape)[
                better
            ]
    return best, tempo


def _trace(paths: _Paths, likelihood: _Likelihood) -> np.ndarray:
    """The frames of the best path, followed from its end."""
    final = paths.best.max(axis=1) + likelihood.empty[-1] - likelihood.after
    frame = int(final.argmax()) if len(final) else -1
    # No beats at all are a path as well.
    if frame < 0 or final[frame] <= likelihood.empty[-1]:
        return np.zeros(0, dtype=np.int64)
    tempo = int(paths.best[frame].argmax())
    beats: list[int] = []
    while frame >= 0:
        beats.append(frame)
        previous = int(paths.source[frame, tempo])
        if previous >= 0:
            frame, tempo = previous, int(paths.came_from[frame, tempo])
        else:
            frame = int(paths.resumed[frame])
            tempo = int(paths.best[frame].argmax()) if frame >= 0 else 0
    return np.array(beats[::-1], dtype=np.int64)


def decode_meter(
    probability: np.ndarray, meter: int | None = None, config: DecoderConfig = DECODER
) -> np.ndarray:
    """Positions of beats in their bars, int64 `[n]`, 0 at downbeats, from the most likely meters.

    The first bar may begin anywhere.

    Args:
        probability: of a downbeat, per beat `[n]`, 0..1.
        meter: beats a bar where it is known; None decides among `METERS`, and may change it.
    """
    meters = METERS if meter is None else (meter,)
    bar = config.bar if meter is None else (0.0,)
    states = [(m, position) for m in range(len(meters)) for position in range(meters[m])]
    index = {state: i for i, state in enumerate(states)}

    # Costs from each state to each: on to the next position, or to a new bar.
    cost = np.full((len(states), len(states)), np.inf)
    for (m, position), i in index.items():
        last = position == meters[m] - 1
        if not last:
            cost[i, index[m, position + 1]] = 0
        for other in range(len(meters)):
            changes = int(other != m) + int(not last)
            cost[i, index[other, 0]] = config.meter_change * changes + bar[other]

    # The Viterbi algorithm: scores of the best ways to each state, and pointers back.
    p = np.clip(probability, config.smallest, 1 - config.smallest)
    downbeat = np.array([position == 0 for _, position in states])
    score = np.zeros(len(states))
    back = np.zeros((len(p), len(states)), dtype=np.int64)
    for i, value in enumerate(p):
        if i:
            total = score[:, None] - cost
            back[i] = total.argmax(axis=0)
            score = total.max(axis=0)
        score = score + np.where(downbeat, np.log(value), np.log1p(-value))
    positions = np.zeros(len(p), dtype=np.int64)
    state = int(score.argmax())
    for i in range(len(p) - 1, -1, -1):
        positions[i] = states[state][1]
        state = int(back[i, state])
    return positions
