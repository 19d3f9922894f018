"""Summarises clips as one row: means, intervals, controls and distances between sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...metrics.beat_alignment import shuffled_control
from ...metrics.bootstrap import Interval, circular_interval, circular_mean, mean_interval
from ...metrics.frechet import compare_features
from ..measure import MeasuredClip, VideoFigures
from .measures import MEASURES, NO_TRUTH, PAIRED

SETS = ("fvd", "world_frechet")
"""Figures that need a set of clips."""
LAG = "lag"
"""A figure modulo a beat: its mean is circular."""


@dataclass(frozen=True)
class Figure:
    """One figure of a row: a mean over `n` clips, or a distance between two sets of `n`.

    interval: 95 % bootstrap over clips. truth: the true videos' value, the ceiling. floor: for a
    distance, the score of halves of the truth. note: the reason where `value` is None.
    """

    value: float | None
    n: int = 0
    interval: Interval | None = None
    truth: float | None = None
    floor: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One system's figures, named as in `measures.MEASURES`, and those of its clips."""

    label: str
    source: str
    figures: dict[str, Figure]
    clips: list[MeasuredClip]
    notes: tuple[str, ...] = ()


def summarise(
    label: str, source: str, clips: Sequence[MeasuredClip], notes: Sequence[str] = (), seed: int = 0
) -> Row:
    """Summarises measured clips; `seed` seeds the bootstrap."""
    clips = _with_controls(clips)
    figures = {
        name: _set_figure(name, clips, seed) if name in SETS else _mean_figure(name, clips, seed)
        for name in MEASURES
    }
    if figures[LAG].value is not None:
        figures[LAG] = _lag_figure(clips, seed)
    return Row(label, source, figures, clips, tuple(notes))


def _mean_figure(name: str, clips: Sequence[MeasuredClip], seed: int) -> Figure:
    values = _values([clip.sample for clip in clips], name)
    if len(values) == 0:
        return _missing(name, clips)
    true = _values([clip.truth for clip in clips if clip.truth is not None], name)
    ceiling = float(true.mean()) if len(true) else None
    return Figure(float(values.mean()), len(values), mean_interval(values, seed), ceiling)


def _lag_figure(clips: Sequence[MeasuredClip], seed: int) -> Figure:
    """The circular mean of the lags in beats, times the mean beat.

    Half a beat early equals half a beat late, so the plain mean could be 0 for both.
    """
    beats, period = _lags([clip.sample for clip in clips])
    true, true_period = _lags([clip.truth for clip in clips if clip.truth is not None])
    around = circular_interval(beats, seed)
    interval = None if around is None else (around[0] * period, around[1] * period)
    ceiling = float(circular_mean(true)) * true_period if len(true) else None
    return Figure(float(circular_mean(beats)) * period, len(beats), interval, ceiling)


def _lags(videos: Sequence[VideoFigures]) -> tuple[np.ndarray, float]:
    """Returns lags in beats `[n]` and the mean duration of a beat in seconds."""
    pairs = [(video.values[LAG], video.beat) for video in videos if LAG in video.values]
    seconds, periods = np.array(pairs).reshape(-1, 2).T
    return seconds / periods, float(periods.mean()) if len(periods) else 0.0


def _missing(name: str, clips: Sequence[MeasuredClip]) -> Figure:
    alone = name in PAIRED and all(clip.truth is None for clip in clips)
    return Figure(None, note=NO_TRUTH if alone else MEASURES[name].needs)


def _values(videos: Sequence[VideoFigures], name: str) -> np.ndarray:
    return np.array([video.values[name] for video in videos if name in video.values])


def _set_figure(name: str, clips: Sequence[MeasuredClip], seed: int) -> Figure:
    videos = [(clip.sample, clip.truth) for clip in clips if name in clip.sample.features]
    if not videos:
        return _missing(name, clips)
    both = [(one.features[name], two.features[name]) for one, two in videos if two is not None]
    if len(both) < 2:
        return Figure(None, note=NO_TRUTH if not both else "two clips are needed")
    samples, truth = (np.stack(side) for side in zip(*both, strict=True))
    distance = compare_features(samples, truth, seed)
    return Figure(distance.value, distance.n, distance.interval, floor=distance.floor)


def _with_controls(clips: Sequence[MeasuredClip]) -> list[MeasuredClip]:
    """Adds the scores against the other clips' music, for samples and truth."""
    samples = _with_control([clip.sample for clip in clips])
    truths = iter(_with_control([clip.truth for clip in clips if clip.truth is not None]))
    return [
        replace(clip, sample=sample, truth=None if clip.truth is None else next(truths))
        for clip, sample in zip(clips, samples, strict=True)
    ]


def _with_control(videos: Sequence[VideoFigures]) -> list[VideoFigures]:
    scored = [i for i, video in enumerate(videos) if "alignment" in video.values]
    tracks = [track for i in scored if (track := videos[i].track) is not None]
    others = dict(zip(scored, shuffled_control(tracks), strict=True))
    return [_controlled(video, others.get(i)) for i, video in enumerate(videos)]


def _controlled(video: VideoFigures, other: float | None) -> VideoFigures:
    if other is None:
        return video
    gain = video.values["alignment"] - other
    more = {"alignment_shuffled": other, "alignment_gain": gain}
    return replace(video, values={**video.values, **more})
