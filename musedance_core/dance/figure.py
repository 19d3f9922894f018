"""A figure as layers: one picture per part, which the poses of a dance move."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .posing import Body
from .skeleton import DRAW_ORDER


@dataclass(frozen=True)
class LayeredFigure:
    """A dancer cut into its parts.

    Attributes:
        layers: `[p 4 h w]`, premultiplied RGBA in 0..1 of every part of `PARTS` at rest, in the
            picture's pixels; empty where a part is absent. Layers overlap at the joints, and hidden
            parts are filled, so that no gap opens when a limb moves.
        body: its joints at rest.
        order: the layers from bottom to top.
    """

    layers: Tensor
    body: Body
    order: tuple[int, ...] = DRAW_ORDER
