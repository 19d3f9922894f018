"""Who dances where: the subjects of one split, their looks, places and backgrounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .backgrounds import random_background
from .puppets import random_puppet
from .stickers import Glyphs, Subject, augment

KINDS = ("emoji", "puppet")
MIXTURE = {"emoji": 0.6, "puppet": 0.4}
USUAL_HEIGHT, LARGE_HEIGHT = (0.48, 0.68), (0.68, 0.85)
LARGE_SHARE = 0.15
PLAIN_SHARE = 0.25


@dataclass(frozen=True)
class Look:
    """All of a clip that does not move: dancer, background [3 h w] and place.

    place is x and y of the body's centre and the body's height, as shares of the picture.
    """

    subject: Subject
    background: Tensor
    place: tuple[float, float, float]


class Cast:
    """Draws looks. `mixture` weighs "emoji" and "puppet"; `flat` means one-colour backgrounds."""

    def __init__(
        self,
        split: str,
        size: int,
        mixture: Mapping[str, float] | None = None,
        font: str | None = None,
        flat: bool = False,
    ) -> None:
        mixture = dict(mixture or MIXTURE)
        unknown = sorted(set(mixture) - set(KINDS))
        if unknown or sum(mixture.values()) <= 0:
            raise ValueError(f"mixture must weigh {' and '.join(KINDS)}: {mixture}")
        self.emoji_share = mixture.get("emoji", 0.0) / sum(mixture.values())
        self.size, self.flat = size, flat
        self.layer_size = size * 3 // 4
        self.glyphs = Glyphs(split, self.layer_size, font) if self.emoji_share > 0 else None

    def look(self, rng: np.random.Generator) -> Look:
        """A random dancer, three of four with altered colours, somewhere near the middle."""
        if self.glyphs is not None and rng.random() < self.emoji_share:
            subject = self.glyphs.subject(int(rng.integers(len(self.glyphs))))
        else:
            subject = random_puppet(rng, self.layer_size)
        if rng.random() > PLAIN_SHARE:
            subject = augment(subject, rng)
        height = rng.uniform(*(LARGE_HEIGHT if rng.random() < LARGE_SHARE else USUAL_HEIGHT))
        place = (rng.uniform(0.42, 0.58), rng.uniform(0.49, 0.57), height)
        return Look(subject, random_background(rng, self.size, self.flat), place)
