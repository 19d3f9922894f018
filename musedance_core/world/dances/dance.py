"""The sentence of a dance as values, and the take: the choices that the sentence leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .moves import MOVE_TABLE
from .styles import GROOVES

MOVES: tuple[str, ...] = tuple(MOVE_TABLE)
SIDES = ("either", "left", "right")
SIZES = ("small", "medium", "big")
MOODS = ("plain", "happy", "sharp", "smooth", "lazy")
ARMS = ("free", "hips", "up", "out")
"""Arms that a sentence may ask for where the move leaves them free."""


@dataclass(frozen=True)
class Dance:
    """A dance as a sentence describes it.

    Attributes:
        move: one of `MOVES`.
        side: of the first beat, the leading limb, or the direction of a turn, as the viewer sees
            it; "either" where the sentence names none, and for moves that have none.
        size: how far the move goes.
        mood: its manner.
        arms: how the arms are held; "free" for moves that have arms of their own.
    """

    move: str
    side: str = "either"
    size: str = "medium"
    mood: str = "plain"
    arms: str = "free"

    def __post_init__(self) -> None:
        for name, known in (
            ("move", MOVES),
            ("side", SIDES),
            ("size", SIZES),
            ("mood", MOODS),
            ("arms", ARMS),
        ):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}: {value!r}")
        if self.side != "either" and not MOVE_TABLE[self.move].sided:
            raise ValueError(f"the move {self.move!r} has no side, got {self.side!r}")
        if self.arms != "free" and MOVE_TABLE[self.move].arms:
            raise ValueError(f"the move {self.move!r} has arms of its own, got {self.arms!r}")


@dataclass(frozen=True)
class Take:
    """Everything about a dance that the sentence leaves open; each number is in 0..1.

    Attributes:
        mirror: whether the mirror image is danced, where the sentence names no side.
        arms, legs: choose among the styles of arms and legs that go with the move.
        groove: name of the groove, one of `GROOVES`.
        order: chooses the part of the phrase that comes first, where the sentence names no side.
        reach, bounce, stance: of the limbs, of the groove, and between the feet.
    """

    mirror: bool = False
    arms: float = 0.0
    legs: float = 0.0
    groove: str = "bounce"
    order: float = 0.0
    reach: float = 0.5
    bounce: float = 0.5
    stance: float = 0.5


def labels(dance: Dance) -> tuple[int, int, int, int, int]:
    """Indices of a dance in `MOVES`, `SIDES`, `SIZES`, `MOODS` and `ARMS`."""
    return (
        MOVES.index(dance.move),
        SIDES.index(dance.side),
        SIZES.index(dance.size),
        MOODS.index(dance.mood),
        ARMS.index(dance.arms),
    )


def random_dance(rng: np.random.Generator, moves: Sequence[str] = MOVES) -> Dance:
    """A dance with one of `moves`, all equally likely; half of the sided ones name a side."""
    return _completed(str(moves[int(rng.integers(len(moves)))]), rng)


def song_dance(
    rng: np.random.Generator,
    energy: float,
    smoothness: float,
    moves: Sequence[str] = MOVES,
) -> Dance:
    """A dance that suits a song, as for an empty sentence: calm moves for a calm or smooth song,
    energetic ones for a loud and sharp song.

    Args:
        rng: random numbers.
        energy: mean energy of the song, 0..1.
        smoothness: 0 sharp .. 1 smooth.
        moves: the moves to choose from.
    """
    wanted = np.clip(0.75 * energy + 0.35 * (1 - smoothness), 0, 1)
    vigour = np.array([MOVE_TABLE[move].vigour for move in moves])
    weights = np.exp(-(((vigour - wanted) / 0.2) ** 2) / 2) + 1e-3
    move = str(moves[int(rng.choice(len(moves), p=weights / weights.sum()))])
    return Dance(move)


def random_take(rng: np.random.Generator) -> Take:
    """A take; all its choices are independent and even."""
    arms, legs, order, reach, bounce, stance = rng.random(6).tolist()
    groove = tuple(GROOVES)[int(rng.integers(len(GROOVES)))]
    return Take(bool(rng.random() < 0.5), arms, legs, groove, order, reach, bounce, stance)


def _completed(name: str, rng: np.random.Generator) -> Dance:
    move = MOVE_TABLE[name]
    side = SIDES[int(rng.integers(1, 3))] if move.sided and rng.random() < 0.5 else "either"
    size = SIZES[int(rng.integers(len(SIZES)))]
    mood = MOODS[int(rng.integers(1, len(MOODS)))] if rng.random() < 0.4 else "plain"
    asked = not move.arms and rng.random() < 0.35
    return Dance(name, side, size, mood, ARMS[int(rng.integers(1, len(ARMS)))] if asked else "free")
