"""Moves that a sentence names, found by the words of the captions.

The networks read sentences by themselves; this is for hints to users, whose sentence may ask for a
move that the networks have never seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .arm_moves import ARM_MOVES
from .captions import wording
from .leg_moves import LEG_MOVES
from .moves import MOVE_TABLE
from .words import (
    ARM_PHRASES,
    ENDINGS,
    FREE,
    MOOD_ADJECTIVES,
    MOOD_ADVERBS,
    OPENINGS,
    SIDE_PHRASES,
    SIZE_ADJECTIVES,
    SIZE_ADVERBS,
    SUBJECTS,
    TURN_PHRASES,
    WORDS,
)

_MODIFIERS: tuple[Mapping[str, Sequence[str]], ...] = (
    *(SIZE_ADJECTIVES, SIZE_ADVERBS, MOOD_ADJECTIVES, MOOD_ADVERBS),
    *(SIDE_PHRASES, TURN_PHRASES, ARM_PHRASES),
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ARMS = "arm arms elbow elbows finger fingers fist fists hand hands"
_LEGS = "feet foot knee knees leg legs"
_GRAMMAR = """
    a about across again all an and are around as at back be being both but by can down every
    everybody everyone everything first for forth forwards from full get gets getting go goes going
    he her here him his i if in into is it its just keep keeps let like make makes many me more my
    now of off on once one or our out over own please see she side sides some that the their them
    then there these they this through to together two up very want wants we while with you your
"""
# Verbs that need an object to be a move, and parts of the body without limbs.
_SHARED = """
    act acts acting do does doing hit hits hitting perform performs performing play plays playing
    pose poses show shows showing start starts starting strike strikes striking style take takes
    taking throw throws throwing try chest head hip hips shoulder shoulders wings
"""


def moves_named(sentence: str) -> set[str]:
    """The moves with the captions most like `sentence`; empty if it names no move.

    A caption is the more like it, the more words both share and the fewer words it has beyond them.
    """
    words = set(_words(sentence))
    likeness = {
        move: max((len(form & words), -len(form - words)) for form in forms if form & words)
        for move, forms in _FORMS.items()
        if any(form & words - _OTHER_WORDS for form in forms)
    }
    return {move for move, value in likeness.items() if value == max(likeness.values())}


def unknown_words(sentence: str) -> list[str]:
    """The words of a `sentence` without a move that no caption has, in order; empty if it names a
    move, or asks for none."""
    if moves_named(sentence):
        return []
    return [word for word in _words(sentence) if len(word) > 1 and word not in _OTHER_WORDS]


def limbs_needed(sentence: str) -> set[str]:
    """The limbs, of "arm" and "leg", that `sentence` or the moves named in it are about."""
    words, moves = set(_words(sentence)), moves_named(sentence)
    limbs = set()
    if words & _split(_ARMS) or any(
        m in ARM_MOVES or (m in LEG_MOVES and MOVE_TABLE[m].arms) for m in moves
    ):
        limbs.add("arm")
    if words & _split(_LEGS) or moves & set(LEG_MOVES):
        limbs.add("leg")
    return limbs


def _split(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _words(text: str) -> list[str]:
    """Words in small letters; those with hyphens are split unless captions have them too."""
    words: list[str] = []
    for word in _WORD.findall(text.lower()):
        words += [word] if word in _HYPHENATED else word.split("-")
    return words


def _forms(wordings: Iterable[str]) -> list[frozenset[str]]:
    """The words of each form of wordings, without grammar."""
    forms = [wording(text) for text in wordings]
    texts = [text for form in forms for text in (form.plain, form.third, form.ing, form.noun)]
    return [_split(text) - _split(_GRAMMAR) for text in texts if text]


def _other_words() -> frozenset[str]:
    """Words that name no move by themselves: the captions' words for all else."""
    phrases = [phrase for table in _MODIFIERS for own in table.values() for phrase in own]
    phrases += [*SUBJECTS, *OPENINGS, *ENDINGS, "left right"]
    words = _split(" ".join([*phrases, _GRAMMAR, _SHARED, _ARMS, _LEGS]))
    return words.union(*_forms(FREE)) - {"turning"}


_FORMS = {move: _forms(wordings) for move, wordings in WORDS.items()}
_OTHER_WORDS = _other_words()
_HYPHENATED = {
    word
    for word in _OTHER_WORDS.union(*(f for forms in _FORMS.values() for f in forms))
    if "-" in word
}
