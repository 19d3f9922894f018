"""Casting: random dancers of one split with appearance, place and background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ..dance.figure import LayeredFigure
from ..dance.posing import at_rest
from ..dance.skinning import Canvas, render
from .backgrounds import random_background
from .puppets import random_puppet
from .stickers import Glyphs, augment

KINDS = ("emoji", "puppet")
MIXTURE = {"emoji": 0.35, "puppet": 0.65}
USUAL_HEIGHT, LARGE_HEIGHT = (0.48, 0.66), (0.66, 0.8)
"""Ranges of the dancer's height, as shares of the picture."""
LARGE_SHARE = 0.15
PLAIN_EMOJI, PLAIN_PUPPETS = 0.25, 0.75
"""Shares of dancers of large height, and of dancers with unaltered colours: those of puppets vary
already."""
PAIR_HEIGHT = (0.38, 0.50)
PAIR_DISTANCE = (0.20, 0.25)
"""Ranges of height, and of distance from the picture's centre, of a dancer with a bystander."""
LARGEST_LAYER = 512
"""Side of a figure's layers in pixels, at most."""


@dataclass(frozen=True)
class Appearance:
    """The static part of a clip: dancer, background `[3 h w]` and place.

    `place` holds x of the body, y of the ground and the body's height, as shares of the picture.
    """

    figure: LayeredFigure
    background: Tensor
    place: tuple[float, float, float]

    @property
    def canvas(self) -> Canvas:
        """The square frame in which the dancer stands at its place."""
        size = self.background.shape[-1]
        body, (x, ground, height) = self.figure.body, self.place
        scale = height * size / body.height
        left = x * size - float(body.joints[0, 0]) * scale
        return Canvas(size, size, scale, left, ground * size - body.ground * scale)


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
        self.split, self.size, self.flat = split, size, flat
        self.layer_size = min(LARGEST_LAYER, size)
        self.glyphs = Glyphs(split, self.layer_size, font) if self.emoji_share > 0 else None

    def appearance(self, rng: np.random.Generator) -> Appearance:
        """Returns a random dancer near the centre."""
        height = float(rng.uniform(*(LARGE_HEIGHT if rng.random() < LARGE_SHARE else USUAL_HEIGHT)))
        place = (float(rng.uniform(0.42, 0.58)), 0.5 + height / 2 + float(rng.uniform(0.02, 0.08)))
        background = random_background(rng, self.size, self.flat)
        return Appearance(self.figure(rng), background, (*place, height))

    def figure(self, rng: np.random.Generator) -> LayeredFigure:
        """Returns a random figure."""
        if self.glyphs is not None and rng.random() < self.emoji_share:
            figure, plain = self.glyphs.figure(int(rng.integers(len(self.glyphs)))), PLAIN_EMOJI
        else:
            figure, plain = random_puppet(rng, self.layer_size, self.split), PLAIN_PUPPETS
        return figure if rng.random() < plain else augment(figure, rng)

    def with_bystander(self, dancer: Appearance, rng: np.random.Generator) -> Appearance:
        """Moves the dancer to one side of the picture and adds a motionless bystander at the other.

        Sides and sizes have the same distribution for both, so only the part map identifies the
        dancer. The bystander becomes part of the background.
        """
        side = float(rng.choice((-1, 1)))
        dancing, standing = (_beside(rng, way) for way in (side, -side))
        bystander = Appearance(self.figure(rng), dancer.background, standing)
        posed = at_rest(bystander.figure.body)
        rgba = render(bystander.figure, posed, bystander.canvas).rgba[0]
        background = rgba[:3] + (1 - rgba[3:]) * dancer.background
        return replace(dancer, background=background, place=dancing)


def _beside(rng: np.random.Generator, side: float) -> tuple[float, float, float]:
    """Returns a random place left (side -1) or right (1) of the centre."""
    x, height = 0.5 + side * rng.uniform(*PAIR_DISTANCE), rng.uniform(*PAIR_HEIGHT)
    return float(x), float(0.5 + height / 2 + rng.uniform(0.02, 0.08)), float(height)
