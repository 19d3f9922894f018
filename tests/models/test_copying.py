"""Properties of copying from the picture, on a small real denoiser."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from einops import rearrange, repeat

from musedance_core.config import ScheduleConfig, VAEConfig
from musedance_core.models import Conditions, MuseDanceUNet, ReferenceNet, init_weights
from musedance_core.models.copying import FINENESS, displacements, sources
from musedance_core.models.vae import PatchAutoencoder
from musedance_core.schedule import NoiseSchedule

from .test_unet import SMALL, randomise

REACH = 1
COPYING = dataclasses.replace(SMALL, copy_reach=REACH)
SCHEDULE = ScheduleConfig()
STAY = len(displacements(REACH)) // 2


def scene(trained: bool = True) -> SimpleNamespace:
    """A denoiser that copies, and two noisy clips of pictures that it knows."""
    torch.manual_seed(0)
    unet = MuseDanceUNet(COPYING, schedule=SCHEDULE).eval()
    reference = ReferenceNet(COPYING).eval()
    init_weights(unet)
    if trained:
        randomise(unet)
        randomise(reference, 1)
    views, text = torch.randn(2, 4, 8 * FINENESS, 6 * FINENESS), torch.randn(2, 7, 24)
    picture = views[:, :, ::FINENESS, ::FINENESS]
    x, t = torch.randn(2, 3, 4, 8, 6), torch.tensor([999, 20])
    features = dataclasses.replace(reference(picture, text), views=views)
    keys = unet.project_reference(features)
    conditions = Conditions(text, keys)
    return SimpleNamespace(**locals())


def fix(layer: torch.nn.Conv2d, *bias: float) -> None:
    """Let a layer say the same whatever it hears."""
    torch.nn.init.zeros_(layer.weight)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor(bias))


def always_copy(unet: MuseDanceUNet, displacement: int) -> None:
    odds = torch.zeros(len(displacements(REACH)))
    odds[displacement] = 1000.0
    fix(unet.copy.where_out, *odds.tolist())
    fix(unet.copy.share_out, 30.0)


def never_copy(unet: MuseDanceUNet) -> None:
    fix(unet.copy.share_out, -30.0)


def test_displacements_are_centred_on_staying() -> None:
    found = displacements(2)
    assert found.shape == ((2 * 2 * FINENESS + 1) ** 2, 2)
    assert found[len(found) // 2].tolist() == [0, 0]
    assert torch.equal(found, -found.flip(0))
    assert found.abs().max() == 2 and found[1].tolist() == [-2, -2 + 1 / FINENESS]


def test_sources_are_what_lies_there_and_the_edge_goes_on() -> None:
    down, right = torch.meshgrid(torch.arange(12.0), torch.arange(8.0), indexing="ij")
    found = sources(torch.stack([down, right])[None], REACH)
    assert found.shape == (1, 3 * 2, len(displacements(REACH)), 2)
    places = torch.stack(torch.meshgrid(torch.arange(3), torch.arange(2), indexing="ij"), -1)
    wanted = (places.reshape(-1, 1, 2) + displacements(REACH)) * FINENESS
    limits = torch.tensor([11.0, 7.0])
    assert torch.equal(found[0], wanted.clamp(min=torch.zeros(2), max=limits))


def test_views_of_an_autoencoder_are_latents_of_the_moved_picture() -> None:
    torch.manual_seed(0)
    config = VAEConfig(
        kind="patch", channels=(), latent_channels=6, scale=1.0, refiner_width=8, refiner_blocks=1
    )
    vae = PatchAutoencoder(config).eval()
    with torch.no_grad():
        latents = vae.encode(torch.rand(2, 3, 32, 24))
        views, picture = vae.views(latents), vae.decode(latents)
        moved = torch.nn.functional.pad(picture, (0, 8, 0, 8), mode="replicate")[..., 6:38, 2:26]
        assert views.shape == (2, 6, 16, 12)
        assert torch.allclose(views[:, :, 3::4, 1::4], vae.encode(moved), atol=1e-5)
        assert torch.allclose(views[:, :, ::4, ::4], vae.encode(picture), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("displacement", (STAY, 0, STAY + 3))
def test_what_is_copied_is_reached_from_every_noise(displacement: int) -> None:
    s = scene()
    always_copy(s.unet, displacement)
    clean, _ = NoiseSchedule(SCHEDULE).split(s.x, s.unet(s.x, s.t, s.conditions), s.t)
    wanted = rearrange(
        sources(s.views, REACH)[:, :, displacement], "b (h w) c -> b 1 c h w", h=8, w=6
    )
    assert torch.allclose(clean, wanted.expand_as(clean), atol=1e-4)


@torch.no_grad()
def test_without_sight_and_share_it_is_the_denoiser_that_does_not_copy() -> None:
    s = scene(trained=False)
    randomise(s.unet)
    init_copy = s.unet.copy
    torch.nn.init.zeros_(init_copy.picture_in.weight)
    torch.nn.init.zeros_(init_copy.copy_in.weight)
    fix(init_copy.redraw.conv2, *[0.0] * 16)
    never_copy(s.unet)
    plain = MuseDanceUNet(SMALL).eval()
    plain.load_state_dict(
        {name: w for name, w in s.unet.state_dict().items() if not name.startswith("copy.")}
    )
    own = s.unet(s.x, s.t, s.conditions)
    assert torch.allclose(own, plain(s.x, s.t, s.conditions), atol=1e-5)


@torch.no_grad()
def test_the_denoiser_sees_the_picture_in_its_place_and_what_it_copies() -> None:
    s = scene()
    never_copy(s.unet)
    seen = s.unet(s.x, s.t, s.conditions)
    for changed in ({"latents": s.picture.roll(1, -1)}, {"sources": s.keys.sources.roll(1, 1)}):
        other = dataclasses.replace(s.conditions, reference=dataclasses.replace(s.keys, **changed))
        assert not torch.allclose(seen, s.unet(s.x, s.t, other), atol=1e-3), list(changed)


@torch.no_grad()
def test_a_dropped_picture_is_neither_seen_nor_copied() -> None:
    s = scene()
    fix(s.unet.copy.share_out, 2.0)
    one = dataclasses.replace(s.conditions, keep_reference=torch.tensor([False, True]))
    mixed = s.unet(s.x, s.t, one)
    other = dataclasses.replace(s.keys, latents=s.picture + 1, sources=s.keys.sources + 1)
    assert torch.allclose(mixed[1], s.unet(s.x, s.t, s.conditions)[1], atol=1e-5)
    changed = s.unet(s.x, s.t, dataclasses.replace(one, reference=other))
    assert torch.allclose(mixed[0], changed[0], atol=1e-5)
    assert not torch.allclose(mixed[1], changed[1], atol=1e-2)


@torch.no_grad()
def test_a_fresh_denoiser_copies_next_to_nothing_and_out_of_noise_expects_that_all_stays() -> None:
    s = scene(trained=False)
    v, where = s.unet(s.x, s.t, s.conditions, tell_where=True)
    copied = s.unet.copy.copied(where, s.conditions, 8)
    assert (where[0].argmax(dim=-1) == STAY).all()
    times = repeat(s.t, "b -> (b f)", f=3)
    noisy = rearrange(s.x, "b f c h w -> (b f) c h w")
    to_copy = NoiseSchedule(SCHEDULE).velocity_to(copied, noisy, times)
    share = torch.sigmoid(torch.tensor(-5.0))
    assert torch.allclose(rearrange(v, "b f c h w -> (b f) c h w"), share * to_copy, atol=1e-4)


@torch.no_grad()
def test_out_of_little_noise_it_sees_where_a_place_came_from() -> None:
    s = scene(trained=False)
    moved = s.views.roll((-1, 2), dims=(-2, -1))[:, :, ::FINENESS, ::FINENESS]
    noisy = s.x * 0.1 + moved[:, None]
    _, where = s.unet(noisy, torch.tensor([20, 20]), s.conditions, tell_where=True)
    right = displacements(REACH).tolist().index([1 / FINENESS, -2 / FINENESS])
    inside = rearrange(where.argmax(dim=-1), "b (h w) f -> b f h w", h=8)[:, :, 1:-1, 1:-1]
    assert (inside == right).float().mean() > 0.95


def test_all_of_it_learns_from_the_loss() -> None:
    s = scene()
    s.unet(s.x, s.t, s.conditions).square().mean().backward()
    for name, weight in s.unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
