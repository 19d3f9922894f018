"""A dance with all choices made: key poses over a phrase, and how they are danced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi

import numpy as np

from .dance import Dance, Take
from .keys import ARMS, BODY, CHANNEL, CHANNELS, FEET, PHRASE, filled, mirrored, repeated
from .moves import MOVE_TABLE, Move
from .styles import ARM_STYLES, GROOVES, LEG_STYLES, parsed_arms, parsed_body, parsed_feet

SIZE_FACTOR = {"small": 0.62, "medium": 1.0, "big": 1.42}
STEP = 0.22
"""Height of a step as a share of its length."""
SLACK = 0.022
"""Drop of a dancer's standing height below that on straight legs."""
ARM_GROWTH, POSED_GROWTH = 0.5, 0.12
"""Powers of the amplitude by which arms move more, in most moves and in those of poses."""
_BODY = slice(0, len(BODY))
_SIDES = ("left", "right")


@dataclass(frozen=True)
class Manner:
    """Changes of a dance by a mood.

    Attributes:
        amplitude, bounce: factors of the move and of the groove.
        smoothness: added to that of the music.
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


@dataclass(frozen=True)
class Score:
    """A dance with all choices made: keys `[16 25]` per half-beat, the angles of whole turns at
    the beats 0..8 `[9 2]` (about the middle, about the upright axis), and factors."""

    keys: np.ndarray
    turns: np.ndarray
    step: float
    amplitude: float
    arms: float
    smoothness: float


@lru_cache(maxsize=4096)
def score_of(dance: Dance, take: Take) -> Score:
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
    keys[:, CHANNEL["drop"]] += SLACK + manner.drop
    keys[:, CHANNEL["head"]] += manner.head
    if dance.side == "left" or (dance.side == "either" and take.mirror):
        keys, turns = mirrored(keys), -turns
    amplitude = size * manner.amplitude * (0.92 + 0.16 * take.reach)
    step, arms = 0.0 if move.glides else STEP, POSED_GROWTH if move.posed else ARM_GROWTH
    return Score(keys, turns, step, amplitude, arms, manner.smoothness)


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
