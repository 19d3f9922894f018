"""The dances of the world: moves, takes, their motion and their captions."""

from .captions import caption, plain_caption, random_sentence
from .dance import (
    ARMS,
    MOODS,
    MOVES,
    SIDES,
    SIZES,
    Dance,
    Take,
    labels,
    random_dance,
    random_take,
    song_dance,
)
from .performing import dance_motion, dance_motions

__all__ = [
    "ARMS",
    "MOODS",
    "MOVES",
    "SIDES",
    "SIZES",
    "Dance",
    "Take",
    "caption",
    "dance_motion",
    "dance_motions",
    "labels",
    "plain_caption",
    "random_dance",
    "random_sentence",
    "random_take",
    "song_dance",
]
