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
    between: float = 0.7
    """Weight of frames between beats: neighbouring frames are no independent observations."""
    guard: int = 2
    """Frames on both sides of a beat that do not count as between beats."""
    beside: float = 0.6
    """Share of its probability that a beat keeps on the frames beside its own."""
    drift: float = 1.5
    """Cost of a tempo that is one bin off the tempo of the beat before."""
    reach: int = 3
    """Largest change of the tempo between two beats, in bins."""
    deviation: float = 0.4
    """Cost of an interval that is one frame off its tempo; grows with the square."""
    pause: float = 30.0
    """Cost of a pause in the path, after which the tempo is free."""
    typical: float = 118.0
    prior: float = 0.25
    """Tempi are a priori near `typical` BPM: cost per beat of one octave off it, squared."""
    smallest: float = 0.01
    """Smallest probability, at a beat and between beats."""
    meter_change: float = 8.0
    """Cost of a bar with another meter than the bar before, or of a bar that is cut short."""
    bar: tuple[float, float, float] = (0.5, 0.0, 0.0)
    """Cost of a bar of each of `METERS`: bars of two are mostly halves of bars of four."""


DECODER = DecoderConfig()


def decode_beats(
    probability: np.ndarray,
    rate: float,
    tempi: tuple[float, float] | None = None,
    config: DecoderConfig = DECODER,
) -> np.ndarray:
    """The most likely beats, as rising indices of frames `[n]`; none where nothing pulses.

    Args:
        probability: of a beat, per frame `[t]`.
        rate: frames a second.
        tempi: lowest and highest tempo in BPM; None takes those of `config`.
    """
    frames = len(probability)
    p = np.clip(probability.astype(np.float64), config.smallest, 1 - config.smallest)
    beside = np.maximum(np.r_[p[1:], 0], np.r_[0, p[:-1]])
    on = np.log(np.maximum(p, config.beside * beside))
    # off[i] is the log-likelihood that the frames before i hold no beat.
    off = np.r_[0, np.cumsum(config.between * np.log1p(-np.where(p > config.smallest, p, 0)))]
    low, high = tempi or (config.slowest, config.fastest)
    count = max(1, round(np.log2(high / low) * config.bins_per_octave)) + 1
    bpm = np.geomspace(low, high, count)
    period = 60 * rate / bpm
    cost = config.prior * np.log2(bpm / config.typical) ** 2

    # Possible intervals of each tempo in whole frames, and the cost of their deviation.
    intervals = np.round(period).astype(np.int64)[:, None] + np.array([-1, 0, 1])
    penalty = config.deviation * (intervals - period[:, None]) ** 2 + cost[:, None]

    ends = np.maximum(np.arange(frames) - config.guard, 0)
    begins = np.minimum(np.arange(frames) + config.guard + 1, frames)
    # best[t, k]: score of the best path whose last beat is t at tempo k. leaving[t, k]: the same
    # for a next beat at tempo k, less what `off` holds of the frames up to t.
    best = np.full((frames, count), -np.inf)
    leaving = np.full((frames, count), -np.inf)
    source = np.full((frames, count), -1, dtype=np.int32)
    came_from = np.zeros((frames, count), dtype=np.int32)
    last_tempo = np.zeros((frames, count), dtype=np.int32)
    restart, restart_at = np.zeros(frames + 1), np.full(frames + 1, -1, dtype=np.int32)
    restart[0] = -config.pause / 2
    block = max(1, int(intervals.min()) - 1)
    # A path starts after what is known when its block begins; no interval is shorter than a block.
    entry = np.minimum(ends, np.arange(frames) // block * block)
    columns = np.arange(count)
    for first in range(0, frames, block):
        t = np.arange(first, min(first + block, frames))
        # A beat that continues: from each of the three intervals of its tempo.
        before = t[:, None, None] - intervals[None]
        valid = before >= 0
        value = leaving[np.where(valid, before, 0), columns[None, :, None]]
        value = np.where(valid, value - penalty[None], -np.inf)
        choice = value.argmax(axis=2)
        rows = np.arange(len(t))[:, None]
        continued = value[rows, columns, choice]
        # A beat that starts: after nothing, or after a pause.
        start = restart[entry[t]][:, None] - cost[None]
        starts = start > continued
        source[t] = np.where(starts, -1, before[rows, columns, choice])
        best[t] = np.maximum(continued, start) + (on[t] + off[ends[t]])[:, None]
        came_from[t] = last_tempo[np.maximum(source[t], 0), columns]
        # From here on, the tempo may change by a few bins.
        leaving[t], last_tempo[t] = _drifted(best[t] - off[begins[t]][:, None], config)
        # And the path may pause.
        ended = best[t].max(axis=1) - off[begins[t]] - config.pause
        for i, frame in enumerate(t.tolist()):
            at = frame + 1
            restart[at], restart_at[at] = restart[at - 1], restart_at[at - 1]
            if ended[i] > restart[at]:
                restart[at], restart_at[at] = ended[i], frame
    return _trace(best, source, came_from, restart, restart_at, off, begins, entry, config)


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


def _trace(
    best: np.ndarray,
    source: np.ndarray,
    came_from: np.ndarray,
    restart: np.ndarray,
    restart_at: np.ndarray,
    off: np.ndarray,
    begins: np.ndarray,
    entry: np.ndarray,
    config: DecoderConfig,
) -> np.ndarray:
    """The frames of the best path, followed from its end."""
    final = best.max(axis=1) + off[-1] - off[begins]
    beats: list[int] = []
    frame = int(final.argmax()) if len(final) else -1
    if frame < 0 or final[frame] - config.pause / 2 <= restart[0] + off[-1]:
        return np.zeros(0, dtype=np.int64)
    tempo = int(best[frame].argmax())
    while frame >= 0:
        beats.append(frame)
        previous = int(source[frame, tempo])
        if previous >= 0:
            frame, tempo = previous, int(came_from[frame, tempo])
        else:
            frame = int(restart_at[entry[frame]])
            tempo = int(best[frame].argmax()) if frame >= 0 else 0
    return np.array(beats[::-1], dtype=np.int64)


def decode_meter(
    probability: np.ndarray, meter: int | None = None, config: DecoderConfig = DECODER
) -> np.ndarray:
    """The places of beats in their bars `[n]`, 0 at downbeats, from the most likely meters.

    Args:
        probability: of a downbeat, per beat `[n]`.
        meter: beats a bar where it is known; None decides among `METERS`, and may change it.
    """
    meters = METERS if meter is None else (meter,)
    bar = config.bar if meter is None else (0.0,)
    states = [(m, place) for m in range(len(meters)) for place in range(meters[m])]
    index = {state: i for i, state in enumerate(states)}
    # Costs from each state to each: on to the next place, or to a new bar.
    cost = np.full((len(states), len(states)), np.inf)
    for (m, place), i in index.items():
        last = place == meters[m] - 1
        if not last:
            cost[i, index[m, place + 1]] = 0
        for other in range(len(meters)):
            change = config.meter_change * ((other != m) + (not last)) + bar[other]
            cost[i, index[other, 0]] = min(cost[i, index[other, 0]], change)
    p = np.clip(probability, config.smallest, 1 - config.smallest)
    downbeat = np.array([place == 0 for _, place in states])
    score = np.zeros(len(states))
    back = np.zeros((len(p), len(states)), dtype=np.int64)
    for i, value in enumerate(p):
        if i:
            total = score[:, None] - cost
            back[i] = total.argmax(axis=0)
            score = total.max(axis=0)
        score = score + np.where(downbeat, np.log(value), np.log1p(-value))
    places = np.zeros(len(p), dtype=np.int64)
    state = int(score.argmax())
    for i in range(len(p) - 1, -1, -1):
        places[i] = states[state][1]
        state = int(back[i, state])
    return places
