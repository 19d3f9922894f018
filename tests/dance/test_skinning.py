"""Rendering of layered figures."""

from __future__ import annotations

from math import pi

import pytest
import torch
from torch import Tensor

from musedance_core.dance.figure import LayeredFigure
from musedance_core.dance.motion import BONE_INDEX, ROOT_INDEX, DanceMotion, standing
from musedance_core.dance.posing import Body, pose_body
from musedance_core.dance.skeleton import BONES, DENSEPOSE, INDEX, PART_INDEX, PARTS
from musedance_core.dance.skinning import Canvas, render
from musedance_core.parts import SUBJECT

SIZE = 96


def capsule(start: Tensor, end: Tensor, radius: float) -> Tensor:
    """Coverage `[SIZE SIZE]` of a thick line."""
    steps = torch.arange(SIZE) + 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = torch.stack([x, y], dim=-1)
    bone = end - start
    share = (((points - start) @ bone) / (bone @ bone).clamp_min(1e-6)).clamp(0, 1)
    distance = (points - start - share[..., None] * bone).norm(dim=-1)
    return (radius - distance + 0.5).clamp(0, 1)


def puppet() -> LayeredFigure:
    body = Body.standing(0.8 * SIZE, SIZE / 2, 0.9 * SIZE)
    at = body.joints
    shapes = {
        "torso": (at[INDEX["pelvis"]], at[INDEX["neck"]], 10.0),
        "head": (at[INDEX["neck"]], at[INDEX["head_top"]], 7.0),
        **{name: (at[start], at[end], 4.0) for name, (start, end) in BONES.items()},
    }
    layers = torch.zeros(len(PARTS), 4, SIZE, SIZE)
    for i, name in enumerate(PARTS):
        alpha = capsule(*shapes[name])
        layers[i] = torch.cat(
            [alpha * torch.tensor([0.1 * i, 0.5, 0.3])[:, None, None], alpha[None]]
        )
    return LayeredFigure(layers, body)


def at_rest(body: Body, frames: int = 1) -> DanceMotion:
    """The pose in the picture."""
    motion = standing(frames, 24)
    for name, (start, end) in BONES.items():
        bone = body.joints[end] - body.joints[start]
        motion.limbs[:, BONE_INDEX[name]] = bone / bone.norm()
    return motion


def dance(frames: int) -> DanceMotion:
    motion = standing(frames, 24)
    time = torch.linspace(0, 2 * pi, frames)
    for name, size in (("turn", 0.3), ("yaw", 3.0), ("bend", 0.1), ("lean", 0.3), ("x", 0.1)):
        motion.root[:, ROOT_INDEX[name]] = size * time.sin()
    for i in range(len(BONES)):
        angle = time + i
        motion.limbs[:, i] = torch.stack([angle.sin(), angle.cos()], dim=-1)
    return motion


def flattened(figure: LayeredFigure) -> Tensor:
    result = torch.zeros(4, SIZE, SIZE)
    for part in figure.order:
        layer = figure.layers[part]
        result = layer + (1 - layer[3:]) * result
    return result


def test_a_figure_at_rest_is_its_layers() -> None:
    figure = puppet()
    posed = pose_body(figure.body, at_rest(figure.body))
    frame = render(figure, posed, Canvas(SIZE, SIZE)).rgba[0]
    torch.testing.assert_close(frame, flattened(figure), atol=2e-3, rtol=0)


def test_frames_are_finite_and_premultiplied() -> None:
    figure = puppet()
    rgba = render(figure, pose_body(figure.body, dance(12)), Canvas(80, 60, 0.7, 3.0, -5.0)).rgba
    assert rgba.shape == (12, 4, 60, 80)
    assert torch.isfinite(rgba).all()
    assert rgba.min() >= 0
    assert rgba[:, 3].max() <= 1 + 1e-6
    assert (rgba[:, :3] <= rgba[:, 3:] + 1e-6).all()
    assert (rgba[:, 3].amax(dim=(1, 2)) > 0.9).all()


def test_frames_do_not_depend_on_their_neighbours() -> None:
    figure, motion = puppet(), dance(6)
    canvas = Canvas(64, 64, 64 / SIZE)
    together = render(figure, pose_body(figure.body, motion), canvas, parts=True)
    for i in range(6):
        alone = render(figure, pose_body(figure.body, motion[i : i + 1]), canvas, parts=True)
        torch.testing.assert_close(together.rgba[i], alone.rgba[0], atol=1e-4, rtol=0)
        assert together.part_ids is not None
        assert alone.part_ids is not None
        assert (together.part_ids[i] != alone.part_ids[0]).float().mean() < 1e-3


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0, 5.0])
def test_a_scaled_canvas_shows_the_resized_frame(scale: float) -> None:
    figure = puppet()
    posed = pose_body(figure.body, dance(4))
    side = round(SIZE * scale)
    scaled = render(figure, posed, Canvas(side, side, scale)).rgba
    full = render(figure, posed, Canvas(SIZE, SIZE)).rgba
    resized = torch.nn.functional.interpolate(
        full, (side, side), mode="bilinear", antialias=scale < 1
    )
    assert (scaled - resized).abs().mean() < 0.01
    shifted = render(figure, posed, Canvas(side, side, scale, 5.0, -3.0)).rgba
    torch.testing.assert_close(shifted[..., :-3, 5:], scaled[..., 3:, :-5], atol=1e-3, rtol=0)


def test_part_ids_are_densepose_ids_of_the_part_on_top() -> None:
    figure = puppet()
    posed = pose_body(figure.body, at_rest(figure.body))
    ids = render(figure, posed, Canvas(SIZE, SIZE), parts=True).part_ids
    assert ids is not None
    middles = {name: (start, end) for name, (start, end) in BONES.items() if "shin" in name}
    middles["head"] = (INDEX["neck"], INDEX["head_top"])
    middles["right_forearm"] = BONES["right_forearm"]
    for name, (start, end) in middles.items():
        x, y = ((figure.body.joints[start] + figure.body.joints[end]) / 2).long()
        assert ids[0, y, x] == DENSEPOSE[name][0]
    assert ids[0, 0, 0] == 0
    assert ((ids[0] > 0) == (flattened(figure)[3] > 0.5)).float().mean() > 0.999


def test_a_figure_in_one_piece_has_the_id_of_a_subject() -> None:
    figure = puppet()
    layers = torch.zeros_like(figure.layers)
    layers[PART_INDEX["torso"]] = figure.layers[PART_INDEX["torso"]]
    whole = LayeredFigure(layers, figure.body)
    posed = pose_body(whole.body, standing(2, 24))
    ids = render(whole, posed, Canvas(SIZE, SIZE), parts=True).part_ids
    assert ids is not None
    assert ids.unique().tolist() == [0, SUBJECT]


def test_an_empty_figure_and_a_figure_out_of_sight_are_clear() -> None:
    figure = puppet()
    posed = pose_body(figure.body, standing(2, 24))
    empty = LayeredFigure(torch.zeros_like(figure.layers), figure.body)
    for seen, canvas in ((empty, Canvas(20, 20)), (figure, Canvas(20, 20, 1.0, 500.0, 0.0))):
        rendered = render(seen, posed, canvas, parts=True)
        assert not rendered.rgba.any()
        assert rendered.part_ids is not None
        assert not rendered.part_ids.any()
