"""Properties of the picture moved as one body."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from einops import rearrange
from torch import Tensor

from musedance_core.config import DynamicsConfig, MusicConfig
from musedance_core.geometry import (
    IDENTITY_WARP,
    fit_warp,
    pixel_centres,
    quadratic_terms,
    recentre_warp,
    rotations,
    source_points,
    warp_images,
)
from musedance_core.models import Conditions, MuseDanceUNet, WarpedReference, init_weights
from musedance_core.models.body_warp import LARGEST, SHAPES, BodyWarp, shaped
from musedance_core.models.schedule import NoiseSchedule

from .test_reference_copy import COPYING, SCHEDULE, fix, frames, never_copy, scene
from .test_unet import SMALL, randomise

BODY = dataclasses.replace(COPYING, copy_body=True)
DYNAMICS = DynamicsConfig(token_width=12, heads=2)
MUSIC = MusicConfig(width=12)


def affine(matrix: list[list[float]]) -> Tensor:
    """The warp `[1 1 2 6]` of an affine map `[[shift, of x, of y], ...]`."""
    return torch.nn.functional.pad(torch.tensor(matrix).float(), (0, 3))[None, None]


def test_a_body_needs_copying() -> None:
    with pytest.raises(ValueError, match="copy_body needs copying, but copy_reach is 0"):
        dataclasses.replace(SMALL, copy_body=True)


def test_pixels_are_copied_only_where_the_picture_is_moved() -> None:
    with pytest.raises(ValueError, match="copy_pixels needs the picture to be moved"):
        dataclasses.replace(COPYING, copy_pixels=True)


def test_pixel_centres_lie_between_the_edges_row_by_row() -> None:
    assert pixel_centres(2, 4).tolist() == [
        [x, y] for y in (-0.5, 0.5) for x in (-0.75, -0.25, 0.25, 0.75)
    ]


def test_the_still_warp_leaves_a_picture_as_it_is() -> None:
    picture = torch.rand(2, 3, 8, 6)
    still = torch.tensor(IDENTITY_WARP).expand(2, 3, 2, 6)
    assert torch.allclose(warp_images(picture, still), picture.repeat_interleave(3, 0), atol=1e-5)


def test_a_shift_says_where_what_is_seen_comes_from() -> None:
    """A frame whose points come from two pixels further right shows the picture moved left."""
    picture = torch.rand(1, 3, 8, 8)
    moved = warp_images(picture, affine([[0.5, 1, 0], [0, 0, 1]]))
    assert torch.allclose(moved[..., :6], picture[..., 2:], atol=1e-5)
    assert torch.allclose(moved[..., 6:], picture[..., -1:].expand(-1, -1, -1, 2), atol=1e-5)


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    picture = torch.rand(1, 3, 8, 8)
    turned = warp_images(picture, affine([[0, 0, 1], [0, -1, 0]]))
    assert torch.allclose(turned, picture.rot90(-1, (2, 3)), atol=1e-5)


def test_squares_bend() -> None:
    warp = torch.tensor(IDENTITY_WARP)
    warp[0, 5] = 0.25  # x comes from x + y² / 4
    points = torch.tensor([[0.1, -1.0], [0.1, 0.0], [0.1, 1.0]])
    assert torch.allclose(source_points(warp, points)[:, 0], torch.tensor([0.35, 0.1, 0.35]))
    assert torch.allclose(source_points(warp, points)[:, 1], points[:, 1])
    assert quadratic_terms(points).shape == (3, 6)


def test_a_fitted_warp_takes_points_to_where_they_come_from() -> None:
    torch.manual_seed(0)
    points = pixel_centres(3, 3) * 0.6 + 0.1 * torch.randn(4, 1, 2)
    warp = torch.tensor(IDENTITY_WARP) + 0.2 * torch.randn(4, 2, 6)
    found = fit_warp(points, source_points(warp, points))
    assert torch.allclose(source_points(found, points), source_points(warp, points), atol=5e-3)
    flat = points * torch.tensor([0.01, 1.0])  # edge on: nothing tells how it bends
    assert fit_warp(flat, points)[:, :, 3].abs().max() < 10
    assert torch.allclose(source_points(fit_warp(flat, points), flat), points, atol=0.05)


def test_a_turn_turns_and_never_shrinks() -> None:
    assert torch.allclose(rotations(torch.zeros(2)), torch.eye(2))
    assert torch.allclose(
        rotations(torch.tensor([-1.0, 3.0])), torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    )
    assert torch.allclose(torch.linalg.det(rotations(torch.randn(9, 2) * 2)), torch.ones(9))


def test_a_warp_about_a_middle_is_the_same_warp_of_what_lies_around_it() -> None:
    torch.manual_seed(0)
    warp, middle, points = torch.randn(4, 2, 6), torch.randn(4, 2), torch.randn(4, 5, 2)
    wanted = middle[:, None] + source_points(warp, points - middle[:, None])
    assert torch.allclose(source_points(recentre_warp(warp, middle), points), wanted, atol=1e-4)


def test_frames_are_in_the_order_of_their_warps() -> None:
    picture = torch.rand(2, 3, 8, 8)
    warps = torch.tensor(IDENTITY_WARP).repeat(2, 3, 1, 1)
    warps[:, 1, 0, 0] = 0.25
    moved = rearrange(warp_images(picture, warps), "(b f) c h w -> b f c h w", b=2)
    assert torch.allclose(moved[:, 0], picture, atol=1e-5)
    assert torch.allclose(moved[:, 1, ..., :-1], picture[..., 1:], atol=1e-5)


def heard() -> Conditions:
    """What the warps of two clips of three frames hang on."""
    torch.manual_seed(1)
    return Conditions(
        text=torch.randn(2, 7, 24),
        music=torch.randn(2, 9, 12),
        beat=torch.randn(2, 3, 12),
        seconds=torch.arange(3) / 12,
    )


def test_a_fresh_body_stays_where_it_is() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    warp = body(torch.randn(2, 5, 8, 6), heard())
    assert torch.allclose(warp, torch.tensor(IDENTITY_WARP).expand(2, 3, 2, 6), atol=1e-5)


def test_the_sense_of_a_turn_can_be_learned_from_fresh_weights() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    body(torch.randn(2, 5, 8, 6), heard())[..., 0, 2].sum().backward()
    assert body.turn.weight.grad is not None and (body.turn.weight.grad[1:] != 0).any(1).all()


@pytest.mark.parametrize("name", ["text", "music", "beat", "picture"])
def test_a_warp_listens(name: str) -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC).eval()
    randomise(body)
    picture, conditions = torch.randn(2, 5, 8, 6), heard()
    with torch.no_grad():
        warp = body(picture, conditions)
        if name == "picture":
            other = body(picture.roll(1, -1), conditions)
        else:
            change = {name: getattr(conditions, name) + 1}
            other = body(picture, dataclasses.replace(conditions, **change))
    assert warp.shape == (2, 3, 2, 6)
    assert not torch.allclose(warp, other, atol=1e-3)


def test_all_of_a_body_learns() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    randomise(body)
    conditions = heard()
    music = body.music_tokens(torch.randn(2, 9, 12), torch.arange(9) / 3)
    beat = body.beat_tokens(torch.tensor([[0, 1, 0]] * 2), torch.rand(2, 3), conditions.seconds)
    conditions = dataclasses.replace(conditions, music=music, beat=beat)
    body(torch.randn(2, 5, 8, 6), conditions).square().mean().backward()
    for name, weight in body.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_a_shape_is_shifts_scales_lean_and_bends() -> None:
    nothing = shaped(torch.zeros(1, 1, SHAPES))
    assert torch.equal(nothing, torch.tensor(IDENTITY_WARP)[None, None])
    said = torch.arange(SHAPES) / 10
    warp = shaped(said[None, None])[0, 0]
    wide, tall = (LARGEST * torch.tanh(said[2:4] / LARGEST)).exp().tolist()
    assert warp[0].tolist() == pytest.approx([0.0, wide, 0.4, 0.5, 0.6, 0.7])
    assert warp[1].tolist() == pytest.approx([0.1, 0.0, tall, 0.8, 0.9, 1.0])


def test_no_shape_turns_a_picture_over_or_shrinks_it_to_nothing() -> None:
    warp = shaped(100 * torch.randn(1, 50, SHAPES))
    scales = torch.stack([warp[..., 0, 1], warp[..., 1, 2]])
    assert (scales > 0.04).all() and (scales < 21).all()


def body_scene() -> tuple[MuseDanceUNet, Tensor, Tensor, Conditions]:
    """A denoiser that is shown a moved picture, two noisy clips, their timesteps, conditions."""
    s = scene()
    unet = MuseDanceUNet(BODY, schedule=SCHEDULE).eval()
    init_weights(unet)
    randomise(unet)
    moved = WarpedReference(
        *(torch.randn(2, 3, 2, 6), torch.randn(2, 3, 4, 8, 6)),
        *(torch.randn(2, 3, 16, 8, 6), torch.randn(2, 4, 8, 6)),
    )
    fix(unet.copy.still_out, -60.0)
    return unet, s.x, s.t, dataclasses.replace(s.conditions, warped_reference=moved)


@torch.no_grad()
def test_what_is_moved_is_reached_from_every_noise() -> None:
    unet, x, t, conditions = body_scene()
    never_copy(unet)
    fix(unet.copy.moved_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    assert torch.allclose(frames(clean), frames(conditions.warped_reference.latents), atol=1e-2)


@torch.no_grad()
def test_places_at_rest_show_the_picture_itself() -> None:
    unet, x, t, conditions = body_scene()
    fix(unet.copy.still_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    still = conditions.warped_reference.reference_latents[:, None].expand_as(clean)
    assert torch.allclose(clean, still, atol=1e-2)


@torch.no_grad()
def test_without_training_rest_is_where_the_neighbours_too_are_as_the_picture() -> None:
    unet, *_ = body_scene()
    fix(unet.copy.still_out, 0.0)
    still = torch.randn(1, 4, 8, 6)
    drawn = still.clone()
    drawn[:, :, 1, 1] += 1
    share = unet.copy.still_share(torch.zeros(1, 16, 8, 6), drawn, still)[0, 0]
    assert (share[:3, :3] < 0.01).all()
    assert (share[3:] > 0.9).all() and (share[:, 3:] > 0.9).all()


def test_how_a_picture_is_turned_and_how_its_frames_turn_add_up() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC).eval()
    randomise(body)
    for layer in (body.out, body.turn, body.upright):
        fix(layer, 0.0)
    picture, conditions = torch.randn(2, 5, 8, 6), heard()

    def turn() -> Tensor:
        with torch.no_grad():
            return body(picture, conditions)[..., 1:3]

    quarter = torch.tensor([-1.0, 1.0, 0.0])  # from (1, 0) to (0, 1)
    still = turn()
    body.upright.bias.data = quarter
    once = turn()
    body.turn.bias.data = quarter
    twice = turn()
    assert torch.allclose(still, torch.eye(2).expand_as(still), atol=1e-5)
    assert torch.allclose(once, torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand_as(still), atol=1e-5)
    assert torch.allclose(twice, -still, atol=1e-5)
    body.upright.bias.data = torch.tensor([0.0, 0.0, -1.0])  # the other way round, of what is said
    body.turn.bias.data = torch.tensor([-1.0, 0.0, 1.0])
    assert torch.allclose(turn(), once.mT, atol=1e-5)


@torch.no_grad()
def test_the_denoiser_sees_the_moved_picture_even_where_it_does_not_show_it() -> None:
    unet, x, t, conditions = body_scene()
    fix(unet.copy.moved_out, -60.0)
    assert conditions.warped_reference is not None
    for name in ("latents", "features"):
        value = getattr(conditions.warped_reference, name)
        other = dataclasses.replace(conditions.warped_reference, **{name: value + 1})
        seen = unet(x, t, dataclasses.replace(conditions, warped_reference=other))
        assert not torch.allclose(seen, unet(x, t, conditions), atol=1e-3), name


@torch.no_grad()
def test_a_dropped_picture_is_not_shown_moved() -> None:
    unet, x, t, conditions = body_scene()
    one = dataclasses.replace(conditions, keep_reference=torch.tensor([False, True]))
    assert one.warped_reference is not None
    other = dataclasses.replace(one.warped_reference, latents=one.warped_reference.latents + 1)
    mixed, changed = unet(x, t, one), unet(x, t, dataclasses.replace(one, warped_reference=other))
    assert torch.equal(mixed[0], changed[0])
    assert not torch.allclose(mixed[1], changed[1], atol=1e-3)
    assert conditions.without_reference().warped_reference is None


def test_all_of_the_denoiser_learns_from_the_loss() -> None:
    unet, x, t, conditions = body_scene()
    unet(x, t, conditions).square().mean().backward()
    for name, weight in unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
