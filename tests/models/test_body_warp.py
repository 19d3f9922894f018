"""Properties of quadratic warps and of the network that predicts them."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from einops import rearrange
from torch import Tensor

from musedance_core.config import DynamicsConfig, MusicConfig
from musedance_core.geometry import (
    fit_warp,
    pixel_centres,
    quadratic_terms,
    recentre_warp,
    rotations,
    source_points,
    warp_images,
)
from musedance_core.models import Conditions, MuseDanceUNet, WarpedReference, init_weights
from musedance_core.models.body_warp import (
    MAX_LOG_SCALE,
    WARP_PARAMETERS,
    BodyWarp,
    warp_from_parameters,
)
from musedance_core.models.schedule import NoiseSchedule

from .test_reference_copy import COPYING, SCHEDULE, fix, frames, never_copy, scene
from .test_unet import SMALL, randomise

BODY = dataclasses.replace(COPYING, copy_body=True)
DYNAMICS = DynamicsConfig(token_width=12, heads=2)
MUSIC = MusicConfig(width=12)
IDENTITY = torch.eye(6)[1:3]
"""The warp whose source points are the points themselves."""


def affine(matrix: list[list[float]]) -> Tensor:
    """The warp `[1 1 2 6]` of an affine map `[[shift, x, y], [shift, x, y]]`."""
    return torch.nn.functional.pad(torch.tensor(matrix).float(), (0, 3))[None, None]


def test_copy_body_needs_copy_reach() -> None:
    with pytest.raises(ValueError, match="copy_body needs copy_reach above 0, not 0"):
        dataclasses.replace(SMALL, copy_body=True)


def test_copy_pixels_needs_copy_body() -> None:
    with pytest.raises(ValueError, match="copy_pixels needs copy_body, which is off"):
        dataclasses.replace(COPYING, copy_pixels=True)


def test_pixel_centres_lie_between_the_edges_row_by_row() -> None:
    assert pixel_centres(2, 4).tolist() == [
        [x, y] for y in (-0.5, 0.5) for x in (-0.75, -0.25, 0.25, 0.75)
    ]


def test_the_identity_warp_changes_nothing() -> None:
    picture = torch.rand(2, 3, 8, 6)
    warp = IDENTITY.expand(2, 3, 2, 6)
    assert torch.allclose(warp_images(picture, warp), picture.repeat_interleave(3, 0), atol=1e-5)


def test_warps_map_from_frame_to_picture() -> None:
    """With sources two pixels further right, the frame shows the picture shifted left."""
    picture = torch.rand(1, 3, 8, 8)
    warped = warp_images(picture, affine([[0.5, 1, 0], [0, 0, 1]]))
    assert torch.allclose(warped[..., :6], picture[..., 2:], atol=1e-5)
    assert torch.allclose(warped[..., 6:], picture[..., -1:].expand(-1, -1, -1, 2), atol=1e-5)


def test_a_rotation_by_a_quarter_turn() -> None:
    picture = torch.rand(1, 3, 8, 8)
    rotated = warp_images(picture, affine([[0, 0, 1], [0, -1, 0]]))
    assert torch.allclose(rotated, picture.rot90(-1, (2, 3)), atol=1e-5)


def test_second_order_terms_bend() -> None:
    warp = IDENTITY.clone()
    warp[0, 5] = 0.25  # source x = x + y² / 4
    points = torch.tensor([[0.1, -1.0], [0.1, 0.0], [0.1, 1.0]])
    assert torch.allclose(source_points(warp, points)[:, 0], torch.tensor([0.35, 0.1, 0.35]))
    assert torch.allclose(source_points(warp, points)[:, 1], points[:, 1])
    assert quadratic_terms(points).shape == (3, 6)


def test_a_fitted_warp_maps_points_to_their_sources() -> None:
    torch.manual_seed(0)
    points = pixel_centres(3, 3) * 0.6 + 0.1 * torch.randn(4, 1, 2)
    warp = IDENTITY + 0.2 * torch.randn(4, 2, 6)
    fit = fit_warp(points, source_points(warp, points))
    assert torch.allclose(source_points(fit, points), source_points(warp, points), atol=5e-3)
    flat = points * torch.tensor([0.01, 1.0])  # seen edge on: bends are undetermined
    assert fit_warp(flat, points)[:, :, 3].abs().max() < 10
    assert torch.allclose(source_points(fit_warp(flat, points), flat), points, atol=0.05)


def test_a_fit_is_the_same_at_any_memory_alignment() -> None:
    generator = torch.Generator().manual_seed(0)
    points, sources = torch.rand(2, 64, 9, 2, generator=generator)
    memory = torch.empty(points.numel() + 16)
    fits = []
    for offset in range(16):
        view = memory[offset : offset + points.numel()].view(points.shape)
        fits.append(fit_warp(view.copy_(points), sources))
    assert all(torch.equal(fit, fits[0]) for fit in fits)


def test_rotations_never_scale() -> None:
    assert torch.allclose(rotations(torch.zeros(2)), torch.eye(2))
    assert torch.allclose(
        rotations(torch.tensor([-1.0, 3.0])), torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    )
    assert torch.allclose(torch.linalg.det(rotations(torch.randn(9, 2) * 2)), torch.ones(9))


def test_a_recentred_warp_is_the_same_warp_relative_to_its_centre() -> None:
    torch.manual_seed(0)
    warp, centre, points = torch.randn(4, 2, 6), torch.randn(4, 2), torch.randn(4, 5, 2)
    wanted = centre[:, None] + source_points(warp, points - centre[:, None])
    assert torch.allclose(source_points(recentre_warp(warp, centre), points), wanted, atol=1e-4)


def test_frames_are_in_the_order_of_their_warps() -> None:
    picture = torch.rand(2, 3, 8, 8)
    warps = IDENTITY.repeat(2, 3, 1, 1)
    warps[:, 1, 0, 0] = 0.25
    warped = rearrange(warp_images(picture, warps), "(b f) c h w -> b f c h w", b=2)
    assert torch.allclose(warped[:, 0], picture, atol=1e-5)
    assert torch.allclose(warped[:, 1, ..., :-1], picture[..., 1:], atol=1e-5)


def make_conditions() -> Conditions:
    """Conditions of two clips of three frames."""
    torch.manual_seed(1)
    return Conditions(
        text=torch.randn(2, 7, 24),
        music=torch.randn(2, 9, 12),
        beat=torch.randn(2, 3, 12),
        seconds=torch.arange(3) / 12,
    )


def test_fresh_weights_predict_the_identity_warp() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    warp = body(torch.randn(2, 5, 8, 6), make_conditions())
    assert torch.allclose(warp, IDENTITY.expand(2, 3, 2, 6), atol=1e-5)


def test_the_direction_of_rotation_gets_a_gradient_at_fresh_weights() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    body(torch.randn(2, 5, 8, 6), make_conditions())[..., 0, 2].sum().backward()
    assert body.turn.weight.grad is not None and (body.turn.weight.grad[1:] != 0).any(1).all()


@pytest.mark.parametrize("name", ["text", "music", "beat", "picture"])
def test_a_warp_depends_on_every_condition(name: str) -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC).eval()
    randomise(body)
    picture, conditions = torch.randn(2, 5, 8, 6), make_conditions()
    with torch.no_grad():
        warp = body(picture, conditions)
        if name == "picture":
            other = body(picture.roll(1, -1), conditions)
        else:
            change = {name: getattr(conditions, name) + 1}
            other = body(picture, dataclasses.replace(conditions, **change))
    assert warp.shape == (2, 3, 2, 6)
    assert not torch.allclose(warp, other, atol=1e-3)


def test_every_weight_of_the_body_warp_gets_a_gradient() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC)
    init_weights(body)
    randomise(body)
    conditions = make_conditions()
    music = body.music_tokens(torch.randn(2, 9, 12), torch.arange(9) / 3)
    beat = body.beat_tokens(torch.tensor([[0, 1, 0]] * 2), torch.rand(2, 3), conditions.seconds)
    conditions = dataclasses.replace(conditions, music=music, beat=beat)
    body(torch.randn(2, 5, 8, 6), conditions).square().mean().backward()
    for name, weight in body.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_warp_parameters_are_shifts_scales_shear_and_bends() -> None:
    identity = warp_from_parameters(torch.zeros(1, 1, WARP_PARAMETERS))
    assert torch.equal(identity, IDENTITY[None, None])
    parameters = torch.arange(WARP_PARAMETERS) / 10
    warp = warp_from_parameters(parameters[None, None])[0, 0]
    scale_x, scale_y = (MAX_LOG_SCALE * torch.tanh(parameters[2:4] / MAX_LOG_SCALE)).exp().tolist()
    assert warp[0].tolist() == pytest.approx([0.0, scale_x, 0.4, 0.5, 0.6, 0.7])
    assert warp[1].tolist() == pytest.approx([0.1, 0.0, scale_y, 0.8, 0.9, 1.0])


def test_scales_stay_positive_and_bounded() -> None:
    warp = warp_from_parameters(100 * torch.randn(1, 50, WARP_PARAMETERS))
    scales = torch.stack([warp[..., 0, 1], warp[..., 1, 2]])
    assert (scales > 0.04).all() and (scales < 21).all()


def body_scene() -> tuple[MuseDanceUNet, Tensor, Tensor, Conditions]:
    """A denoiser that takes a warped picture, two noisy clips, their timesteps and conditions."""
    s = scene()
    unet = MuseDanceUNet(BODY, schedule=SCHEDULE).eval()
    init_weights(unet)
    randomise(unet)
    warped = WarpedReference(
        *(torch.randn(2, 3, 2, 6), torch.randn(2, 3, 4, 8, 6)),
        *(torch.randn(2, 3, 16, 8, 6), torch.randn(2, 4, 8, 6)),
    )
    fix(unet.copy.still_out, -60.0)
    return unet, s.x, s.t, dataclasses.replace(s.conditions, warped_reference=warped)


@torch.no_grad()
def test_a_full_share_gives_the_warped_picture_at_any_noise_level() -> None:
    unet, x, t, conditions = body_scene()
    never_copy(unet)
    fix(unet.copy.moved_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    assert torch.allclose(frames(clean), frames(conditions.warped_reference.latents), atol=1e-2)


@torch.no_grad()
def test_a_full_share_at_rest_gives_the_picture_itself() -> None:
    unet, x, t, conditions = body_scene()
    fix(unet.copy.still_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    rest = conditions.warped_reference.reference_latents[:, None].expand_as(clean)
    assert torch.allclose(clean, rest, atol=1e-2)


@torch.no_grad()
def test_before_training_a_cell_is_at_rest_if_its_neighbours_match_the_picture_too() -> None:
    unet, *_ = body_scene()
    fix(unet.copy.still_out, 0.0)
    rest = torch.randn(1, 4, 8, 6)
    clean = rest.clone()
    clean[:, :, 1, 1] += 1
    share = unet.copy.rest_share(torch.zeros(1, 16, 8, 6), clean, rest)[0, 0]
    assert (share[:3, :3] < 0.01).all()
    assert (share[3:] > 0.9).all() and (share[:, 3:] > 0.9).all()


def test_rotations_of_picture_and_frames_multiply() -> None:
    body = BodyWarp(BODY, DYNAMICS, MUSIC).eval()
    randomise(body)
    for layer in (body.out, body.turn, body.upright):
        fix(layer, 0.0)
    picture, conditions = torch.randn(2, 5, 8, 6), make_conditions()

    def rotation() -> Tensor:
        with torch.no_grad():
            return body(picture, conditions)[..., 1:3]

    quarter = torch.tensor([-1.0, 1.0, 0.0])  # from (1, 0) to (0, 1)
    none = rotation()
    body.upright.bias.data = quarter
    once = rotation()
    body.turn.bias.data = quarter
    twice = rotation()
    assert torch.allclose(none, torch.eye(2).expand_as(none), atol=1e-5)
    assert torch.allclose(once, torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand_as(none), atol=1e-5)
    assert torch.allclose(twice, -none, atol=1e-5)
    body.upright.bias.data = torch.tensor([0.0, 0.0, -1.0])  # reverses the direction
    body.turn.bias.data = torch.tensor([-1.0, 0.0, 1.0])
    assert torch.allclose(rotation(), once.mT, atol=1e-5)


@torch.no_grad()
def test_the_warped_picture_is_a_condition_even_without_any_share() -> None:
    unet, x, t, conditions = body_scene()
    fix(unet.copy.moved_out, -60.0)
    assert conditions.warped_reference is not None
    for name in ("latents", "features"):
        value = getattr(conditions.warped_reference, name)
        other = dataclasses.replace(conditions.warped_reference, **{name: value + 1})
        changed = unet(x, t, dataclasses.replace(conditions, warped_reference=other))
        assert not torch.allclose(changed, unet(x, t, conditions), atol=1e-3), name


@torch.no_grad()
def test_a_dropped_reference_drops_the_warped_picture() -> None:
    unet, x, t, conditions = body_scene()
    one = dataclasses.replace(conditions, keep_reference=torch.tensor([False, True]))
    assert one.warped_reference is not None
    other = dataclasses.replace(one.warped_reference, latents=one.warped_reference.latents + 1)
    mixed, changed = unet(x, t, one), unet(x, t, dataclasses.replace(one, warped_reference=other))
    assert torch.equal(mixed[0], changed[0])
    assert not torch.allclose(mixed[1], changed[1], atol=1e-3)
    assert conditions.without_reference().warped_reference is None


def test_every_weight_of_the_copy_gets_a_gradient_with_a_body_warp() -> None:
    unet, x, t, conditions = body_scene()
    unet(x, t, conditions).square().mean().backward()
    for name, weight in unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
