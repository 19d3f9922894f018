"""Grooves, and styles of arms and legs for moves that leave them free; see `keys`."""

from __future__ import annotations

from functools import cache

import numpy as np

from .keys import arm_keys, body_keys, foot_keys

# Under every move: bounce on the beat and shift of weight, at the amplitude of a medium groove.
GROOVES: dict[str, dict[str, str]] = {
    "bounce": {"drop": ".035, .0 | .035, .0", "height": "-.03, .01", "x": ".012 | -.012"},
    "lift": {"drop": "-.005, .03", "height": ".02, -.02", "x": ".015 | -.015", "head": "4 | -4"},
    "rock": {"x": ".035 | -.035", "lean": "3 | -3", "drop": ".02, .01", "height": "-.015, .01"},
    "two": {"drop": ".045 | .0", "height": "-.035 | .02", "width": ".02 | -.01", "head": "3 | -2"},
    "roll": {
        "x": ".03 | .0 | -.03 | .0",
        "drop": ".015 | .04 | .015 | .04",
        "bend": ".02 | .0 | -.02 | .0",
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
    "-.06 .06k.9, -.06 .06 | -.06k.9 .06, -.06 .06",
    "-.10 .16 | -.16 .10",
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
