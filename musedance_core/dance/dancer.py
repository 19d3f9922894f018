"""A dancer in front of a background: every pose of a dance as a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from .figure import LayeredFigure
from .motion import DanceMotion
from .posing import at_rest, pose_body
from .skinning import Canvas, Layer, render, resample_layers


@dataclass(frozen=True)
class Dancer:
    """A figure, its place in the frame, and its background.

    Attributes:
        figure: the layers.
        canvas: the frame's size, and the place of the picture's pixels in it.
        background: `[4 h w]` of the canvas, premultiplied RGBA; transparent where there is none.
        backdrop: colour `[3]` behind and around the frame, for networks that take no transparency.
    """

    figure: LayeredFigure
    canvas: Canvas
    background: Tensor
    backdrop: Tensor

    @property
    def opaque(self) -> bool:
        """Whether the background covers the whole frame."""
        return bool((self.background[3] >= 1).all())

    @cached_property
    def _layers(self) -> list[Layer]:
        return resample_layers(self.figure, self.canvas.scale)

    def frames(self, motion: DanceMotion) -> tuple[Tensor, Tensor]:
        """The dancer in the poses `[f]` of `motion`: frames `[f 4 h w]`, premultiplied RGBA, and
        the dancer's own alpha in them, `[f 1 h w]`."""
        posed = pose_body(self.figure.body, motion)
        figure = render(self.figure, posed, self.canvas, layers=self._layers)
        alpha = figure.rgba[:, 3:]
        frames = self.background.repeat(len(alpha), 1, 1, 1)
        where = (..., figure.rows, figure.columns)
        frames[where] *= 1 - alpha[where]
        frames[where] += figure.rgba[where]
        return frames, alpha

    def at_rest(self) -> tuple[Tensor, Tensor]:
        """The dancer as in its picture: RGBA `[4 h w]` as in `frames`, and part ids `[h w]`
        (`parts`)."""
        figure = render(self.figure, at_rest(self.figure.body), self.canvas, parts=True)
        assert figure.part_ids is not None
        rgba = figure.rgba[0] + (1 - figure.rgba[0, 3:]) * self.background
        return rgba, figure.part_ids[0]

    def in_square(self, side: int) -> Dancer:
        """The same dancer, opaque and small, in the middle of a square of `side` pixels."""
        h, w = self.canvas.height, self.canvas.width
        fit = Letterbox.of(w, h, side)
        behind = F.pad(self.backdrop, (0, 1), value=1.0)[:, None, None]
        background = self.background + (1 - self.background[3:]) * behind
        square = behind.expand(4, side, side).clone()
        small = F.interpolate(background[None], (fit.height, fit.width), mode="area")[0]
        square[:, fit.rows, fit.columns] = small
        factor = fit.height / h
        canvas = Canvas(
            side,
            side,
            self.canvas.scale * factor,
            self.canvas.left * factor + fit.left,
            self.canvas.top * factor + fit.top,
        )
        return Dancer(self.figure, canvas, square, self.backdrop)


@dataclass(frozen=True)
class Letterbox:
    """The place of a frame that is fitted into a square, uncropped: its size and corner there."""

    width: int
    height: int
    left: int
    top: int

    @classmethod
    def of(cls, width: int, height: int, side: int) -> Letterbox:
        """The place of a frame of `width` x `height` in a square of `side`."""
        scale = side / max(width, height)
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        return cls(w, h, (side - w) // 2, (side - h) // 2)

    @property
    def rows(self) -> slice:
        """Rows of the square that the frame fills."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Columns of the square that the frame fills."""
        return slice(self.left, self.left + self.width)


def unpremultiply(rgba: Tensor) -> Tensor:
    """Premultiplied RGBA `[... 4 h w]` as straight RGBA, black where it is transparent."""
    alpha = rgba[..., 3:, :, :]
    colour = rgba[..., :3, :, :] / alpha.clamp_min(1e-4)
    return torch.cat([colour.clamp(0, 1), alpha.clamp(0, 1)], dim=-3)
