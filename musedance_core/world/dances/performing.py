"""Dances as motion: a pure function of sentence, take, beats and music.

The dancer goes from the key pose of one beat to that of the next and is slowest on the beats; key
poses between two beats are passed without a stop. The energy of the music sets the amplitude and
its smoothness the sharpness of the motion; the dancer freezes where the drums pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from einops import reduce

from ...dance.motion import DanceMotion
from ..clip_music import ClipMusic
from ..easing import ease
from .dance import Dance, Take
from .keys import ARMS, BODY, CHANNEL, CHANNELS, PHRASE, STANCE
from .kinematics import root_and_limbs
from .score import score_of


@dataclass(frozen=True)
class PerformanceSettings:
    """Performance of the key poses: amplitudes, limits and timing."""

    lowest_amplitude: float = 0.6  # of a move at energy 0, next to 1 at energy 1
    largest_yaw: float = 0.85  # largest angle of the body on feet that stand
    softness: float = 0.4  # of a foot that comes down, as a share of its height
    arm_range: tuple[float, float] = (0.6, 1.15)  # least and largest amplitude of the arms
    largest_step: float = 1.25  # amplitude of the sentence beyond which steps do not get longer
    largest_lift: float = 1.2  # amplitude beyond which feet do not get higher
    # Exponents of the share of the way between two beats: the body leads, forearms and head follow,
    # and all arrive on the beat.
    body_lag: float = 0.9
    follow_lag: float = 1.2


SETTINGS = PerformanceSettings()
_LAG = np.ones(len(CHANNELS))
_LAG[: len(BODY)] = SETTINGS.body_lag
_LAG[
    [CHANNEL[f"{side}_{name}"] for side in ("left", "right") for name in ("fore", "fore_length")]
] = SETTINGS.follow_lag
_LAG[CHANNEL["head"]] = SETTINGS.follow_lag
_LAGS, _GROUP = np.unique(_LAG, return_inverse=True)

_SIDES = ("left", "right")


def dance_motion(dance: Dance, music: ClipMusic, take: Take, fps: float) -> DanceMotion:
    """The poses `[f]` of a take of `dance` to `music`."""
    return dance_motions([dance], [music], [take], fps)[0]


def dance_motions(
    dances: Sequence[Dance], music: Sequence[ClipMusic], takes: Sequence[Take], fps: float
) -> list[DanceMotion]:
    """Several dances of the same number of poses, which is faster than one by one."""
    scores = [score_of(dance, take) for dance, take in zip(dances, takes, strict=True)]
    keys = np.stack([score.keys for score in scores])
    turns = np.stack([score.turns for score in scores])
    step, amplitude, arms, shift = (
        np.array([getattr(score, name) for score in scores])[:, None]
        for name in ("step", "amplitude", "arms", "smoothness")
    )
    count = np.stack([one.count for one in music])
    start = np.stack([one.origin for one in music]).astype(np.int64)
    hold = np.stack([one.frozen for one in music])
    energy = np.stack([one.energy for one in music])
    smoothness = np.clip(np.array([one.smoothness for one in music])[:, None] + shift, 0, 1)

    # Share of the way from one beat's pose to the next that each group of channels has made.
    beat = np.floor(count).astype(np.int64)
    end = np.where(hold, start, beat + 1)
    progress = count - beat
    way = np.clip(ease(progress[..., None] ** _LAGS, smoothness[..., None]), 0, 1)
    least = SETTINGS.lowest_amplitude
    strength = amplitude * (least + (1 - least) * energy)
    values = _between(keys, start, end, way[..., _GROUP], step)
    values = _scaled(values, keys, strength, amplitude, arms)
    plain = way[..., int(np.searchsorted(_LAGS, 1.0))]
    root, limbs = root_and_limbs(values, _turned(turns, start, end, plain))
    root_, limbs_ = torch.from_numpy(root).float(), torch.from_numpy(limbs).float()
    return [DanceMotion(r, limb, fps) for r, limb in zip(root_, limbs_, strict=True)]


def _between(
    keys: np.ndarray, start: np.ndarray, end: np.ndarray, way: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Channels `[b f 25]` on a parabola through the keys of two beats and the one between them."""
    b = np.arange(len(keys))[:, None]
    first, last = keys[b, 2 * start % (2 * PHRASE)], keys[b, 2 * end % (2 * PHRASE)]
    middle = keys[b, (2 * start + 1) % (2 * PHRASE)]
    # A dancer who holds still, or catches up after that, does not pass the key between.
    passes = (end == start + 1)[..., None]
    halfway = (first + last) / 2
    arc = np.where(passes, middle, halfway) - halfway
    lifted = 4 * way * (1 - way)
    values = first + way * (last - first) + lifted * arc
    feet = [CHANNEL[f"{side}_foot_up"] for side in _SIDES]
    values[..., feet] = _weight_change(first[..., feet], last[..., feet], way[..., feet])
    values[..., feet] += lifted[..., feet] * arc[..., feet]
    # A foot that changes its place is lifted.
    for side in _SIDES:
        x, up = CHANNEL[f"{side}_foot_x"], CHANNEL[f"{side}_foot_up"]
        length = np.abs(last[..., x] - first[..., x])
        values[..., up] += step * length * lifted[..., x]
    return np.asarray(values)


def _weight_change(first: np.ndarray, last: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Heights of the feet `[... 2]` between those on two beats.

    Where one comes down as the other goes up, it is down before the other leaves the ground.
    """
    plain = first + way * (last - first)
    low = first.min(axis=-1, keepdims=True), last.min(axis=-1, keepdims=True)
    start, end = first - low[0], last - low[1]
    higher = start + way * (end - start)
    higher = higher - higher[..., ::-1]
    highest = np.maximum(start, end).max(axis=-1, keepdims=True)
    soft = SETTINGS.softness * highest
    height, most = (x + np.sqrt(x**2 + soft**2) - soft for x in (higher, highest))
    share = np.maximum(height, 0) / np.maximum(most, 1e-9)
    changing = low[0] + way * (low[1] - low[0]) + highest * share
    change = (last - first).prod(axis=-1, keepdims=True) < 0
    return np.asarray(np.where(change, changing, plain))


def _scaled(
    values: np.ndarray,
    keys: np.ndarray,
    strength: np.ndarray,
    amplitude: np.ndarray,
    exponent: np.ndarray,
) -> np.ndarray:
    """Channels with the amplitude of the music and of the sentence.

    The body moves about rest, arms about the mean of their phrase and less than in proportion (to
    the power `exponent`), so that raised arms stay up. Places of the feet follow the sentence
    alone: they must not slide when the music gets louder.
    """
    n = len(BODY)
    values[..., :n] *= strength[..., None]
    yaw, largest = CHANNEL["yaw"], SETTINGS.largest_yaw
    values[..., yaw] = values[..., yaw].clip(-largest, largest)
    arms = values[..., ARMS]
    middle = reduce(keys[..., ARMS], "b half d -> b 1 d", "mean")
    arm_strength = np.clip(strength**exponent, *SETTINGS.arm_range)
    values[..., ARMS] = middle + arm_strength[..., None] * (arms - middle)
    step = np.minimum(amplitude, SETTINGS.largest_step)
    lift = np.minimum(strength, SETTINGS.largest_lift)
    for side, rest in zip(_SIDES, (-STANCE, STANCE), strict=True):
        x, up, front = (CHANNEL[f"{side}_foot_{name}"] for name in ("x", "up", "front"))
        values[..., x] = rest + step * (values[..., x] - rest)
        values[..., up] *= lift
        values[..., front] *= lift
    return values


def _turned(turns: np.ndarray, start: np.ndarray, end: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Angles `[b f 2]` of the whole turns, continuous over the frames."""
    b = np.arange(len(turns))[:, None]

    def at(beats: np.ndarray) -> np.ndarray:
        whole = (beats // PHRASE)[..., None] * turns[:, None, PHRASE]
        return np.asarray(whole + turns[b, beats % PHRASE])

    first, last = at(start), at(end)
    # After a pause the dancer catches up by less than a whole turn.
    missed = np.where((end > start + 1)[..., None], np.round((last - first) / (2 * pi)), 0)
    angle = first + way[..., None] * (last - first - 2 * pi * missed)
    return np.unwrap(angle, axis=1)
