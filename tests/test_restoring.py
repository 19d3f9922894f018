"""The picture's own pixels, where a frame shows the picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import load_waveform
from musedance_core.models.warping import warped
from musedance_core.pictures import fit_picture, load_picture
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.restoring import MOVED, STILL, restored

ASSETS = Path(__file__).parents[1] / "assets"
SIZE = 32


@pytest.fixture
def picture() -> Tensor:
    """Grain all over, and a bright square in the middle."""
    grain = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 0.02
    grain[:, 12:20, 12:20] += 0.9
    return grain


def redraw(pictures: Tensor) -> Tensor:
    """As an autoencoder hands pictures back: softer."""
    return F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)


def test_what_is_drawn_as_the_picture_is_drawn_becomes_the_picture(picture: Tensor) -> None:
    noise = torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * STILL[0]
    out = restored(redraw(picture) + noise, picture, redraw)
    assert torch.allclose(out, picture.expand(5, -1, -1, -1))


def test_what_differs_stays_as_it_is_drawn_with_the_pixels_around_it(picture: Tensor) -> None:
    frames = redraw(picture).repeat(2, 1, 1, 1)
    frames[1, 0, 6:10, 6:10] += STILL[1] + 0.01  # in one colour, in one frame
    out = restored(frames, picture, redraw)
    assert torch.equal(out[1, :, 5:11, 5:11], frames[1, :, 5:11, 5:11])
    out[1, :, 5:11, 5:11] = picture[:, 5:11, 5:11]
    assert torch.allclose(out, picture.expand(2, -1, -1, -1))


def test_between_alike_and_other_it_is_a_mixture(picture: Tensor) -> None:
    frames = (redraw(picture) + STILL[0] + 0.25 * (STILL[1] - STILL[0]))[None]
    out = restored(frames, picture, redraw)
    assert torch.allclose(out, 0.25 * frames + 0.75 * picture, atol=1e-6)


def shifts(right: float) -> Tensor:
    """The warp `[1 2 6]` of one frame that shows the picture so many pixels further right."""
    by = 2 * right / SIZE
    return torch.tensor([[[-by, 1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]]])


def test_a_dancer_who_is_drawn_as_planned_gets_the_pixels_of_the_picture_moved(
    picture: Tensor,
) -> None:
    warp = shifts(6)
    moved = warped(picture[None], warp[None])
    frames = redraw(warped(redraw(picture[None]), warp[None]))
    frames[:, :, :, :12] = redraw(picture)[:, :, :12]
    frames[:, :, 12:20, 12:18] = 0.4  # something else where the dancer was
    out = restored(frames, picture, redraw, warp)
    assert torch.allclose(out[0, :, 12:20, 19:27], moved[0, :, 12:20, 19:27], atol=1e-6)
    assert torch.allclose(out[0, :, :, :11], picture[:, :, :11], atol=1e-6)
    assert torch.equal(out[0, :, 14:18, 13:16], frames[0, :, 14:18, 13:16])
    without = restored(frames, picture, redraw)
    assert torch.equal(without[0, :, 12:20, 19:27], frames[0, :, 12:20, 19:27])


def test_a_dancer_who_is_drawn_elsewhere_stays_as_drawn(picture: Tensor) -> None:
    frames = redraw(warped(picture[None], shifts(6)[None]))
    out = restored(frames, picture, redraw, shifts(-6))
    assert torch.equal(out[0, :, 14:18, 21:24], frames[0, :, 14:18, 21:24])
    assert MOVED[1] < 0.9


def test_the_background_of_a_dance_is_the_pictures_own() -> None:
    fitted = fit_picture(load_picture(ASSETS / "sticker-chick.png"), None, 64)
    pipeline = MuseDancePipeline.from_checkpoint()
    track = pipeline.listen(load_waveform(ASSETS / "demo-song.ogg"), regular_grid(120, 0.0, 8.0))

    def background() -> Tensor:
        """How far the corner pixels of all frames are from the picture's."""
        (segment,) = pipeline.animate(
            fitted.image, track, "it hops", frames=48, steps=4, part_map=fitted.part_map
        )
        return (segment.frames[:, :, -2:, :2] - fitted.image[:, -2:, :2]).abs().max()

    assert pipeline.config.unet.copy_pixels
    assert background() < 1e-6
    unet = dataclasses.replace(pipeline.config.unet, copy_pixels=False)
    pipeline.config = dataclasses.replace(pipeline.config, unet=unet)
    assert background() > 1e-4
