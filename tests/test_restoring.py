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
from musedance_core.pictures import fit_picture, load_picture
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.restoring import ALIKE, OTHER, restored

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


def shifts(right: float, frames: int = 1) -> Tensor:
    """The warp `[f 2 6]` of frames that show the picture so many pixels further right."""
    by = 2 * right / SIZE
    warp = torch.tensor([[-by, 1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]])
    return warp.expand(frames, -1, -1)


def danced(picture: Tensor, right: int) -> Tensor:
    """One frame in which the square has moved and the background has not, as it is drawn."""
    dancer, frame = picture[:, 12:20, 12:20], picture.clone()
    frame[:, 12:20, 12:20] -= 0.9
    frame[:, 12:20, 12 + right : 20 + right] = dancer
    return redraw(redraw(frame[None]))


def test_what_stands_still_becomes_the_picture(picture: Tensor) -> None:
    noise = torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * ALIKE
    out = restored(redraw(picture) + noise, picture, shifts(0, 5), redraw)
    assert torch.allclose(out, picture.expand(5, -1, -1, -1), atol=1e-5)


def test_a_dancer_becomes_the_picture_moved_and_what_is_far_from_it_the_picture(
    picture: Tensor,
) -> None:
    out = restored(danced(picture, 6), picture, shifts(6), redraw)
    dancer, there = picture[:, 12:20, 12:20], out[0, :, 12:20, 18:26]
    assert torch.allclose(there, dancer, atol=1e-5)
    background = picture[:, :, :9]
    assert (out[0, :, :, :9] - background).abs().max() < 0.011  # nowhere as far as its grain
    assert (out[0, :, :, :9] - background).abs().mean() < 0.003
    assert (danced(picture, 6)[0, :, :, :9] - background).abs().mean() > 0.004


def test_what_is_like_neither_stays_as_it_was_drawn(picture: Tensor) -> None:
    frames = danced(picture, 6)
    frames[:, :, 2:8, 2:8] = 0.5
    out = restored(frames, picture, shifts(6), redraw)
    assert torch.equal(out[0, :, 3:7, 3:7], frames[0, :, 3:7, 3:7])
    elsewhere = restored(danced(picture, 6), picture, shifts(-6), redraw)
    assert torch.equal(elsewhere[0, :, 14:18, 21:24], danced(picture, 6)[0, :, 14:18, 21:24])


def test_between_alike_and_other_it_is_a_mixture() -> None:
    flat = torch.full((3, SIZE, SIZE), 0.3)
    frames = (flat + ALIKE + 0.25 * (OTHER - ALIKE))[None]
    out = restored(frames, flat, shifts(0), redraw)
    assert torch.allclose(out, 0.25 * frames + 0.75 * flat, atol=1e-5)


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
    assert background() < 1e-5
    unet = dataclasses.replace(pipeline.config.unet, copy_pixels=False)
    pipeline.config = dataclasses.replace(pipeline.config, unet=unet)
    assert background() > 1e-4
