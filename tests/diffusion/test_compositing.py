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
from musedance_core.diffusion.compositing import THRESHOLDS, composite, plain_background
from musedance_core.geometry import warp_images
from musedance_core.media.images import fit_picture, load_picture
from musedance_core.pipeline import MuseDancePipeline

ASSETS = Path(__file__).parents[2] / "assets"
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


@pytest.fixture
def busy(picture: Tensor) -> Tensor:
    """The same square before a background that is anything but plain."""
    patches = torch.rand(3, SIZE // 4, SIZE // 4, generator=torch.Generator().manual_seed(2))
    pattern = patches.repeat_interleave(4, 1).repeat_interleave(4, 2) * 0.5
    pattern[:, 12:20, 12:20] = picture[:, 12:20, 12:20]
    return pattern


def test_what_stands_still_becomes_the_picture(busy: Tensor) -> None:
    noise = torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    noise = noise * THRESHOLDS.same
    out = composite(redraw(busy) + noise, busy, shifts(0, 5), redraw)
    assert torch.allclose(out, busy.expand(5, -1, -1, -1), atol=1e-5)


def test_a_dancer_becomes_the_picture_moved_and_what_is_far_from_it_the_picture(
    picture: Tensor,
) -> None:
    out = composite(danced(picture, 6), picture, shifts(6), redraw)
    assert torch.allclose(out[0, :, 12:20, 18:26], picture[:, 12:20, 12:20], atol=1e-5)
    assert torch.allclose(out[0, :, :, :9], picture[:, :, :9], atol=1e-5)


def test_what_is_like_neither_stays_as_it_was_drawn(busy: Tensor) -> None:
    frames = redraw(busy)[None].clone()
    frames[:, :, 2:8, 2:8] = 1
    out = composite(frames, busy, shifts(6), redraw)
    assert torch.equal(out[0, :, 3:7, 3:7], frames[0, :, 3:7, 3:7])
    frames = redraw(redraw(warp_images(busy[None], shifts(6)[None])))  # not where it was planned
    out = composite(frames, busy, shifts(-6), redraw)
    assert torch.equal(out[0, :, 14:18, 21:24], frames[0, :, 14:18, 21:24])


def test_where_the_dancer_is_known_nothing_else_is_taken_to_move(busy: Tensor) -> None:
    frames = redraw(redraw(warp_images(busy[None], shifts(6)[None])))  # all of it moved
    dancer = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    dancer[12:20, 12:20] = True
    known = composite(frames, busy, shifts(6), redraw, dancer)
    unknown = composite(frames, busy, shifts(6), redraw)
    everything = warp_images(busy[None], shifts(6)[None])[0]
    assert torch.allclose(known[0, :, 13:19, 19:25], busy[:, 13:19, 13:19], atol=1e-3)
    rest = busy[:, :10]
    assert (known[0, :, :10] - rest).abs().mean() < 0.2 * (everything[:, :10] - rest).abs().mean()
    assert torch.allclose(unknown[0, :, 2:10, 8:], everything[:, 2:10, 8:], atol=0.05)


def test_what_rests_in_most_frames_does_not_move_in_a_few(busy: Tensor) -> None:
    warp = shifts(6, 5)
    dances, everything = busy.clone(), warp_images(busy[None], shifts(6)[None])[0]
    dances[:, 12:20, 18:26] = busy[:, 12:20, 12:20]
    frames = redraw(redraw(torch.stack([dances] * 4 + [everything])))
    out = composite(frames, busy, warp, redraw)
    assert torch.allclose(out[0, :, 14:18, 20:24], busy[:, 14:18, 14:18], atol=1e-3)
    background, still, drawn = (part[:, 2:10] for part in (out[4], busy, frames[4]))
    assert ((background - drawn) * (still - drawn) > -1e-6).all(), "nothing of the moved picture"


def clouded(gap: bool) -> Tensor:
    """A square before colours that change smoothly but are not plain; with a gap its lower part
    comes out of the background without an edge."""
    down, right = torch.meshgrid(*[torch.linspace(-1, 1, SIZE)] * 2, indexing="ij")
    clouds = torch.stack([torch.sin(4 * right), torch.cos(4 * down), down * right])
    picture = 0.5 + 0.2 * clouds
    colour = torch.tensor([1.0, 0.9, 0.0])[:, None, None]
    share = torch.ones(12, 1)
    if gap:
        share[4:, 0] = torch.linspace(1, 0, 8)
    inside = picture[:, 10:22, 12:20]
    picture[:, 10:22, 12:20] = inside + share * (colour - inside)
    return picture


def test_before_a_smooth_background_only_what_has_an_outline_moves() -> None:
    picture = clouded(gap=False)
    assert plain_background(picture) is None
    everything, frame = warp_images(picture[None], shifts(4)[None])[0], picture.clone()
    frame[:, 8:24, 8:30] = everything[:, 8:24, 8:30]  # what is around the dancer is drawn moved
    out = composite(redraw(redraw(frame[None])), picture, shifts(4), redraw)
    rest, moved = picture[:, 10:22, 27:29], everything[:, 10:22, 27:29]
    assert (moved - rest).abs().mean() > 0.05
    assert torch.allclose(out[0, :, 10:22, 27:29], rest, atol=1e-3)
    assert torch.allclose(out[0, :, 12:20, 18:22], picture[:, 12:20, 14:18], atol=1e-3)


def test_an_outline_with_a_gap_says_nothing() -> None:
    picture = clouded(gap=True)
    everything = warp_images(picture[None], shifts(4)[None])
    out = composite(redraw(redraw(everything)), picture, shifts(4), redraw)
    assert torch.allclose(out[0, :, 4:28, 8:28], everything[0, :, 4:28, 8:28], atol=0.05)


def test_half_precision_finds_its_places_in_large_pictures() -> None:
    picture = torch.rand(3, 320, 320, generator=torch.Generator().manual_seed(3))
    with torch.autocast("cpu", torch.bfloat16):
        out = composite(redraw(picture)[None], picture, shifts(0), redraw)
    assert torch.allclose(out[0], picture, atol=1e-2)


def test_a_map_that_marks_nobody_says_nothing(busy: Tensor) -> None:
    frames = redraw(redraw(warp_images(busy[None], shifts(6)[None])))
    nobody = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    unknown = composite(frames, busy, shifts(6), redraw)
    assert torch.equal(composite(frames, busy, shifts(6), redraw, nobody), unknown)
    assert (unknown - busy).abs().max() > 0.5


def test_a_plain_background_shows_where_the_dancer_was(picture: Tensor) -> None:
    frames = danced(picture, 10)
    frames[:, :, 13:19, 12:14] = 0.4  # a trace of it
    out = composite(frames, picture, shifts(10), redraw)
    assert out[0, :, 12:20, 10:20].max() < 0.03
    assert torch.allclose(out[0, :, 12:20, 22:30], picture[:, 12:20, 12:20], atol=1e-5)


def test_between_alike_and_other_it_is_a_mixture() -> None:
    flat = torch.full((3, SIZE, SIZE), 0.3)
    frames = (flat + THRESHOLDS.same + 0.25 * (THRESHOLDS.different - THRESHOLDS.same))[None]
    out = composite(frames, flat, shifts(0), redraw)
    assert torch.allclose(out, 0.25 * frames + 0.75 * flat, atol=1e-5)


def test_a_plain_background_is_found_and_goes_on_behind_the_dancer() -> None:
    down = torch.linspace(0.2, 0.8, SIZE)[:, None].expand(SIZE, SIZE)
    sky = torch.stack([down, down**2, torch.full_like(down, 0.9)])
    picture = sky.clone()
    picture[:, 10:22, 14:20] = torch.tensor([1.0, 0.7, 0.0])[:, None, None]
    picture[:, 14:16, 16:18] = sky[:, 14:16, 16:18]  # like the sky, but within the dancer
    found = plain_background(picture)
    assert found is not None
    expected = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    expected[10:22, 14:20] = True
    assert torch.equal(found.hidden, expected)
    assert (found.colours - sky).abs().max() < 0.02
    assert torch.equal(found.colours[:, :, :10], picture[:, :, :10])


def test_no_plain_background_is_found_where_there_is_none(busy: Tensor) -> None:
    assert plain_background(busy) is None
    assert plain_background(torch.full((3, SIZE, SIZE), 0.5)) is None  # nothing before it
    down, right = torch.meshgrid(*[torch.linspace(-1, 1, SIZE)] * 2, indexing="ij")
    glow = torch.exp(-4 * (down**2 + right**2)).expand(3, -1, -1)
    assert plain_background(0.2 + 0.6 * glow) is None


def test_around_a_known_dancer_the_background_is_plain_or_not(
    picture: Tensor, busy: Tensor
) -> None:
    dancer = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    dancer[12:20, 12:20] = True
    assert plain_background(busy, dancer) is None
    found = plain_background(picture, dancer)
    assert found is not None and torch.equal(found.hidden, dancer)
    assert found.colours.max() < 0.03


def test_the_background_of_a_dance_is_the_pictures_own() -> None:
    fitted = fit_picture(load_picture(ASSETS / "sticker-chick.png"), None, 64)
    pipeline = MuseDancePipeline.from_pretrained(device="cpu")
    track = pipeline.encode_song(
        load_waveform(ASSETS / "demo-song.ogg"), regular_grid(120, 0.0, 8.0)
    )

    def background() -> Tensor:
        """Differences of the frames' corner pixels from the picture's."""
        (segment,) = pipeline.animate(
            fitted.image, track, "it hops", frames=48, steps=4, part_map=fitted.part_map
        )
        return (segment.frames[:, :, -2:, :2] - fitted.image[:, -2:, :2]).abs().max()

    assert pipeline.config.unet.copy_pixels
    assert background() < 1e-5
    unet = dataclasses.replace(pipeline.config.unet, copy_pixels=False)
    pipeline.model.config = dataclasses.replace(pipeline.config, unet=unet)
    assert background() > 1e-4
