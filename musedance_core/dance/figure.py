"""A figure as layers: one picture per part, which the poses of a dance move."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .layers import LayerCutter
from .opacity import SOLID, usual_opacity
from .posing import Body
from .rig import Rig
from .segmentation import segment
from .skeleton import DRAW_ORDER, PARTS

FAINT = 1 / 255
"""Alpha of an empty pixel."""


@dataclass(frozen=True)
class LayeredFigure:
    """A dancer cut into its parts.

    Attributes:
        layers: `[p 4 h w]`, premultiplied RGBA in 0..1 of every part of `PARTS` at rest, in the
            picture's pixels; empty where a part is absent. Layers overlap at the joints, and hidden
            parts are filled, so that no gap opens when a limb moves.
        body: its joints at rest.
        order: the layers from bottom to top.
        opacity: `[h w]`, of a figure that is translucent all over, whose layers are solid so that
            none shows through another; None elsewhere.
    """

    layers: Tensor
    body: Body
    order: tuple[int, ...] = DRAW_ORDER
    opacity: Tensor | None = None


def split_figure(picture: Tensor, rig: Rig) -> LayeredFigure:
    """Cuts the figure of `picture [4 h w]`, straight RGBA in 0..1, into its parts.

    Alpha, in relation to that of most of the figure, says what is figure. Limbs that are absent, or
    that cannot be told from what they hang on, stay with it; a figure without limbs and head is one
    layer.
    """
    picture = torch.nan_to_num(picture.float()).clamp(0, 1)
    box = figure_box(picture[3])
    usual, opacity = usual_opacity(picture[3].numpy()), None
    if usual < SOLID:
        opacity = picture[3].clamp_min(usual)
        picture = torch.cat([picture[:3], picture[3:] / opacity])
    layers = torch.zeros(len(PARTS), *picture.shape)
    left, top, right, bottom = box
    found = segment(picture, rig, box)
    cutter = LayerCutter(
        picture[:, top:bottom, left:right],
        found.labels[top:bottom, left:right].numpy(),
        found.joints - torch.tensor([left, top]),
    )
    layers[:, :, top:bottom, left:right] = cutter.layers()
    joints = cutter.joints + torch.tensor([left, top])
    body = Body.of(replace(rig, joints=joints), box)
    return LayeredFigure(layers, body, cutter.order, opacity)


def figure_box(alpha: Tensor) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the visible pixels of `alpha [h w]`; of all if it is empty."""
    solid = alpha > FAINT
    rows, columns = solid.any(dim=1).nonzero()[:, 0], solid.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return 0, 0, alpha.shape[1], alpha.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
