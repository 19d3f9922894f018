"""Beat alignment of motion and music, in both directions and against controls.

All times are seconds from a video's first frame. The tolerance is `SIGMA` seconds at every frame
rate: a tolerance in frames makes random motion look aligned at 12 frames a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIGMA = 0.05
"""Standard deviation of the Gaussian tolerance, in seconds."""
COVERAGE_WINDOW = 0.1
"""A beat of the music is covered by a motion beat within so many seconds."""
ROTATIONS = 32
"""Time shifts per video in the chance level."""
MOST_OTHERS = 50
"""Other videos whose music a video is compared with, at most."""


@dataclass(frozen=True)
class BeatTrack:
    """Motion beats and music beats of one video, in seconds.

    `window` (first, last) is the time in which motion beats can be detected; `song` names the
    music, or is None.
    """

    motion: np.ndarray
    music: np.ndarray
    window: tuple[float, float]
    song: str | None = None


@dataclass(frozen=True)
class Alignment:
    """Scores in 0..1.

    `motion_to_music` averages the closeness of each motion beat to the nearest music beat,
    `music_to_motion` the reverse; `harmonic_mean` is that of the two. `coverage` is the share of
    music beats with a motion beat within `COVERAGE_WINDOW` seconds.
    """

    motion_to_music: float
    music_to_motion: float
    harmonic_mean: float
    coverage: float


def beat_alignment(track: BeatTrack) -> Alignment | None:
    """Scores one video; None if no music beat is inside its window.

    Without motion beats inside the window all scores are 0. Music beats outside the window are
    skipped in `music_to_motion`, since motion beats cannot be detected there, but motion beats may
    match them.
    """
    first, last = track.window
    music = track.music[(track.music >= first) & (track.music <= last)]
    motion = track.motion[(track.motion >= first) & (track.motion <= last)]
    if len(music) == 0:
        return None
    if len(motion) == 0:
        return Alignment(0.0, 0.0, 0.0, 0.0)
    to_music, to_motion = _distance(motion, track.music), _distance(music, track.motion)
    precision, recall = _closeness(to_music), _closeness(to_motion)
    mean = 2 * precision * recall / max(precision + recall, 1e-12)
    return Alignment(precision, recall, mean, float((to_motion <= COVERAGE_WINDOW).mean()))


def _distance(times: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Seconds from each of `times` to the nearest of `targets`."""
    return np.asarray(np.abs(times[:, None] - targets[None]).min(axis=1))


def _closeness(distance: np.ndarray) -> float:
    return float(np.exp(-np.square(distance / SIGMA) / 2).mean())


def shuffled_control(tracks: Sequence[BeatTrack]) -> list[float | None]:
    """Returns each video's mean `harmonic_mean` against the music of the next `MOST_OTHERS` videos.

    Videos of the same song are skipped. Two videos are compared over their common duration. None
    if there is no other music.
    """
    return [
        _mean([_harmonic_mean(_against(one, other)) for other in _others(tracks, i)])
        for i, one in enumerate(tracks)
    ]


def _others(tracks: Sequence[BeatTrack], i: int) -> list[BeatTrack]:
    """Returns the videos after i, wrapping around, that are not known to have the same music."""
    song, following = tracks[i].song, [*tracks[i + 1 :], *tracks[:i]]
    return [track for track in following if song is None or track.song != song][:MOST_OTHERS]


def _against(one: BeatTrack, other: BeatTrack) -> BeatTrack:
    first, last = max(one.window[0], other.window[0]), min(one.window[1], other.window[1])
    return BeatTrack(one.motion, other.music, (first, last))


def chance_level(track: BeatTrack) -> float | None:
    """Returns the mean `harmonic_mean` of the motion beats rotated in time within the window."""
    first, last = track.window
    inside = track.motion[(track.motion >= first) & (track.motion <= last)]
    length = last - first
    shifts = (np.arange(ROTATIONS) + 0.5) / ROTATIONS * length
    rotated = [np.sort(first + (inside - first + shift) % length) for shift in shifts]
    return _mean(
        [_harmonic_mean(BeatTrack(motion, track.music, track.window)) for motion in rotated]
    )


def _harmonic_mean(track: BeatTrack) -> float | None:
    scored = beat_alignment(track)
    return None if scored is None else scored.harmonic_mean


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
