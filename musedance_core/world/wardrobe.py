"""Clothes of puppets: which there are, how long they are, and their colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .builds import Build
from .drawing import PLAIN, Colour
from .styles import bright
from .themes import Theme

CLOTH, TROUSERS = PLAIN + 1, PLAIN + 2
"""Materials with the first and the second texture of a style."""
SLEEVES: dict[str, tuple[float, ...]] = {
    "shirt": (1.0,),
    "tee": (0.2, 0.3, 0.4),
    "sleeveless": (0.0,),
    "coat": (1.0,),
    "suit": (1.0,),
    "dress": (0.0, 0.25, 1.0),
    "gown": (0.0, 0.3, 1.0),
    "robe": (1.0,),
    "hoodie": (1.0, 0.8),
    "overalls": (0.3, 1.0),
    "hero": (1.0,),
    "bare": (0.0,),
}
"""Tops, and the shares of the arm that their sleeves may cover."""
TOPS = tuple(SLEEVES)
_TOP_SHARES = (0.19, 0.17, 0.07, 0.09, 0.09, 0.1, 0.04, 0.03, 0.07, 0.06, 0.04, 0.05)
SKIRTS = ("dress", "gown", "coat", "robe")
_HANDS_OF = {
    "human": ("mitten", "mitten", "ball", "ball", "fingers", "splayed", "glove", "none"),
    "animal": ("paw", "paw", "none", "mitten", "ball", "flipper"),
    "robot": ("claw", "claw", "ball", "fingers", "block", "none"),
    "mascot": ("glove", "glove", "ball", "fingers", "mitten", "none"),
    "stick": ("none", "none", "ball", "fingers"),
    "odd": ("claw", "fingers", "splayed", "ball", "none"),
}
_FEET_OF = {
    "human": ("shoe", "shoe", "sneaker", "boot", "heel", "bare", "none"),
    "animal": ("paw", "paw", "bird", "shoe", "none", "bare"),
    "robot": ("block", "block", "shoe", "boot"),
    "mascot": ("shoe", "shoe", "sneaker", "boot", "bare", "block"),
    "stick": ("none", "bare", "shoe"),
    "odd": ("bare", "boot", "bird", "block", "shoe", "none"),
}
PROPS = ("ball", "sword", "wand", "balloon", "bag", "umbrella", "flag", "cup", "flower", "bar")


@dataclass(frozen=True)
class Wardrobe:
    """Clothes of a puppet and their colours.

    Attributes:
        top: one of `TOPS`.
        sleeve: share of the arm's length that the sleeve covers, 0..1; `flare` widens its end.
        trouser: share of the leg's length that trousers cover.
        textured: whether top and trousers have a texture.
        open_joints: whether no outline crosses the limbs at their joints.
        muscle: how much limbs swell, in their half widths.
        props: things in the right and the left hand, of `PROPS`, or "".
        back: "", "cape" or "wings" behind the trunk, or "pack".
    """

    top: str
    hand: str
    foot: str
    sleeve: float
    flare: float
    trouser: float
    trouser_flare: float
    textured: tuple[bool, bool]
    open_joints: bool
    muscle: float
    props: tuple[str, str]
    back: str
    skin: Colour
    cloth: Colour
    trousers: Colour
    shoes: Colour
    extra: Colour

    @property
    def cloth_material(self) -> int:
        """Material of the top."""
        return CLOTH if self.textured[0] else PLAIN

    @property
    def trouser_material(self) -> int:
        """Material of the trousers."""
        return TROUSERS if self.textured[1] else PLAIN

    def in_one_colour(self, colour: Colour) -> Wardrobe:
        """The same clothes, all of `colour`."""
        return replace(self, skin=colour, cloth=colour, trousers=colour, shoes=colour, extra=colour)


def random_wardrobe(
    rng: np.random.Generator, build: Build, theme: Theme, skin: Colour, palette: list[Colour]
) -> Wardrobe:
    """Clothes that go with a build and a theme."""
    top = str(rng.choice(TOPS, p=_TOP_SHARES))
    kind = build.kind if build.kind in _HANDS_OF else "animal"
    hand, foot = str(rng.choice(_HANDS_OF[kind])), str(rng.choice(_FEET_OF[kind]))
    naked = kind == "animal" and rng.random() < 0.6
    naked = naked or (build.kind in ("armless", "legless", "limbless") and rng.random() < 0.75)
    if naked or kind in ("robot", "mascot", "stick") or (build.thin and rng.random() < 0.3):
        top = "bare"
    if build.kind == "armless" and rng.random() < 0.6:
        foot = "bird"
    if theme.natural:  # people of photographs
        hand, foot = str(rng.choice(["fingers", "mitten"])), str(rng.choice(_FEET_OF["human"][:5]))

    def one() -> Colour:
        return palette[int(rng.integers(len(palette)))] if rng.random() < 0.8 else bright(rng)

    sleeve = float(rng.choice(SLEEVES[top])) * float(rng.uniform(0.86, 0.99))
    trouser = float(rng.choice([1.0, 1.0, 1.0, 1.0, 0.8, 0.45, 0.55, 0.15]))
    if top == "bare":
        plain = naked or kind in ("robot", "mascot", "stick")
        trouser = 0.0 if plain else float(rng.choice([0.3, 0.5, 1.0]))
    if top in ("dress", "gown", "robe"):
        trouser = float(rng.choice([0.0, 0.0, 0.0, 1.0]))
    cloth = skin if top == "bare" else one()
    same = top == "hero" or rng.random() < 0.08  # suits of one piece
    props = tuple(
        str(rng.choice(PROPS)) if build.arms and rng.random() < 0.06 else "" for _ in range(2)
    )
    back = str(rng.choice(["", "cape", "wings", "pack"], p=[0.9, 0.05, 0.03, 0.02]))
    if top == "hero" and rng.random() < 0.6:
        back = "cape"
    return Wardrobe(
        top=top,
        hand=hand,
        foot=foot,
        sleeve=sleeve,
        flare=float(rng.choice([1.0, 1.0, 1.05, 1.15, 1.3, 1.8])),
        trouser=trouser,
        trouser_flare=float(rng.choice([1.0, 1.0, 1.05, 1.2, 1.6])),
        textured=(bool(rng.random() < theme.textured), bool(rng.random() < 0.5 * theme.textured)),
        open_joints=bool(rng.random() < 0.9),
        muscle=float(rng.choice([0.0, 0.0, 0.12, 0.25, 0.4])),
        props=(props[0], props[1]),
        back="" if build.kind in ("stick", "limbless") else back,
        skin=skin,
        cloth=cloth,
        trousers=(cloth if same else one()) if trouser else skin,
        shoes=one() if foot in ("shoe", "boot", "block", "sneaker", "heel") else skin,
        extra=one(),
    )
