"""Pictures of the world's dancers: in a frame, at rest, and as the plan of a dance shows them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..dance.dancer import straight
from ..dance.figure import split_figure
from ..dance.motion import DanceMotion
from ..dance.posing import PosedBody, at_rest, pose_body
from ..dance.rig import Rig, part_weights
from ..dance.skinning import Canvas, render
from .cast import Appearance


@dataclass(frozen=True)
class Shot:
    """A dancer in its picture.

    Attributes:
        appearance: the dancer, its background and place.
        picture: `[3 s s]` in 0..1.
        figure: the dancer alone, premultiplied RGBA `[4 s s]`.
        part_map: part ids `[s s]` (`parts`).
        rig: the true joints and parts in the picture.
    """

    appearance: Appearance
    picture: Tensor
    figure: Tensor
    part_map: Tensor
    rig: Rig


def canvas_of(appearance: Appearance) -> Canvas:
    """The square frame in which the dancer stands at its place."""
    size = appearance.background.shape[-1]
    body, (x, ground, height) = appearance.figure.body, appearance.place
    scale = height * size / body.height
    left = x * size - float(body.joints[0, 0]) * scale
    return Canvas(size, size, scale, left, ground * size - body.ground * scale)


def shot(appearance: Appearance, pose: DanceMotion | None = None) -> Shot:
    """The picture of a dancer in the first of `pose`, or as it was drawn."""
    figure, canvas = appearance.figure, canvas_of(appearance)
    posed = at_rest(figure.body) if pose is None else pose_body(figure.body, pose[:1])
    rendered = render(figure, posed, canvas, parts=True)
    assert rendered.part_ids is not None
    rgba, part_map = rendered.rgba[0], rendered.part_ids[0]
    picture = rgba[:3] + (1 - rgba[3:]) * appearance.background
    return Shot(appearance, picture, rgba, part_map, _true_rig(posed, figure.body.present, canvas, part_map))


def dance_frames(appearance: Appearance, motion: DanceMotion) -> tuple[Tensor, PosedBody]:
    """The true frames `[f 3 s s]` of a dance, and the posed body in the figure's own pixels."""
    posed = pose_body(appearance.figure.body, motion)
    rgba = render(appearance.figure, posed, canvas_of(appearance)).rgba
    return rgba[:, :3] + (1 - rgba[:, 3:]) * appearance.background, posed


def planned_frames(shot: Shot, motion: DanceMotion) -> tuple[Tensor, Tensor]:
    """The dance as it is planned from the picture alone: frames `[f 3 s s]`, and the dancer's alpha
    in them `[f 1 s s]`."""
    size = shot.picture.shape[-1]
    figure = split_figure(straight(shot.figure), shot.rig)
    rgba = render(figure, pose_body(figure.body, motion), Canvas(size, size)).rgba
    alpha = rgba[:, 3:]
    return rgba[:, :3] + (1 - alpha) * shot.appearance.background, alpha


def shown_joints(posed: PosedBody, canvas: Canvas) -> Tensor:
    """Joints `[f 16 2]` in the frame's pixels."""
    place = torch.tensor([canvas.left, canvas.top])
    return posed.shown_joints * canvas.scale + place


def _true_rig(posed: PosedBody, present: Tensor, canvas: Canvas, part_map: Tensor) -> Rig:
    joints = shown_joints(posed, canvas)[0]
    joints = torch.where(present[:, None], joints, torch.nan)
    size = part_map.shape[-1]
    return Rig((size, size), joints, present.float(), part_weights(part_map))
