"""Captions of dances: varied English sentences with move, side, size, mood and arms.

A caption never mentions tempo or phase, which come from the beats. A side that is not named is
left to the take; a size that is not named is `PLAIN_SIZE`. An empty caption leaves the dance to the
song.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .dance import MOVES, Dance, random_dance, song_dance
from .moves import MOVE_TABLE
from .words import (
    ARM_PHRASES,
    DOUBLED,
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

PLAIN_SIZE = "medium"
PLAIN_SHARE = 0.1
EMPTY_SHARE, FREE_SHARE = 0.1, 0.06
"""Shares in `random_sentence` of empty captions, and of those that name no move."""


@dataclass(frozen=True)
class Wording:
    """Forms of a verb phrase: plain, third person, -ing; and a plural noun, or nothing."""

    plain: str
    third: str
    ing: str
    noun: str


def wording(text: str) -> Wording:
    """The forms of an entry of `WORDS`."""
    phrase, _, noun = text.partition(": ")
    verbs = phrase.split(" & ")
    third, ing = (" and ".join(_inflected(verb, f) for verb in verbs) for f in (_third, _ing))
    return Wording(phrase.replace("&", "and"), third, ing, noun)


def random_sentence(
    rng: np.random.Generator, energy: float, smoothness: float, moves: Sequence[str] = MOVES
) -> tuple[Dance, str]:
    """A dance and its caption; some are empty or name no move, and their dances suit the song.

    Args:
        rng: random numbers.
        energy, smoothness: of the song, 0..1.
        moves: the moves to choose from.
    """
    kind = rng.random()
    if kind < EMPTY_SHARE:
        return song_dance(rng, energy, smoothness, moves), ""
    if kind < EMPTY_SHARE + FREE_SHARE:
        style = random_dance(rng, moves)
        dance = replace(
            song_dance(rng, energy, smoothness, moves), size=style.size, mood=style.mood
        )
        return dance, free_caption(dance, rng)
    dance = random_dance(rng, moves)
    return dance, caption(dance, rng)


def plain_caption(dance: Dance) -> str:
    """The shortest complete caption, e.g. `big kicks with the left leg, happily`."""
    side = ""
    if dance.side != "either":
        sided = MOVE_TABLE[dance.move].sided
        phrase = TURN_PHRASES[dance.side][0] if sided == "turn" else SIDE_PHRASES[sided][0]
        side = " " + phrase.format(side=dance.side)
    arms = "" if dance.arms == "free" else f", {ARM_PHRASES[dance.arms][0]}"
    mood = "" if dance.mood == "plain" else f", {MOOD_ADVERBS[dance.mood][0]}"
    words = wording(WORDS[dance.move][0])
    return f"{dance.size} {words.noun or words.plain}{side}{arms}{mood}"


def caption(dance: Dance, rng: np.random.Generator) -> str:
    """A random caption of `dance`; one in ten has the plain form.

    The size is omitted in half of the captions of `PLAIN_SIZE`, and in no others.
    """
    if rng.random() < PLAIN_SHARE:
        return plain_caption(dance)
    return _described(dance, WORDS[dance.move], rng)


def free_caption(dance: Dance, rng: np.random.Generator) -> str:
    """A random caption that names size and mood of `dance` but not its move."""
    return _described(replace(dance, side="either", arms="free"), FREE, rng)


def _described(dance: Dance, wordings: Sequence[str], rng: np.random.Generator) -> str:
    has_size = dance.size != PLAIN_SIZE or rng.random() < 0.5
    has_mood = dance.mood != "plain"
    words = wording(_pick(wordings, rng))
    as_noun = bool(words.noun) and rng.random() < 0.3

    # Size and mood are adjectives of a noun or adverbs of a verb; all else follows in any order.
    details = [_side(dance, rng)] if dance.side != "either" else []
    if dance.arms != "free":
        details.append(_pick(ARM_PHRASES[dance.arms], rng))
    if has_mood and not as_noun:
        details.append(_pick(MOOD_ADVERBS[dance.mood], rng))
    if has_size and not as_noun:
        details.append(_pick(SIZE_ADVERBS[dance.size], rng))
    details = [details[int(i)] for i in rng.permutation(len(details))]
    ending = " ".join(["", *details])
    adjectives = []
    if as_noun and has_mood:
        adjectives.append(_pick(MOOD_ADJECTIVES[dance.mood], rng))
    if as_noun and has_size:
        adjectives.insert(0, _pick(SIZE_ADJECTIVES[dance.size], rng))
    noun = ", ".join(adjectives) + " " * bool(adjectives) + words.noun
    return _cased(_sentence(words, noun if as_noun else "", ending, rng), rng)


def _sentence(words: Wording, noun: str, details: str, rng: np.random.Generator) -> str:
    """A sentence about a noun with its adjectives, or with the verb."""
    subject, close, opening = (_pick(words, rng) for words in (SUBJECTS, ENDINGS, OPENINGS))
    does, do, doing = words.third, words.plain, words.ing
    if noun:
        does, do, doing = f"does {noun}", f"do {noun}", noun
    forms = (
        f"{do}{details}",
        f"{doing}{details}",
        f"{noun or do}{details}{close}",
        f"{subject} {does}{details}{close}",
        f"{subject} is {words.ing if not noun else 'doing ' + noun}{details}{close}",
        f"make {subject} {do}{details}{close}",
        f"let {subject} {do}{details}{close}",
        f"I want to see {subject} {do}{details}{close}",
        f"{opening}{subject} {does}{details}{close}",
    )
    return _pick(forms, rng)


def _side(dance: Dance, rng: np.random.Generator) -> str:
    sided = MOVE_TABLE[dance.move].sided
    phrases = TURN_PHRASES[dance.side] if sided == "turn" else SIDE_PHRASES[sided]
    return _pick(phrases, rng).format(side=dance.side)


def _inflected(phrase: str, form: Callable[[str], str]) -> str:
    verb, space, rest = phrase.partition(" ")
    return f"{form(verb)}{space}{rest}"


def _third(verb: str) -> str:
    if verb in ("do", "go") or verb.endswith(("s", "sh", "ch", "x", "z")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def _ing(verb: str) -> str:
    if verb in DOUBLED:
        return f"{verb}{verb[-1]}ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return verb + "ing"


def _cased(sentence: str, rng: np.random.Generator) -> str:
    capital = sentence[0].upper() + sentence[1:]
    return capital if rng.random() < 0.5 else sentence


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
