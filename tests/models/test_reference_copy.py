"""Properties of copying from the picture, on a small real denoiser."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from einops import rearrange, repeat
from torch import Tensor

from musedance_core.config import ScheduleConfig, VAEConfig
from musedance_core.models import Conditions, MuseDanceUNet, ReferenceNet, init_weights
from musedance_core.models.reference_copy import FINENESS, candidates, displacements
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.models.vae import PatchAutoencoder

from .test_unet import SMALL, randomise

REACH = 1
COPYING = dataclasses.replace(SMALL, copy_reach=REACH)
SCHEDULE = ScheduleConfig()


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
    features = dataclasses.replace(reference(picture, text), shifted_latents=views)
    keys = unet.project_reference(features)
    conditions = Conditions(text, keys)
    return SimpleNamespace(**locals())


def fix(layer: torch.nn.Conv2d | torch.nn.Linear, bias: float) -> None:
    """Let a layer say the same whatever it hears."""
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.constant_(layer.bias, bias)


def always_copy(unet: MuseDanceUNet) -> None:
    fix(unet.copy.share_out, 60.0)
    fix(unet.copy.match_out, 0.0)


def never_copy(unet: MuseDanceUNet) -> None:
    fix(unet.copy.share_out, -60.0)
    fix(unet.copy.conv_out, 0.0)


def frames(x: Tensor) -> Tensor:
    return rearrange(x, "b f c h w -> (b f) c h w")


def test_displacements_are_centred_on_staying() -> None:
    found = displacements(2)
    assert found.shape == ((2 * 2 * FINENESS + 1) ** 2, 2)
    assert found[len(found) // 2].tolist() == [0, 0]
    assert torch.equal(found, -found.flip(0))
    assert found.abs().max() == 2 and found[1].tolist() == [-2, -2 + 1 / FINENESS]


@pytest.mark.parametrize("reach", [-1, 9])
def test_an_impossible_reach_is_refused(reach: int) -> None:
    with pytest.raises(ValueError, match=f"copy_reach must be 0..8 places: {reach}"):
        dataclasses.replace(SMALL, copy_reach=reach)


def test_sources_are_what_lies_there_and_the_edge_goes_on() -> None:
    down, right = torch.meshgrid(torch.arange(12.0), torch.arange(8.0), indexing="ij")
    found = candidates(torch.stack([down, right])[None], REACH)
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
        views, picture = vae.shifted_latents(latents), vae.decode(latents)
        moved = torch.nn.functional.pad(picture, (0, 8, 0, 8), mode="replicate")[..., 6:38, 2:26]
        assert views.shape == (2, 6, 16, 12)
        assert torch.allclose(views[:, :, 3::4, 1::4], vae.encode(moved), atol=1e-5)
        assert torch.allclose(views[:, :, ::4, ::4], vae.encode(picture), atol=1e-5)


@torch.no_grad()
def test_what_is_drawn_is_found_in_the_picture_wherever_it_lies() -> None:
    s = scene(trained=False)
    views = s.views * 3  # nothing is like anything else
    keys = dataclasses.replace(s.keys, candidates=candidates(views, REACH))
    moved = views.roll((-1, 2), dims=(-2, -1))[:, :, ::FINENESS, ::FINENESS]
    drawn = repeat(moved, "b c h w -> (b f) c h w", f=3) + 0.1 * frames(s.x)
    found = s.unet.copy.found(drawn, torch.zeros(6, 64), Conditions(s.text, keys))
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    wanted = repeat(moved, "b c h w -> (b f) c h w", f=3)[inside]
    assert (found[inside] - wanted).square().mean() < 0.001


@torch.no_grad()
def test_of_two_that_are_as_like_the_nearer_is_found() -> None:
    s = scene(trained=False)
    columns = torch.arange(6.0 * FINENESS).expand(2, 4, 8 * FINENESS, -1)
    rows = torch.arange(8.0 * FINENESS)[:, None] / 1000  # tells where it was found
    views = (columns % FINENESS).clone()
    views[:, 0] = rows
    keys = dataclasses.replace(s.keys, candidates=candidates(views, REACH))
    drawn = views[:, :, ::FINENESS, ::FINENESS].repeat_interleave(3, dim=0)
    found = s.unet.copy.found(drawn, torch.zeros(6, 64), Conditions(s.text, keys))
    assert torch.allclose(found[:, 0], drawn[:, 0], atol=2e-3)


@torch.no_grad()
def test_what_is_found_is_reached_from_every_noise() -> None:
    s = scene()
    never_copy(s.unet)
    schedule = NoiseSchedule(SCHEDULE)
    drawn, _ = schedule.clean_and_noise(s.x, s.unet(s.x, s.t, s.conditions), s.t)
    time = s.unet.time_embedding(s.t.repeat_interleave(3), torch.float32)
    always_copy(s.unet)
    clean, _ = schedule.clean_and_noise(s.x, s.unet(s.x, s.t, s.conditions), s.t)
    found = s.unet.copy.found(frames(drawn), time, s.conditions)
    assert torch.allclose(frames(clean), found, atol=1e-3)
    assert not torch.allclose(frames(drawn), found, atol=0.1)


@torch.no_grad()
def test_without_a_share_it_is_the_denoiser_that_does_not_copy() -> None:
    s = scene()
    never_copy(s.unet)
    plain = MuseDanceUNet(SMALL).eval()
    plain.load_state_dict(
        {name: w for name, w in s.unet.state_dict().items() if not name.startswith("copy.")}
    )
    own = s.unet(s.x, s.t, s.conditions)
    assert torch.allclose(own, plain(s.x, s.t, s.conditions), atol=1e-5)


@torch.no_grad()
def test_the_network_draws_anew_what_it_has_found() -> None:
    s = scene()
    fix(s.unet.copy.share_out, -60.0)
    seen = s.unet(s.x, s.t, s.conditions)
    other = dataclasses.replace(s.keys, candidates=s.keys.candidates.roll(1, 1))
    assert not torch.allclose(
        seen, s.unet(s.x, s.t, dataclasses.replace(s.conditions, reference=other)), atol=1e-3
    )


@torch.no_grad()
def test_a_dropped_picture_is_not_copied() -> None:
    s = scene()
    one = dataclasses.replace(s.conditions, keep_reference=torch.tensor([False, True]))
    mixed = s.unet(s.x, s.t, one)
    other = dataclasses.replace(s.keys, candidates=s.keys.candidates + 1)
    assert torch.allclose(mixed[1], s.unet(s.x, s.t, s.conditions)[1], atol=1e-5)
    changed = s.unet(s.x, s.t, dataclasses.replace(one, reference=other))
    assert torch.equal(mixed[0], changed[0])
    assert not torch.allclose(mixed[1], changed[1], atol=1e-2)


@torch.no_grad()
def test_where_there_is_hardly_any_noise_a_fresh_denoiser_hardly_copies() -> None:
    s = scene(trained=False)
    t = torch.tensor([0, 600])
    drawn = s.unet(s.x, t, dataclasses.replace(s.conditions, keep_reference=torch.zeros(2) > 0))
    schedule = NoiseSchedule(SCHEDULE)
    found = s.unet.copy.found(
        frames(schedule.clean_and_noise(s.x, drawn, t)[0]), torch.zeros(6, 64), s.conditions
    )
    to_found = schedule.velocity_to(rearrange(found, "(b f) c h w -> b f c h w", b=2), s.x, t)
    mixed = s.unet(s.x, t, s.conditions)
    shares = ((mixed - drawn) / (to_found - drawn)).flatten(1).median(dim=1).values
    assert shares[0] < 0.02 and 0.3 < shares[1] < 0.5


def test_all_of_it_learns_from_the_loss() -> None:
    s = scene()
    s.unet(s.x, s.t, s.conditions).square().mean().backward()
    for name, weight in s.unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name
