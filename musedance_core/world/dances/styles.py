"""Grooves, and styles of arms and legs for moves that leave them free; see `keys`."""

from __future__ import annotations

from functools import cache

import numpy as np

from .keys import arm_keys, body_keys, foot_keys

# Under every move: bounce on the beat and shift of weight, at the amplitude of a medium groove.
GROOVES: dict[str, dict[str, str]] = {
    "bounce": {"drop": ".034, .014 | .034, .014", "height": "-.02, .0", "x": ".024 | -.024"},
    "lift": {"drop": "-.005, .014", "height": ".015, -.01", "x": ".024 | -.024", "head": "5 | -5"},
    "rock": {"x": ".036 | -.036", "lean": "4 | -4", "drop": ".022, .012", "height": "-.012, .008"},
    "two": {"drop": ".05 | .0", "height": "-.035 | .02", "width": ".02 | -.01", "head": "4 | -3"},
    "roll": {
        "x": ".034 | .0 | -.034 | .0",
        "drop": ".01 | .04 | .01 | .04",
        "lean": "0 | 3 | 0 | -3",
        "height": "-.01 | -.03",
    },
}

ARM_STYLES: dict[str, str] = {
    "hips": "hips",
    "up": "150/160 158/172 | 158/172 150/160",
    "out": "80/95 92/80 | 92/80 80/95",
    "swing": "30/42 -14/-20 | -14/-20 30/42",
    "pump": "16/-40 30/110 | 30/110 16/-40",
    "loose": "14/30 22/16 | 22/16 14/30",
    "low": "40/52 | 30/30",
    "one": "hips 60/80 | hips 75/105",
    "bent": "30/118 | 22/92",
}

LEG_STYLES: tuple[str, ...] = (
    "= =",
    "-.13 .13",
    "-.12 .02 | -.12 .12 | -.02 .12 | -.12 .12",
    "= .085^.06~.05 | = = | -.085^.06~.05 = | = =",
    "= .17^.01~.06 | = = | -.17^.01~.06 = | = =",
    "-.07 .07k1 | -.07k1 .07",
    "-.13 .13^.03~.05 | -.13^.03~.05 .13",
)


@cache
def parsed_arms(text: str) -> np.ndarray:
    """As `arm_keys`; not to be written to."""
    return arm_keys(text)


@cache
def parsed_feet(text: str) -> np.ndarray:
    """As `foot_keys`; not to be written to."""
    return foot_keys(text)


@cache
def parsed_body(fields: tuple[tuple[str, str], ...]) -> np.ndarray:
    """As `body_keys`, of pairs of a field and its numbers; not to be written to."""
    return body_keys(dict(fields))
