"""Dances as motion: a pure function of sentence, take, beats and music.

The dancer goes from the key pose of one beat to that of the next and is slowest on the beats; key
poses between two beats are passed without a stop. The energy of the music sets the amplitude and
its smoothness the sharpness of the motion; the dancer freezes where the drums pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi

import numpy as np
import torch
from einops import reduce

from ...dance.motion import ROOT, SEGMENT_INDEX, SEGMENT_NAMES, DanceMotion
from ...dance.skeleton import INDEX, SEGMENTS, STANDING
from ..clip_music import ClipMusic
from ..easing import ease
from .dance import Dance, Take
from .keys import ARMS, BODY, CHANNEL, CHANNELS, FEET, PHRASE, STANCE, filled, mirrored, repeated
from .moves import MOVE_TABLE, Move
from .styles import ARM_STYLES, GROOVES, LEG_STYLES, parsed_arms, parsed_body, parsed_feet

SIZE_FACTOR = {"small": 0.62, "medium": 1.0, "big": 1.42}
LOWEST_AMPLITUDE = 0.6
"""Amplitude of a move at energy 0."""
STEP = 0.22
"""Height of a step as a share of its length."""
WIDEST = 0.85
"""Largest angle of the body on feet that stand."""
SOFT = 0.4
"""How softly a foot comes down when the weight changes, as a share of its height."""
REACH = 0.995
"""Longest distance from hip to ankle as a share of the leg: a straight knee locks."""


@dataclass(frozen=True)
class Manner:
    """How a mood changes a dance.

    Attributes:
        amplitude, bounce: factors of the move and of the groove.
        smoothness: what is added to that of the music.
        drop, head: pelvis lower in body heights, head tilted in radians.
    """

    amplitude: float = 1.0
    bounce: float = 1.0
    smoothness: float = 0.0
    drop: float = 0.0
    head: float = 0.0


MANNERS = {
    "plain": Manner(),
    "happy": Manner(amplitude=1.12, bounce=1.7),
    "sharp": Manner(amplitude=1.08, smoothness=-0.6),
    "smooth": Manner(bounce=0.8, smoothness=0.6),
    "lazy": Manner(amplitude=0.72, bounce=0.6, smoothness=0.3, drop=0.025, head=0.14),
}

# Share of the way between two beats that each channel has made: the body leads, forearms and head
# follow, and all arrive on the beat.
_LAG = np.ones(len(CHANNELS))
_LAG[: len(BODY)] = 0.9
_LAG[
    [CHANNEL[f"{side}_{name}"] for side in ("left", "right") for name in ("fore", "fore_length")]
] = 1.2
_LAG[CHANNEL["head"]] = 1.2
_LAGS, _GROUP = np.unique(_LAG, return_inverse=True)

_BODY = slice(0, len(BODY))
_SIDES = ("left", "right")
_THIGH, _SHIN = (
    float((STANDING[end] - STANDING[start]).norm())
    for start, end in (SEGMENTS["left_thigh"], SEGMENTS["left_shin"])
)
_HIP_X = float(STANDING[INDEX["left_hip"], 0])
_ANKLE = float(STANDING[INDEX["left_ankle"], 1])
_HIP_UP = float(STANDING[INDEX["left_hip"], 1]) - _ANKLE


@dataclass(frozen=True)
class _Score:
    """A dance with all choices made: keys `[16 25]` per half-beat, the angles of whole turns at
    the beats 0..8 `[9 2]` (about the middle, about the upright axis), and factors."""

    keys: np.ndarray
    turns: np.ndarray
    step: float
    amplitude: float
    arms: float
    smoothness: float


def dance_motion(dance: Dance, music: ClipMusic, take: Take, fps: float) -> DanceMotion:
    """The poses `[f]` of a take of `dance` to `music`."""
    return dance_motions([dance], [music], [take], fps)[0]


def dance_motions(
    dances: Sequence[Dance], music: Sequence[ClipMusic], takes: Sequence[Take], fps: float
) -> list[DanceMotion]:
    """Several dances of the same number of poses, which is faster than one by one."""
    scores = [_score(dance, take) for dance, take in zip(dances, takes, strict=True)]
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
    strength = amplitude * (LOWEST_AMPLITUDE + (1 - LOWEST_AMPLITUDE) * energy)
    values = _between(keys, start, end, way[..., _GROUP], step)
    values = _scaled(values, keys, strength, amplitude, arms)
    plain = way[..., int(np.searchsorted(_LAGS, 1.0))]
    root, limbs = _posed(values, _turned(turns, start, end, plain))
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
    soft = SOFT * highest
    height, most = (x + np.sqrt(x**2 + soft**2) - soft for x in (higher, highest))
    share = np.maximum(height, 0) / np.maximum(most, 1e-9)
    changing = low[0] + way * (low[1] - low[0]) + highest * share
    change = (last - first).prod(axis=-1, keepdims=True) < 0
    return np.where(change, changing, plain)


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
    values[..., CHANNEL["yaw"]] = np.clip(values[..., CHANNEL["yaw"]], -WIDEST, WIDEST)
    arms = values[..., ARMS]
    middle = reduce(keys[..., ARMS], "b half d -> b 1 d", "mean")
    values[..., ARMS] = middle + np.clip(strength**exponent, 0.6, 1.15)[..., None] * (arms - middle)
    for side, rest in zip(_SIDES, (-STANCE, STANCE), strict=True):
        x, up, front = (CHANNEL[f"{side}_foot_{name}"] for name in ("x", "up", "front"))
        values[..., x] = rest + np.minimum(amplitude, 1.25) * (values[..., x] - rest)
        values[..., up] *= np.minimum(strength, 1.2)
        values[..., front] *= np.minimum(strength, 1.2)
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


def _posed(values: np.ndarray, turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root `[b f 9]` and limbs `[b f 8 2]` of channels `[b f 25]` and whole turns `[b f 2]`."""
    at = {name: values[..., i] for name, i in CHANNEL.items()}
    limbs = np.empty((*values.shape[:2], len(SEGMENT_NAMES), 2))
    for side, other, sign in (("left", "right", -1.0), ("right", "left", 1.0)):
        for name, part in (("upper", "upper_arm"), ("fore", "forearm")):
            angle = at[f"{side}_{name}"]
            length = np.clip(at[f"{side}_{name}_length"], 0.1, 1)
            i = SEGMENT_INDEX[f"{other}_{part}"]
            limbs[..., i, 0] = sign * np.sin(angle) * length
            limbs[..., i, 1] = np.cos(angle) * length

    # Scales, yaw and bend of the figure also move its feet: what they add is taken off again.
    foot = {
        name: np.stack([at[f"{side}_foot_{name}"] for side in _SIDES], axis=-1)
        for name in ("x", "up", "front", "knee")
    }
    foot["up"] = np.maximum(foot["up"], 0)
    x, bend = at["x"][..., None], at["bend"][..., None]
    wide = (np.exp(at["width"]) * np.cos(at["yaw"]))[..., None]
    bow = np.sin(pi * np.clip(_ANKLE + foot["up"], 0, 1)) - 0.5
    place = (foot["x"] - x) / wide - bend * bow

    # The pelvis is as high as the straight leg on the ground allows.
    lowest = reduce(foot["up"], "b f side -> b f 1", "min")
    out = np.array([-1.0, 1.0])
    across = place - out * _HIP_X
    longest = REACH * (_THIGH + _SHIN)
    room = np.sqrt(np.maximum(longest**2 - across**2 - foot["front"] ** 2, 0.01))
    allowed = (room + 4 * (foot["up"] - lowest)).min(axis=-1, keepdims=True)
    high = np.minimum(_HIP_UP - at["drop"][..., None], allowed)
    thigh, shin = _leg(across, foot["up"] - lowest - high, foot["front"], foot["knee"], out)
    for k, other in enumerate(("right", "left")):
        limbs[..., SEGMENT_INDEX[f"{other}_thigh"], :] = thigh[..., k, :]
        limbs[..., SEGMENT_INDEX[f"{other}_shin"], :] = shin[..., k, :]
    at["lift"] = lowest[..., 0]
    at["turn"] = at["turn"] + turned[..., 0]
    at["yaw"] = at["yaw"] + turned[..., 1]
    return np.stack([at[name] for name in ROOT], axis=-1), limbs


def _leg(
    x: np.ndarray, up: np.ndarray, front: np.ndarray, outwards: np.ndarray, out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Thigh and shin `[... 2]`, y down, in their lengths, seen from the front.

    Args:
        x, up, front: from the hip to the ankle, to the viewer's right, up and to the viewer.
        outwards: how far the knee points outwards, 1 outwards and 0 to the front.
        out: sign of x that is outwards.
    """
    far = np.sqrt(x**2 + up**2 + front**2)
    # A foot that is out of reach is as near to its place as the leg allows.
    factor = np.minimum(1, REACH * (_THIGH + _SHIN) / np.maximum(far, 1e-6))
    ankle = np.stack([x * factor, up * factor, front * factor], axis=-1)
    far = np.maximum(far * factor, 0.05)[..., None]
    axis = ankle / far
    along = (_THIGH**2 - _SHIN**2 + far**2) / (2 * far)
    height = np.sqrt(np.maximum(_THIGH**2 - along**2, 0))
    # The knee is at right angles to the way from hip to ankle.
    pole = np.stack(
        [out * outwards, np.full(x.shape, 0.3), np.sqrt(np.maximum(1 - outwards**2, 0))], axis=-1
    )
    pole = pole - (pole * axis).sum(axis=-1, keepdims=True) * axis
    pole = pole / np.maximum(np.linalg.norm(pole, axis=-1, keepdims=True), 1e-6)
    knee = along * axis + height * pole
    flat = np.array([1.0, -1.0])
    return knee[..., :2] * flat / _THIGH, (ankle - knee)[..., :2] * flat / _SHIN


@lru_cache(maxsize=4096)
def _score(dance: Dance, take: Take) -> _Score:
    move, manner = MOVE_TABLE[dance.move], MANNERS[dance.mood]
    keys = _spread(parsed_body(tuple(move.body.items())), _BODY, move)
    keys += _spread(_arm_track(move, dance, take), ARMS, move)
    keys += _spread(parsed_feet(_chosen(move.feet or LEG_STYLES, take.legs)), FEET, move)
    turns = 2 * pi * np.stack([_whole(move.rolls), _whole(move.spins)], axis=-1)
    # Where the sentence leaves it open, the second half of the phrase may come first.
    if dance.side == "either" and take.order >= 0.5:
        keys = np.roll(keys, move.beats, axis=0)
        turns = _from_beat(turns, move.beats // 2)
    _vary(keys, take)
    size = SIZE_FACTOR[dance.size]
    bounce = move.groove * manner.bounce * (0.75 + 0.9 * take.bounce) * size**-0.5
    groove = parsed_body(tuple(GROOVES[take.groove].items()))
    keys[:, _BODY] += bounce * filled(repeated(groove, 2 * PHRASE))
    keys[:, CHANNEL["drop"]] += 0.022 + manner.drop
    keys[:, CHANNEL["head"]] += manner.head
    if dance.side == "left" or (dance.side == "either" and take.mirror):
        keys, turns = mirrored(keys), -turns
    amplitude = size * manner.amplitude * (0.92 + 0.16 * take.reach)
    step, arms = 0.0 if move.glides else STEP, 0.12 if move.posed else 0.5
    return _Score(keys, turns, step, amplitude, arms, manner.smoothness)


def _spread(track: np.ndarray, channels: slice, move: Move) -> np.ndarray:
    """A track of some channels over a whole phrase, `[16 25]`, the other channels 0.

    Of a move whose second half is the mirror image of the first, a track that is no longer than the
    half is mirrored too; a longer one is danced as it is written.
    """
    half = move.beats
    keys = np.zeros((len(track), len(CHANNELS)))
    keys[:, channels] = track
    if move.mirror and len(track) <= half:
        keys = repeated(keys, half)
        keys = np.concatenate([keys, mirrored(keys)])
    return filled(repeated(keys, 2 * PHRASE))


def _arm_track(move: Move, dance: Dance, take: Take) -> np.ndarray:
    """Arms that the sentence asks for, those of the move, or a style that the take chooses."""
    if dance.arms != "free":
        return parsed_arms(ARM_STYLES[dance.arms])
    return parsed_arms(_chosen(move.arms or tuple(ARM_STYLES.values()), take.arms))


def _chosen(alternatives: tuple[str, ...], share: float) -> str:
    return alternatives[min(int(share * len(alternatives)), len(alternatives) - 1)]


def _vary(keys: np.ndarray, take: Take) -> None:
    """Small differences between takes, in place: the stance and how the arms are held."""
    wider = 0.03 * (take.stance - 0.4)
    keys[:, CHANNEL["left_foot_x"]] -= wider
    keys[:, CHANNEL["right_foot_x"]] += wider
    for side in _SIDES:
        keys[:, CHANNEL[f"{side}_upper"]] += 0.3 * (take.reach - 0.5)


def _whole(text: str) -> np.ndarray:
    """Turns made by the beats 0..8 of a phrase that is written as turns at the end of each beat."""
    ends = [float(word) for word in text.split()]
    repeats = PHRASE // len(ends)
    return np.array([0.0, *(ends[-1] * i + end for i in range(repeats) for end in ends)])


def _from_beat(turns: np.ndarray, beats: int) -> np.ndarray:
    """Turns `[9 2]` of a phrase that starts `beats` later."""
    return np.concatenate(
        [np.zeros((1, 2)), np.roll(np.diff(turns, axis=0), -beats, axis=0).cumsum(axis=0)]
    )


__all__ = ["LOWEST_AMPLITUDE", "SIZE_FACTOR", "dance_motion", "dance_motions"]
