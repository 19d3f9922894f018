"""Hints on sentences that cannot be danced as they are: logged, since the dance is made anyway."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import ceil

from .dance.figure import LayeredFigure
from .dance.skeleton import PART_INDEX
from .diffusion.prompts import at_time
from .world.dances.vocabulary import limbs_needed, unknown_words

logger = logging.getLogger(__name__)

UPPER_SEGMENTS = {"arm": "upper_arm", "leg": "thigh"}


def log_hints(prompts: Sequence[tuple[float, str]], figure: LayeredFigure | None = None) -> None:
    """Logs one line a sentence of `prompts` that asks for a move which the model has never seen,
    and one for the limbs that they need and `figure` lacks."""
    for sentence in dict.fromkeys(sentence for _, sentence in prompts):
        if unknown_words(sentence):
            logger.warning(
                "No move is known in %r: the song decides the move (see docs/dances.md).", sentence
            )
    missing = [] if figure is None else _missing_limbs(prompts, figure)
    if missing:
        logger.warning(
            "Not found in the picture: %s. They stay with the body (see musedance rig).",
            " and ".join(missing),
        )


def log_skipped(
    prompts: Sequence[tuple[float, str]], start: float, seconds: float, segment: float
) -> None:
    """Logs one line a sentence that begins within a video and is not danced, because another one
    has begun before the next segment.

    Args:
        prompts: seconds of the song, rising, and the sentence from then on.
        start, seconds: where in the song the video starts, and its length.
        segment: length of a segment in seconds.
    """
    numbered = [(time, number) for number, (time, _) in enumerate(prompts)]
    begins = [start + k * segment for k in range(ceil(seconds / segment - 1e-6))]
    danced = {at_time(numbered, begin) for begin in begins}
    for number, (time, sentence) in enumerate(prompts):
        if number not in danced and start <= time < start + seconds:
            logger.warning(
                "%r at %g s is not danced: a sentence begins with a segment of %g s, and none "
                "begins between this one and the next.",
                sentence,
                time,
                segment,
            )


def _missing_limbs(prompts: Sequence[tuple[float, str]], figure: LayeredFigure) -> list[str]:
    """The limbs that `prompts` need and `figure` lacks, such as "arms" or "left leg"."""
    needed = set[str]().union(*(limbs_needed(sentence) for _, sentence in prompts))
    missing = []
    for limb in (name for name in UPPER_SEGMENTS if name in needed):
        parts = {side: PART_INDEX[f"{side}_{UPPER_SEGMENTS[limb]}"] for side in ("right", "left")}
        sides = [side for side, part in parts.items() if not bool(figure.layers[part, 3].any())]
        if sides:
            missing.append(f"{limb}s" if len(sides) == 2 else f"{sides[0]} {limb}")
    return missing
