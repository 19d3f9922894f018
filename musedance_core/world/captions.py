"""Captions of dances: varied English sentences with move, side and size.

A caption never mentions tempo or phase, which come from the beats. An omitted side or size has a
fixed meaning (`PLAIN_SIDE`, `PLAIN_SIZE`), so every caption determines the dance.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from .choreography import MOVES, SIDES, SIZES, Dance

Choice = TypeVar("Choice")

PLAIN_SIDE = "left"
PLAIN_SIZE = "medium"

# Synonyms of every move as (plain verb, third person, -ing form, plural noun).
WORDS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "hop": (
        ("hop", "hops", "hopping", "hops"),
        ("jump", "jumps", "jumping", "jumps"),
        ("bounce", "bounces", "bouncing", "bounces"),
        ("leap", "leaps", "leaping", "leaps"),
        ("jump up and down", "jumps up and down", "jumping up and down", "jumps up and down"),
    ),
    "slide": (
        ("slide", "slides", "sliding", "slides"),
        ("glide", "glides", "gliding", "glides"),
        ("skate", "skates", "skating", "skating moves"),
        ("drift sideways", "drifts sideways", "drifting sideways", "sideways drifts"),
        ("slide side to side", "slides side to side", "sliding side to side", "side slides"),
    ),
    "sway": (
        ("sway", "sways", "swaying", "sways"),
        ("rock", "rocks", "rocking", "rocking moves"),
        ("swing", "swings", "swinging", "swings"),
        ("tilt back and forth", "tilts back and forth", "tilting back and forth", "tilts"),
        ("sway side to side", "sways side to side", "swaying side to side", "side sways"),
    ),
    "spin": (
        ("spin", "spins", "spinning", "spins"),
        ("turn around", "turns around", "turning around", "turns"),
        ("rotate", "rotates", "rotating", "rotations"),
        ("whirl", "whirls", "whirling", "whirls"),
        ("spin around", "spins around", "spinning around", "full spins"),
    ),
    "squash": (
        ("squash", "squashes", "squashing", "squashes"),
        ("squish", "squishes", "squishing", "squishes"),
        ("crouch", "crouches", "crouching", "crouches"),
        ("squash and stretch", "squashes and stretches", "squashing and stretching", "squats"),
        ("squat", "squats", "squatting", "squats"),
    ),
    "shimmy": (
        ("shimmy", "shimmies", "shimmying", "shimmies"),
        ("shake", "shakes", "shaking", "shakes"),
        ("wiggle", "wiggles", "wiggling", "wiggles"),
        ("shake its shoulders", "shakes its shoulders", "shaking its shoulders", "shoulder shakes"),
    ),
    "wave": (
        ("wave", "waves", "waving", "waves"),
        ("ripple", "ripples", "rippling", "ripples"),
        ("do the wave", "does the wave", "doing the wave", "body waves"),
        ("wave its body", "waves its body", "waving its body", "body waves"),
        ("undulate", "undulates", "undulating", "undulations"),
    ),
    "step-touch": (
        ("step-touch", "step-touches", "step-touching", "step-touches"),
        ("step touch", "step touches", "step touching", "step touches"),
        ("do a two-step", "does a two-step", "doing a two-step", "two-steps"),
        ("step side to side", "steps side to side", "stepping side to side", "side steps"),
        ("step", "steps", "stepping", "steps"),
    ),
    "nod": (
        ("nod", "nods", "nodding", "nods"),
        ("bow", "bows", "bowing", "bows"),
        ("bob its head", "bobs its head", "bobbing its head", "head bobs"),
        ("nod its head", "nods its head", "nodding its head", "head nods"),
    ),
    "pulse": (
        ("pulse", "pulses", "pulsing", "pulses"),
        ("swell", "swells", "swelling", "swells"),
        ("grow and shrink", "grows and shrinks", "growing and shrinking", "swellings"),
        ("throb", "throbs", "throbbing", "throbs"),
        ("puff up", "puffs up", "puffing up", "puffs"),
    ),
    "twist": (
        ("twist", "twists", "twisting", "twists"),
        ("swivel", "swivels", "swivelling", "swivels"),
        ("do the twist", "does the twist", "doing the twist", "twists"),
        ("twist its body", "twists its body", "twisting its body", "body twists"),
    ),
}

SIZE_ADJECTIVES = {
    "small": ("small", "little", "tiny", "subtle", "gentle"),
    "medium": ("medium", "moderate", "medium-sized", "normal"),
    "big": ("big", "large", "huge", "wide", "giant"),
}
SIZE_ADVERBS = {
    "small": ("a little", "slightly", "just a bit", "gently", "only a tiny bit", "subtly"),
    "medium": ("moderately", "a medium amount", "to a medium degree", "normally"),
    "big": ("a lot", "hugely", "wildly", "as far as it can", "very much", "in a big way"),
}
SIDE_PHRASES = (
    "to the {side}",
    "towards the {side}",
    "{side} first",
    "starting {side}",
    "starting on the {side}",
    "beginning on the {side}",
    "first to the {side}",
    "leading with the {side}",
)
TURN_PHRASES = {
    "left": ("anticlockwise", "counterclockwise", "to the left", "turning left"),
    "right": ("clockwise", "to the right", "turning right"),
}
SUBJECTS = (
    "it",
    "the sticker",
    "the emoji",
    "a character",
    "my buddy",
    "the mascot",
    "this guy",
    "our friend",
    "the picture",
)
OPENINGS = (
    "dancing to the music: ",
    "on the dance floor, ",
    "in the video ",
    "to this song, ",
    "listen and watch: ",
    "everybody looks on as ",
)
ENDINGS = (
    "",
    ".",
    "!",
    " to the music",
    " to the song",
    " with the song",
    ", having fun",
    ", happily",
    " on the dance floor",
    ", please",
)
# Fields: {w[0]} plain verb, {w[1]} third person, {w[2]} -ing form, {w[3]} plural noun
TEMPLATES = (
    "{w[0]}{side}{adverb}",
    "{w[0]}{adverb}{side}",
    "{adjective}{w[3]}{side}",
    "{w[2]}{side}{adverb}",
    "{w[0]}{side_comma}{adjective_moves}",
    "{subject} {w[1]}{side}{adverb}{ending}",
    "{subject} {w[1]}{adverb}{side}{ending}",
    "{subject} {w[1]}{side}{with_moves}{ending}",
    "{subject} is {w[2]}{adverb}{side}{ending}",
    "{subject} does {adjective}{w[3]}{side}{ending}",
    "make {object} {w[0]}{adverb}{side}{ending}",
    "let {object} {w[0]}{side}{with_moves}{ending}",
    "I want to see {object} {w[0]}{side}{adverb}{ending}",
    "{opening}{subject} {w[1]}{side}{with_moves}{ending}",
    "{opening}{subject} does {adjective}{w[3]}{side}{ending}",
)


def plain_caption(dance: Dance) -> str:
    """Returns the shortest complete caption, e.g. `big hop to the left`."""
    return f"{dance.size} {dance.move} to the {dance.side}"


def labels(dance: Dance) -> tuple[int, int, int]:
    """Returns the dance's indices in `MOVES`, `SIDES` and `SIZES`, as labels for a text encoder."""
    return MOVES.index(dance.move), SIDES.index(dance.side), SIZES.index(dance.size)


def caption(dance: Dance, rng: np.random.Generator) -> str:
    """Returns a random caption of `dance`; one in ten has the plain form.

    The side is omitted in a quarter of the captions of `PLAIN_SIDE`, the size in a quarter of those
    of `PLAIN_SIZE`, and in no others.
    """
    if rng.random() < 0.1:
        return plain_caption(dance)
    has_side = dance.side != PLAIN_SIDE or rng.random() > 0.25
    has_size = dance.size != PLAIN_SIZE or rng.random() > 0.25
    phrases = TURN_PHRASES[dance.side] if dance.move == "spin" else SIDE_PHRASES
    side = _pick(phrases, rng).format(side=dance.side) if has_side else ""
    adjective = _pick(SIZE_ADJECTIVES[dance.size], rng) if has_size else ""
    adverb = _pick(SIZE_ADVERBS[dance.size], rng) if has_size else ""
    subject = _pick(SUBJECTS, rng)
    sentence = _pick(TEMPLATES, rng).format(
        w=_pick(WORDS[dance.move], rng),
        side=f" {side}" if side else "",
        side_comma=f" {side}," if side and adjective else f" {side}" if side else "",
        adverb=f" {adverb}" if adverb else "",
        adjective=f"{adjective} " if adjective else "",
        adjective_moves=f" {adjective} moves" if adjective else "",
        with_moves=f" with {adjective} {_pick(('moves', 'movements'), rng)}" if adjective else "",
        subject=subject,
        object=subject,
        opening=_pick(OPENINGS, rng),
        ending=_pick(ENDINGS, rng),
    )
    return _cased(sentence, rng)


def _cased(sentence: str, rng: np.random.Generator) -> str:
    capital = sentence[0].upper() + sentence[1:]
    return capital if rng.random() < 0.5 else sentence


def _pick(choices: tuple[Choice, ...], rng: np.random.Generator) -> Choice:
    return choices[int(rng.integers(len(choices)))]
