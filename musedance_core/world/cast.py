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


@dataclass(frozen=True)
class CastSettings:
    """Size, place and colours of dancers. Lengths are shares of the picture."""

    height: tuple[float, float] = (0.48, 0.66)
    large_height: tuple[float, float] = (0.66, 0.8)
    large_share: float = 0.15  # share of dancers of the large height
    x: tuple[float, float] = (0.42, 0.58)  # of a dancer without a bystander
    ground: tuple[float, float] = (0.02, 0.08)  # how far feet are lower than if it were centred
    plain_emoji: float = 0.25  # share of emoji with unaltered colours
    plain_puppets: float = 0.75  # share of puppets with unaltered colours, which vary already
    pair_height: tuple[float, float] = (0.38, 0.50)  # of a dancer and a bystander
    pair_distance: tuple[float, float] = (0.20, 0.25)  # of both from the middle of the picture
    largest_layer: int = 512  # side of a figure's layers in pixels, at most


SETTINGS = CastSettings()


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
        self.layer_size = min(SETTINGS.largest_layer, size)
        self.glyphs = Glyphs(split, self.layer_size, font) if self.emoji_share > 0 else None

    def appearance(self, rng: np.random.Generator) -> Appearance:
        """Returns a random dancer near the centre."""
        large = rng.random() < SETTINGS.large_share
        height = float(rng.uniform(*(SETTINGS.large_height if large else SETTINGS.height)))
        x = float(rng.uniform(*SETTINGS.x))
        place = (x, 0.5 + height / 2 + float(rng.uniform(*SETTINGS.ground)), height)
        background = random_background(rng, self.size, self.flat)
        return Appearance(self.figure(rng), background, place)

    def figure(self, rng: np.random.Generator) -> LayeredFigure:
        """Returns a random figure."""
        if self.glyphs is not None and rng.random() < self.emoji_share:
            figure = self.glyphs.figure(int(rng.integers(len(self.glyphs))))
            plain = SETTINGS.plain_emoji
        else:
            figure = random_puppet(rng, self.layer_size, self.split)
            plain = SETTINGS.plain_puppets
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
    x = 0.5 + side * rng.uniform(*SETTINGS.pair_distance)
    height = rng.uniform(*SETTINGS.pair_height)
    ground = 0.5 + height / 2 + rng.uniform(*SETTINGS.ground)
    return float(x), float(ground), float(height)
