"""Pictures of the world's dancers: in a frame, at rest, and as the plan of a dance shows them."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from ..dance.dancer import unpremultiply
from ..dance.figure import split_figure
from ..dance.motion import DanceMotion
from ..dance.posing import PosedBody, at_rest, pose_body
from ..dance.rig import Rig, part_weights
from ..dance.skinning import Canvas, render
from .cast import Appearance

PLAN_SCALE = 2
"""Size of the picture that a dance is planned from, in sizes of the denoiser's frames: real
pictures are larger too."""


@dataclass(frozen=True)
class Shot:
    """A dancer in its picture.

    Attributes:
        appearance: the dancer, its background and place.
        picture: `[3 s s]` in 0..1.
        part_map: part ids `[s s]` (`parts`).
        figure: the dancer alone at `PLAN_SCALE` times that size, premultiplied RGBA.
        rig: its true joints and parts, at that size too.
    """

    appearance: Appearance
    picture: Tensor
    part_map: Tensor
    figure: Tensor
    rig: Rig


def shot(appearance: Appearance, pose: DanceMotion | None = None) -> Shot:
    """The picture of a dancer in the first of `pose`, or as it was drawn."""
    figure, canvas = appearance.figure, appearance.canvas
    posed = at_rest(figure.body) if pose is None else pose_body(figure.body, pose[:1])
    small = render(figure, posed, canvas, parts=True)
    large = render(figure, posed, _enlarged(canvas), parts=True)
    assert small.part_ids is not None and large.part_ids is not None
    picture = _over(small.rgba, appearance.background)[0]

    # The rig is the truth about the larger picture.
    joints = canvas_joints(posed, _enlarged(canvas))[0]
    joints = torch.where(figure.body.present[:, None], joints, torch.nan)
    size = (large.rgba.shape[-1], large.rgba.shape[-2])
    rig = Rig(size, joints, figure.body.present.float(), part_weights(large.part_ids[0]))
    return Shot(appearance, picture, small.part_ids[0], large.rgba[0], rig)


def dance_frames(appearance: Appearance, motion: DanceMotion) -> tuple[Tensor, PosedBody]:
    """The true frames `[f 3 s s]` of a dance, and the posed body in the figure's own pixels."""
    posed = pose_body(appearance.figure.body, motion)
    rgba = render(appearance.figure, posed, appearance.canvas).rgba
    return _over(rgba, appearance.background), posed


def planned_frames(shot: Shot, motion: DanceMotion) -> tuple[Tensor, Tensor]:
    """The dance as it is planned from the picture alone: frames `[f 3 s s]`, and the dancer's alpha
    in them `[f 1 s s]`."""
    size = shot.picture.shape[-1]
    figure = split_figure(unpremultiply(shot.figure), shot.rig)
    posed = pose_body(figure.body, motion)
    rgba = render(figure, posed, Canvas(size, size, 1 / PLAN_SCALE)).rgba
    return _over(rgba, shot.appearance.background), rgba[:, 3:]


def _over(rgba: Tensor, background: Tensor) -> Tensor:
    """Premultiplied `rgba [f 4 s s]` in front of a background `[3 s s]`: `[f 3 s s]` in 0..1."""
    return (rgba[:, :3] + (1 - rgba[:, 3:]) * background).clamp(0, 1)


def _enlarged(canvas: Canvas) -> Canvas:
    return Canvas(*(value * PLAN_SCALE for value in astuple(canvas)))


def canvas_joints(posed: PosedBody, canvas: Canvas) -> Tensor:
    """Joints `[f 16 2]` in the frame's pixels."""
    place = torch.tensor([canvas.left, canvas.top])
    return posed.warped_joints * canvas.scale + place
