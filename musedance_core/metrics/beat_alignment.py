"""How well the motion's beats and the music's meet, in both directions and against controls.

All times are seconds from a video's first frame. The tolerance is `SIGMA` seconds whatever the
frame rate: one in frames makes random motion look aligned at 12 frames a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIGMA = 0.05
COVERED = 0.1
"""Seconds within which a beat counts as danced to."""
ROTATIONS = 32
OTHERS = 50
"""With how many other videos' music a video is matched at most."""


@dataclass(frozen=True)
class BeatTrack:
    """One video's beats: `motion` and `music` in seconds, seen within `window` (first, last).

    `song` is what the music is called, None where nobody knows.
    """

    motion: np.ndarray
    music: np.ndarray
    window: tuple[float, float]
    song: str | None = None


@dataclass(frozen=True)
class Alignment:
    """Scores 0..1.

    `motion_to_music`: how near the motion's beats are to some beat of the music; `music_to_motion`:
    the other way round; `both`: their harmonic mean; `coverage`: the share of the music's beats
    that have one of the motion's within `COVERED` seconds.
    """

    motion_to_music: float
    music_to_motion: float
    both: float
    coverage: float


def align(track: BeatTrack) -> Alignment | None:
    """Score one video; None where no beat of the music falls into its window.

    Motion that never rests inside the window meets no beat and scores 0. Beats of the music beyond
    the window are no targets of `music_to_motion`, for nothing can be seen there, but the motion's
    beats may be near them.
    """
    first, last = track.window
    wanted = track.music[(track.music >= first) & (track.music <= last)]
    found = track.motion[(track.motion >= first) & (track.motion <= last)]
    if len(wanted) == 0:
        return None
    if len(found) == 0:
        return Alignment(0.0, 0.0, 0.0, 0.0)
    to_music, to_motion = _distance(found, track.music), _distance(wanted, track.motion)
    precision, recall = _closeness(to_music), _closeness(to_motion)
    both = 2 * precision * recall / max(precision + recall, 1e-12)
    return Alignment(precision, recall, both, float((to_motion <= COVERED).mean()))


def _distance(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Seconds from every one of `found` to the nearest of `wanted`."""
    return np.asarray(np.abs(found[:, None] - wanted[None]).min(axis=1))


def _closeness(distance: np.ndarray) -> float:
    return float(np.exp(-np.square(distance / SIGMA) / 2).mean())


def shuffled(tracks: Sequence[BeatTrack]) -> list[float | None]:
    """For every video, its mean `both` against other music: of the next `OTHERS` videos.

    Videos of the same song are passed over. Two videos are compared over the seconds that both
    last. None where there is no other music.
    """
    return [
        _mean([_both(_against(one, other)) for other in _others(tracks, i)])
        for i, one in enumerate(tracks)
    ]


def _others(tracks: Sequence[BeatTrack], i: int) -> list[BeatTrack]:
    """The videos after i, around the end, whose music is not known to be that of i."""
    song, following = tracks[i].song, [*tracks[i + 1 :], *tracks[:i]]
    return [track for track in following if song is None or track.song != song][:OTHERS]


def _against(one: BeatTrack, other: BeatTrack) -> BeatTrack:
    first, last = max(one.window[0], other.window[0]), min(one.window[1], other.window[1])
    return BeatTrack(one.motion, other.music, (first, last))


def chance(track: BeatTrack) -> float | None:
    """Mean `both` of the same motion moved by all times: rotated within the window."""
    first, last = track.window
    inside = track.motion[(track.motion >= first) & (track.motion <= last)]
    length = last - first
    turned = (np.arange(ROTATIONS) + 0.5) / ROTATIONS * length
    moved = [np.sort(first + (inside - first + by) % length) for by in turned]
    return _mean([_both(BeatTrack(motion, track.music, track.window)) for motion in moved])


def _both(track: BeatTrack) -> float | None:
    scored = align(track)
    return None if scored is None else scored.both


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
