"""Themes: families of drawings whose builds, colours, outlines and finishes go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Theme:
    """Common traits of the drawings of a family; an empty field leaves the choice free.

    Attributes:
        share: how often it is chosen.
        kinds: weights of the kinds of `builds.KINDS`.
        figures: figures of `builds.FIGURES`.
        finishes: of `styles.FINISHES`.
        outlines: of `styles.OUTLINES`.
        skins: "yellow", "natural", "white" or "any".
        palette: "any", "natural", "white", "few" or "emoji".
        faces: share of figures that have a face.
        textured: share of tops with a pattern.
        wobble: how far an unsteady hand moves points, in body heights.
        natural: whether the figures look like people of photographs.
        one_colour: share of figures in a single colour.
    """

    share: float
    kinds: Mapping[str, float] = field(default_factory=dict)
    figures: tuple[str, ...] = ()
    finishes: tuple[str, ...] = ()
    outlines: tuple[str, ...] = ()
    skins: str = "any"
    palette: str = "any"
    faces: float = 0.96
    textured: float = 0.25
    wobble: float = 0.0
    natural: bool = False
    one_colour: float = 0.02


PEOPLE = {"human": 1.0}
THEMES: dict[str, Theme] = {
    "free": Theme(0.34, textured=0.35, one_colour=0.05),
    "emoji": Theme(
        0.13,
        kinds={"human": 0.8, "animal": 0.1, "odd": 0.05, "legless": 0.05},
        figures=("adult", "cartoon", "cartoon", "child", "long"),
        finishes=("flat", "flat", "gradient", "soft", "glossy"),
        outlines=("none", "none", "none", "coloured"),
        skins="yellow",
        palette="emoji",
        textured=0.06,
    ),
    "vector": Theme(
        0.10,
        kinds={"human": 0.9, "animal": 0.1},
        figures=("adult", "long", "long", "cartoon"),
        finishes=("flat", "flat", "gradient", "cel"),
        outlines=("none",),
        skins="natural",
        palette="few",
        faces=0.6,
        textured=0.15,
    ),
    "ink": Theme(
        0.07,
        finishes=("flat", "flat", "cel"),
        outlines=("thin", "middle", "thick"),
        skins="white",
        palette="white",
        wobble=0.002,
        textured=0.12,
    ),
    "child": Theme(
        0.06,
        kinds={"human": 0.5, "stick": 0.2, "animal": 0.2, "mascot": 0.1},
        figures=("child", "chibi", "cartoon"),
        finishes=("crayon", "crayon", "flat"),
        outlines=("middle", "thick", "coloured"),
        skins="any",
        wobble=0.005,
        textured=0.2,
    ),
    "pictogram": Theme(
        0.05,
        kinds={"human": 0.7, "stick": 0.3},
        figures=("adult", "long", "cartoon"),
        finishes=("flat",),
        outlines=("none", "thick", "heavy"),
        palette="few",
        faces=0.15,
        textured=0.0,
        one_colour=0.7,
    ),
    "plush": Theme(
        0.05,
        kinds={"animal": 0.8, "odd": 0.1, "mascot": 0.1},
        figures=("cartoon", "chibi", "heavy"),
        finishes=("photo", "soft", "painted", "glossy"),
        outlines=("none",),
        textured=0.3,
    ),
    "photo": Theme(
        0.11,
        kinds=PEOPLE,
        figures=("adult", "adult", "adult", "child", "long"),
        finishes=("photo",),
        outlines=("none",),
        skins="natural",
        palette="natural",
        faces=1.0,
        natural=True,
    ),
    "manga": Theme(
        0.09,
        kinds={"human": 0.85, "animal": 0.15},
        figures=("chibi", "cartoon", "long", "child"),
        finishes=("cel", "cel", "gradient", "flat", "painted"),
        outlines=("thin", "middle", "coloured"),
        skins="natural",
        faces=1.0,
    ),
}


def random_theme(rng: np.random.Generator) -> Theme:
    """One of `THEMES`."""
    themes = list(THEMES.values())
    shares = np.array([theme.share for theme in themes])
    return themes[int(rng.choice(len(themes), p=shares / shares.sum()))]
