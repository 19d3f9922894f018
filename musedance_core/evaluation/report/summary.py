"""From clips to one row of the table: means, intervals, controls and set distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...metrics.beat_alignment import shuffled
from ...metrics.bootstrap import Interval, circular_interval, circular_mean, mean_interval
from ...metrics.frechet import compare
from ..measure import Measured, VideoFigures
from .measures import MEASURES, NO_TRUTH, PAIRED

SETS = ("fvd", "world_frechet")
"""Figures of a whole set of clips."""
LAG = "lag"
"""The figure that is known up to a beat: its mean is a circular one."""


@dataclass(frozen=True)
class Figure:
    """One figure of a row: a mean over `n` clips, or a distance between two sets of `n`.

    interval: 95 %, by resampling clips. truth: the same of the true videos, the ceiling. floor: for
    a distance, what halves of the truth score. Where `value` is None, `note` says why.
    """

    value: float | None
    n: int = 0
    interval: Interval | None = None
    truth: float | None = None
    floor: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One system's figures, by the names of `catalogue.MEASURES`, and those of its clips."""

    label: str
    source: str
    figures: dict[str, Figure]
    clips: list[Measured]
    notes: tuple[str, ...] = ()


def summarise(
    label: str, source: str, clips: Sequence[Measured], notes: Sequence[str] = (), seed: int = 0
) -> Row:
    """One row out of measured clips; `seed` is that of the resampling."""
    clips = _with_controls(clips)
    figures = {
        name: _set_figure(name, clips, seed) if name in SETS else _mean_figure(name, clips, seed)
        for name in MEASURES
    }
    if figures[LAG].value is not None:
        figures[LAG] = _lag_figure(clips, seed)
    return Row(label, source, figures, clips, tuple(notes))


def _mean_figure(name: str, clips: Sequence[Measured], seed: int) -> Figure:
    values = _values([clip.sample for clip in clips], name)
    if len(values) == 0:
        return _missing(name, clips)
    true = _values([clip.truth for clip in clips if clip.truth is not None], name)
    ceiling = float(true.mean()) if len(true) else None
    return Figure(float(values.mean()), len(values), mean_interval(values, seed), ceiling)


def _lag_figure(clips: Sequence[Measured], seed: int) -> Figure:
    """The circular mean of the lags in beats, times the mean beat.

    Half a beat early is half a beat late; the plain mean of both would be no lag at all.
    """
    beats, period = _lags([clip.sample for clip in clips])
    true, true_period = _lags([clip.truth for clip in clips if clip.truth is not None])
    around = circular_interval(beats, seed)
    interval = None if around is None else (around[0] * period, around[1] * period)
    ceiling = float(circular_mean(true)) * true_period if len(true) else None
    return Figure(float(circular_mean(beats)) * period, len(beats), interval, ceiling)


def _lags(looks: Sequence[VideoFigures]) -> tuple[np.ndarray, float]:
    """Lags in beats `[n]`, and the mean beat in seconds."""
    told = [(look.values[LAG], look.beat) for look in looks if LAG in look.values]
    seconds, periods = np.array(told).reshape(-1, 2).T
    return seconds / periods, float(periods.mean()) if len(periods) else 0.0


def _missing(name: str, clips: Sequence[Measured]) -> Figure:
    alone = name in PAIRED and all(clip.truth is None for clip in clips)
    return Figure(None, note=NO_TRUTH if alone else MEASURES[name].needs)


def _values(looks: Sequence[VideoFigures], name: str) -> np.ndarray:
    return np.array([look.values[name] for look in looks if name in look.values])


def _set_figure(name: str, clips: Sequence[Measured], seed: int) -> Figure:
    looks = [(clip.sample, clip.truth) for clip in clips if name in clip.sample.features]
    if not looks:
        return _missing(name, clips)
    pairs = [(one.features[name], two.features[name]) for one, two in looks if two is not None]
    if len(pairs) < 2:
        return Figure(None, note=NO_TRUTH if not pairs else "two clips are needed")
    samples, truth = (np.stack(side) for side in zip(*pairs, strict=True))
    found = compare(samples, truth, seed)
    return Figure(found.value, found.n, found.interval, floor=found.floor)


def _with_controls(clips: Sequence[Measured]) -> list[Measured]:
    """The clips with their scores against the other clips' music, on both sides."""
    samples = _with_control([clip.sample for clip in clips])
    truths = iter(_with_control([clip.truth for clip in clips if clip.truth is not None]))
    return [
        replace(clip, sample=sample, truth=None if clip.truth is None else next(truths))
        for clip, sample in zip(clips, samples, strict=True)
    ]


def _with_control(looks: Sequence[VideoFigures]) -> list[VideoFigures]:
    scored = [i for i, look in enumerate(looks) if "alignment" in look.values]
    tracks = [track for i in scored if (track := looks[i].track) is not None]
    others = dict(zip(scored, shuffled(tracks), strict=True))
    return [_controlled(look, others.get(i)) for i, look in enumerate(looks)]


def _controlled(look: VideoFigures, other: float | None) -> VideoFigures:
    if other is None:
        return look
    gain = look.values["alignment"] - other
    more = {"alignment_shuffled": other, "alignment_gain": gain}
    return replace(look, values={**look.values, **more})
