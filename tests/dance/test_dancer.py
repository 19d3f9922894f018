"""A dancer in its frame, and the same one in the denoiser's square."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from musedance_core.dance.dancer import Dancer, Letterbox, unpremultiply
from musedance_core.dance.figure import LayeredFigure
from musedance_core.dance.motion import ROOT_INDEX, standing
from musedance_core.dance.posing import Body
from musedance_core.dance.skeleton import PART_INDEX, PARTS
from musedance_core.dance.skinning import Canvas

BACKDROP = torch.tensor([0.2, 0.4, 0.6])


@pytest.fixture(scope="module")
def dancer() -> Dancer:
    """A red box of 20 x 50 pixels in a frame of 60 x 80, on a background of two colours."""
    layers = torch.zeros(len(PARTS), 4, 80, 60)
    layers[PART_INDEX["torso"], 0, 20:70, 20:40] = 1
    layers[PART_INDEX["torso"], 3, 20:70, 20:40] = 1
    background = torch.ones(4, 80, 60)
    background[:3, :, :30] = 0.25
    figure = LayeredFigure(layers, Body.standing(50, 30, 70))
    return Dancer(figure, Canvas(60, 80), background, BACKDROP)


def test_frames_are_the_dancer_over_its_background(dancer: Dancer) -> None:
    motion = standing(2, 12)
    motion.root[1, ROOT_INDEX["x"]] = 0.2  # ten pixels to the right
    frames, alpha = dancer.frames(motion)
    assert frames.shape == (2, 4, 80, 60) and alpha.shape == (2, 1, 80, 60)
    assert dancer.opaque and (frames[:, 3] == 1).all()
    free = alpha[1, 0] == 0
    assert torch.equal(frames[1, :3, free], dancer.background[:3, free])
    columns = [(a[0].amax(dim=0) > 0.5).nonzero()[:, 0] for a in alpha]
    assert int(columns[1][0]) - int(columns[0][0]) == pytest.approx(10, abs=1)


def test_at_rest_it_is_the_picture(dancer: Dancer) -> None:
    rgba, parts = dancer.at_rest()
    inside = (slice(22, 68), slice(22, 38))
    assert torch.allclose(rgba[0][inside], torch.ones(46, 16), atol=1e-3)
    assert (parts[inside] > 0).all() and not parts[:, :15].any()
    assert torch.equal(rgba[:, :, :15], dancer.background[:, :, :15])


@pytest.mark.parametrize(
    ("width", "height", "place"),
    [
        (60, 80, (24, 32, 4, 0)),
        (80, 60, (32, 24, 0, 4)),
        (50, 50, (32, 32, 0, 0)),
        (1, 64, (1, 32, 15, 0)),
    ],
)
def test_frames_fit_into_squares_uncropped(
    width: int, height: int, place: tuple[int, int, int, int]
) -> None:
    fit = Letterbox.of(width, height, 32)
    assert (fit.width, fit.height, fit.left, fit.top) == place
    square = torch.zeros(32, 32)
    square[fit.rows, fit.columns] = 1
    assert square.sum() == fit.width * fit.height


def test_in_the_square_it_is_the_frame_made_small(dancer: Dancer) -> None:
    square = dancer.in_square(40)
    motion = standing(1, 12)
    motion.root[0, ROOT_INDEX["lean"]] = 0.3
    large, small = dancer.frames(motion)[0], square.frames(motion)[0]
    fit = Letterbox.of(60, 80, 40)
    reduced = F.interpolate(large, (fit.height, fit.width), mode="area")
    placed = small[:, :, fit.rows, fit.columns]
    assert square.opaque and small.shape == (1, 4, 40, 40)
    assert (placed - reduced).abs().mean() < 0.02
    margin = small[0, :3, :, : fit.left]
    assert fit.left == 5 and torch.allclose(margin, BACKDROP[:, None, None].expand_as(margin))


def test_a_transparent_dancer_is_opaque_in_the_square(dancer: Dancer) -> None:
    clear = replace(dancer, background=torch.zeros(4, 80, 60))
    frames, alpha = clear.frames(standing(1, 12))
    assert not clear.opaque and torch.equal(frames[:, 3:], alpha)
    square = clear.in_square(40)
    rgba, _ = square.at_rest()
    assert square.opaque and (rgba[3] == 1).all()
    assert torch.allclose(rgba[:3, 2, 20], BACKDROP, atol=1e-5)


def test_straight_colours_are_those_of_the_pixel_and_black_where_it_is_empty() -> None:
    alpha = torch.tensor([1.0, 0.5, 0.0])[None, None]
    rgba = torch.cat([0.6 * alpha, 0.2 * alpha, 0 * alpha, alpha])
    shown = unpremultiply(rgba)
    assert torch.allclose(shown[0, 0], torch.tensor([0.6, 0.6, 0.0]))
    assert torch.allclose(shown[1, 0], torch.tensor([0.2, 0.2, 0.0]))
    assert torch.equal(shown[3], alpha[0])
