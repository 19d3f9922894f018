"""Casting: random dancers of one split with appearance, place and background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .backgrounds import random_background
from .choreography import rest_pose
from .old_puppets import random_puppet
from .render import render
from .stickers import Glyphs, Subject, augment

KINDS = ("emoji", "puppet")
MIXTURE = {"emoji": 0.6, "puppet": 0.4}
USUAL_HEIGHT, LARGE_HEIGHT = (0.48, 0.68), (0.68, 0.85)
"""Ranges of the dancer's height, as shares of the picture."""
LARGE_SHARE = 0.15
PLAIN_SHARE = 0.25
"""Shares of dancers of large height, and of dancers with unaltered colours."""
PAIR_HEIGHT = (0.38, 0.50)
PAIR_DISTANCE = (0.20, 0.25)
"""Ranges of height, and of distance from the picture's centre, of a dancer with a bystander."""


@dataclass(frozen=True)
class Appearance:
    """The static part of a clip: dancer, background [3 h w] and place.

    place holds x and y of the body's centre and the body's height, as shares of the picture.
    """

    subject: Subject
    background: Tensor
    place: tuple[float, float, float]


class Cast:
    """Draws random appearances.

    `mixture` weighs "emoji" and "puppet"; `flat` means one-colour backgrounds.
    """

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

    def appearance(self, rng: np.random.Generator) -> Appearance:
        """Returns a random dancer near the centre; three of four have altered colours."""
        if self.glyphs is not None and rng.random() < self.emoji_share:
            subject = self.glyphs.subject(int(rng.integers(len(self.glyphs))))
        else:
            subject = random_puppet(rng, self.layer_size)
        if rng.random() > PLAIN_SHARE:
            subject = augment(subject, rng)
        height = rng.uniform(*(LARGE_HEIGHT if rng.random() < LARGE_SHARE else USUAL_HEIGHT))
        place = (rng.uniform(0.42, 0.58), rng.uniform(0.49, 0.57), height)
        return Appearance(subject, random_background(rng, self.size, self.flat), place)

    def with_bystander(self, dancer: Appearance, rng: np.random.Generator) -> Appearance:
        """Moves the dancer to one side of the picture and adds a motionless bystander at the other.

        Sides and sizes have the same distribution for both, so only the part map identifies the
        dancer. The bystander becomes part of the background.
        """
        bystander, side = self.appearance(rng).subject, float(rng.choice((-1, 1)))
        dancing, standing = (_beside(rng, way) for way in (side, -side))
        background = dancer.background[None]
        rendered = render([bystander], background, rest_pose(1, 1), torch.tensor([standing]))
        return replace(dancer, background=rendered.frames[0, 0], place=dancing)


def _beside(rng: np.random.Generator, side: float) -> tuple[float, float, float]:
    """Returns a random place left (side -1) or right (1) of the centre."""
    x = 0.5 + side * rng.uniform(*PAIR_DISTANCE)
    return x, rng.uniform(0.49, 0.57), rng.uniform(*PAIR_HEIGHT)
