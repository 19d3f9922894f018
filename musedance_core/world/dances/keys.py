"""Key poses as numbers, and the short language in which moves are written.

A phrase has one key pose per beat, separated by `|`, and may have one more after a comma, halfway
to the next beat. Left and right are the viewer's. Lengths are in body heights, angles in degrees.

- Arms: `upper/fore` for both arms, or `upper/fore upper/fore` for the left and the right one: the
  angles of upper arm and forearm from hanging, outwards: 0 hangs, 90 points outwards, 180 up, -90
  across the body. `*` gives the length of a foreshortened segment: `40*.6/90`. `@x:y` is the place
  of the hand of a standing person, y up from the ground. The names of `ARM_POSES` stand for both
  arms or one.
- Feet: `x x`, the places of the left and the right foot on the ground; `^` gives the height of the
  foot and `~` how far it is in front: `-.08 .12^.2~.1`. `=` is the place where it stands at rest,
  and `k` after it how far the knee points outwards: `=k.8`.
- Body: one number per beat and field.

A key between two beats that is not written is NaN until `filled`. All phrases are spread to
`PHRASE` beats, the period of every dance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

PHRASE = 8
"""Beats after which every dance repeats."""
BODY = ("x", "drop", "lean", "bend", "head", "width", "height", "turn", "yaw")
"""Fields of the body: shift and drop of the pelvis, and those of `DanceMotion`'s root."""
DEGREES = ("lean", "head", "turn", "yaw")
ARM = ("upper", "upper_length", "fore", "fore_length")
FOOT = ("x", "up", "front", "knee")
"""Of a foot: its place, its height, how far it is in front, and how far its knee points outwards: 1
outwards, 0 to the front."""
CHANNELS = (
    *BODY,
    *(f"{side}_{name}" for side in ("left", "right") for name in ARM),
    *(f"{side}_foot_{name}" for side in ("left", "right") for name in FOOT),
)
CHANNEL = {name: i for i, name in enumerate(CHANNELS)}
ARMS = slice(CHANNEL["left_upper"], CHANNEL["right_fore_length"] + 1)
FEET = slice(CHANNEL["left_foot_x"], CHANNEL["right_foot_knee"] + 1)

_SHOULDER = (0.115, 0.80)
_UPPER, _FORE = 0.171, 0.155
"""Lengths of the arms of a standing person."""
STANCE = 0.085
"""Distance of a dancer's feet from the middle."""
_MARKS = {"^": 0.0, "~": 0.0, "k": 0.4}
"""Marks of a foot's height, front and knee, and their values where none is written."""

ARM_POSES = {
    "down": "8/4",
    "loose": "16/24",
    "hips": "42/-46",
    "chest": "26/-108",
    "bent": "24/95",
    "fists": "28*.8/150*.8",
    "out": "88/92",
    "low": "45/55",
    "goal": "88/175",
    "up": "166/172",
    "vee": "146/152",
    "cheer": "130/178",
    "head": "122/242",
}
"""Arms by name; `fists` are in front of the shoulders."""

_SIGN = np.array(
    [-1.0 if name in ("x", "lean", "bend", "head", "turn", "yaw") else 1.0 for name in BODY]
    + [1.0] * (2 * len(ARM))
    + [-1.0, 1.0, 1.0, 1.0] * 2
)
_OTHER = np.array(
    [
        CHANNEL[
            name.replace("left", "right")
            if name.startswith("left")
            else name.replace("right", "left")
        ]
        for name in CHANNELS
    ]
)


def mirrored(keys: np.ndarray) -> np.ndarray:
    """The mirror image of key poses `[... 25]`."""
    return np.asarray(keys[..., _OTHER] * _SIGN)


def arm_keys(text: str) -> np.ndarray:
    """Arms of a phrase, `[2 * beats, 8]`, angles in radians; see the module."""
    return _keys(text, _arms)


def foot_keys(text: str) -> np.ndarray:
    """Feet of a phrase, `[2 * beats, 8]`; see the module."""
    return _keys(text, _feet)


def body_keys(fields: Mapping[str, str]) -> np.ndarray:
    """Fields of the body, `[2 * beats, 9]`, angles in radians; shorter fields are repeated.

    Raises:
        ValueError: an unknown field.
    """
    unknown = sorted(set(fields) - set(BODY))
    if unknown:
        raise ValueError(f"the body has no field {unknown[0]!r}; it has {', '.join(BODY)}")
    tracks = {name: _keys(text, lambda key: [float(key)]) for name, text in fields.items()}
    length = max((len(track) for track in tracks.values()), default=2)
    keys = np.zeros((length, len(BODY)))
    for name, track in tracks.items():
        factor = np.pi / 180 if name in DEGREES else 1.0
        keys[:, BODY.index(name)] = factor * repeated(track, length)[:, 0]
    return keys


def repeated(keys: np.ndarray, length: int) -> np.ndarray:
    """Keys repeated to `length` half-beats.

    Raises:
        ValueError: `length` is no multiple of their number.
    """
    if length % len(keys):
        raise ValueError(f"{len(keys) // 2} beats do not fit into {length // 2}")
    return np.tile(keys, (length // len(keys), 1))


def filled(keys: np.ndarray) -> np.ndarray:
    """Keys `[2 * beats, d]` of a whole phrase with the missing ones between their neighbours."""
    halfway = (keys + np.roll(keys, -2, axis=0)) / 2
    return np.where(np.isnan(keys), np.roll(halfway, 1, axis=0), keys)


def _keys(text: str, parse: Callable[[str], list[float]]) -> np.ndarray:
    """Keys per half-beat `[2 * beats, d]`, NaN where none is written."""
    written = [[parse(key.strip()) for key in beat.split(",")] for beat in text.split("|")]
    if any(len(beat) > 2 for beat in written):
        raise ValueError(f"more than two keys in a beat: {text!r}")
    keys = []
    for beat in written:
        keys += [beat[0], beat[1] if len(beat) == 2 else [np.nan] * len(beat[0])]
    return np.array(keys, dtype=np.float64)


def _arms(key: str) -> list[float]:
    words = [ARM_POSES.get(word, word) for word in key.split()]
    left, right = words * 2 if len(words) == 1 else words
    return [*_arm(left, -1.0), *_arm(right, 1.0)]


def _arm(word: str, out: float) -> list[float]:
    if word.startswith("@"):
        x, y = (float(number) for number in word[1:].split(":"))
        return _reach(out * x - _SHOULDER[0], y - _SHOULDER[1])
    values = []
    for part in word.split("/"):
        angle, _, length = part.partition("*")
        values += [np.radians(float(angle)), float(length or 1)]
    if len(values) != len(ARM):
        raise ValueError(f"an arm is upper/fore: {word!r}")
    return values


def _reach(out: float, up: float) -> list[float]:
    """The arm whose hand is so far outwards and up from the shoulder, the elbow outside and low."""
    far = min(max(np.hypot(out, up), abs(_UPPER - _FORE) + 1e-3), 0.998 * (_UPPER + _FORE))
    bend = np.arccos((_UPPER**2 + far**2 - _FORE**2) / (2 * _UPPER * far))
    hand = np.arctan2(out, -up)  # from hanging, outwards
    options = []
    for upper in (hand + bend, hand - bend):
        elbow = _UPPER * np.array([np.sin(upper), -np.cos(upper)])
        fore = np.arctan2(out - elbow[0], elbow[1] - up)
        options.append((elbow[0] - elbow[1], upper, fore))
    _, upper, fore = max(options)
    return [float(upper), 1.0, float(fore), 1.0]


def _feet(key: str) -> list[float]:
    left, right = key.split()
    return [*_foot(left, -STANCE), *_foot(right, STANCE)]


def _foot(word: str, rest: float) -> list[float]:
    place, *marked = re.split(r"([\^~k])", word)
    parts = dict(zip(marked[::2], marked[1::2], strict=True))
    x = rest if place == "=" else float(place)
    return [x, *(float(parts.get(mark, default)) for mark, default in _MARKS.items())]
