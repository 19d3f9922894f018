"""Properties of copying from the reference picture, on a small real denoiser."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from einops import rearrange, repeat
from torch import Tensor

from musedance_core.config import MuseDanceConfig, ScheduleConfig, VAEConfig
from musedance_core.models import (
    Conditions,
    MuseDance,
    MuseDanceUNet,
    ReferenceNet,
    WarpedReference,
    init_weights,
)
from musedance_core.models.reference_copy import STEPS_PER_CELL, candidates, displacements
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.models.vae import PatchAutoencoder

from .test_unet import SMALL, randomise

REACH = 1
COPYING = dataclasses.replace(SMALL, copy_reach=REACH)
PLANNED = dataclasses.replace(COPYING, copy_body=True)
SCHEDULE = ScheduleConfig()


def scene(trained: bool = True) -> SimpleNamespace:
    """A denoiser that copies, and two noisy clips with their reference pictures."""
    torch.manual_seed(0)
    unet = MuseDanceUNet(COPYING, schedule=SCHEDULE).eval()
    reference = ReferenceNet(COPYING).eval()
    init_weights(unet)
    if trained:
        randomise(unet)
        randomise(reference, 1)
    shifted, text = torch.randn(2, 4, 8 * STEPS_PER_CELL, 6 * STEPS_PER_CELL), torch.randn(2, 7, 24)
    picture = shifted[:, :, ::STEPS_PER_CELL, ::STEPS_PER_CELL]
    x, t = torch.randn(2, 3, 4, 8, 6), torch.tensor([999, 20])
    features = dataclasses.replace(reference(picture, text), shifted_latents=shifted)
    keys = unet.project_reference(features)
    conditions = Conditions(text, keys)
    return SimpleNamespace(**locals())


def fix(layer: torch.nn.Conv2d | torch.nn.Linear, bias: float) -> None:
    """Make the layer's output `bias` for every input."""
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


def test_displacements_are_symmetric_about_zero() -> None:
    found = displacements(2)
    assert found.shape == ((2 * 2 * STEPS_PER_CELL + 1) ** 2, 2)
    assert found[len(found) // 2].tolist() == [0, 0]
    assert torch.equal(found, -found.flip(0))
    assert found.abs().max() == 2 and found[1].tolist() == [-2, -2 + 1 / STEPS_PER_CELL]


@pytest.mark.parametrize("reach", [-1, 9])
def test_an_impossible_reach_is_refused(reach: int) -> None:
    with pytest.raises(ValueError, match=f"copy_reach must be 0..8 cells: {reach}"):
        dataclasses.replace(SMALL, copy_reach=reach)


def test_candidates_are_the_displaced_latents_with_replicated_edges() -> None:
    down, right = torch.meshgrid(torch.arange(12.0), torch.arange(8.0), indexing="ij")
    found = candidates(torch.stack([down, right])[None], REACH)
    assert found.shape == (1, 3 * 2, len(displacements(REACH)), 2)
    cells = torch.stack(torch.meshgrid(torch.arange(3), torch.arange(2), indexing="ij"), -1)
    wanted = (cells.reshape(-1, 1, 2) + displacements(REACH)) * STEPS_PER_CELL
    limits = torch.tensor([11.0, 7.0])
    assert torch.equal(found[0], wanted.clamp(min=torch.zeros(2), max=limits))


def test_shifted_latents_encode_the_shifted_picture() -> None:
    torch.manual_seed(0)
    config = VAEConfig(
        kind="patch", channels=(), latent_channels=6, scale=1.0, refiner_width=8, refiner_blocks=1
    )
    vae = PatchAutoencoder(config).eval()
    with torch.no_grad():
        latents = vae.encode(torch.rand(2, 3, 32, 24))
        shifted, picture = vae.shifted_latents(latents), vae.decode(latents)
        padded = torch.nn.functional.pad(picture, (0, 8, 0, 8), mode="replicate")
        assert shifted.shape == (2, 6, 16, 12)
        assert torch.allclose(
            shifted[:, :, 3::4, 1::4], vae.encode(padded[..., 6:38, 2:26]), atol=1e-5
        )
        assert torch.allclose(shifted[:, :, ::4, ::4], vae.encode(picture), atol=1e-5)


@torch.no_grad()
def test_displaced_latents_are_matched_wherever_they_lie() -> None:
    s = scene(trained=False)
    shifted = s.shifted * 3  # no two cells are alike
    keys = dataclasses.replace(s.keys, candidates=candidates(shifted, REACH))
    displaced = shifted.roll((-1, 2), dims=(-2, -1))[:, :, ::STEPS_PER_CELL, ::STEPS_PER_CELL]
    clean_latents = repeat(displaced, "b c h w -> (b f) c h w", f=3) + 0.1 * frames(s.x)
    match = s.unet.copy.match(clean_latents, torch.zeros(6, 64), Conditions(s.text, keys))
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    wanted = repeat(displaced, "b c h w -> (b f) c h w", f=3)[inside]
    assert (match[inside] - wanted).square().mean() < 0.001


@torch.no_grad()
def test_of_two_equal_matches_the_nearer_wins() -> None:
    s = scene(trained=False)
    columns = torch.arange(6.0 * STEPS_PER_CELL).expand(2, 4, 8 * STEPS_PER_CELL, -1)
    rows = torch.arange(8.0 * STEPS_PER_CELL)[:, None] / 1000  # marks where the match lies
    shifted = (columns % STEPS_PER_CELL).clone()
    shifted[:, 0] = rows
    keys = dataclasses.replace(s.keys, candidates=candidates(shifted, REACH))
    clean_latents = shifted[:, :, ::STEPS_PER_CELL, ::STEPS_PER_CELL].repeat_interleave(3, dim=0)
    match = s.unet.copy.match(clean_latents, torch.zeros(6, 64), Conditions(s.text, keys))
    assert torch.allclose(match[:, 0], clean_latents[:, 0], atol=2e-3)


@torch.no_grad()
def test_a_full_share_gives_the_match_at_any_noise_level() -> None:
    s = scene()
    never_copy(s.unet)
    schedule = NoiseSchedule(SCHEDULE)
    uncopied, _ = schedule.clean_and_noise(s.x, s.unet(s.x, s.t, s.conditions), s.t)
    time = s.unet.time_embedding(s.t.repeat_interleave(3), torch.float32)
    always_copy(s.unet)
    clean, _ = schedule.clean_and_noise(s.x, s.unet(s.x, s.t, s.conditions), s.t)
    match = s.unet.copy.match(frames(uncopied), time, s.conditions)
    assert torch.allclose(frames(clean), match, atol=1e-3)
    assert not torch.allclose(frames(uncopied), match, atol=0.1)


@torch.no_grad()
def test_without_any_share_it_is_the_denoiser_without_copying() -> None:
    s = scene()
    never_copy(s.unet)
    plain = MuseDanceUNet(SMALL).eval()
    plain.load_state_dict(
        {name: w for name, w in s.unet.state_dict().items() if not name.startswith("copy.")}
    )
    own = s.unet(s.x, s.t, s.conditions)
    assert torch.allclose(own, plain(s.x, s.t, s.conditions), atol=1e-5)


@torch.no_grad()
def test_the_network_corrects_its_prediction_from_the_match() -> None:
    s = scene()
    fix(s.unet.copy.share_out, -60.0)
    own = s.unet(s.x, s.t, s.conditions)
    other = dataclasses.replace(s.keys, candidates=s.keys.candidates.roll(1, 1))
    assert not torch.allclose(
        own, s.unet(s.x, s.t, dataclasses.replace(s.conditions, reference=other)), atol=1e-3
    )


@torch.no_grad()
def test_a_dropped_reference_is_not_copied() -> None:
    s = scene()
    one = dataclasses.replace(s.conditions, keep_reference=torch.tensor([False, True]))
    mixed = s.unet(s.x, s.t, one)
    other = dataclasses.replace(s.keys, candidates=s.keys.candidates + 1)
    assert torch.allclose(mixed[1], s.unet(s.x, s.t, s.conditions)[1], atol=1e-5)
    changed = s.unet(s.x, s.t, dataclasses.replace(one, reference=other))
    assert torch.equal(mixed[0], changed[0])
    assert not torch.allclose(mixed[1], changed[1], atol=1e-2)


@torch.no_grad()
def test_fresh_weights_hardly_copy_at_low_noise() -> None:
    s = scene(trained=False)
    t = torch.tensor([0, 600])
    own_v = s.unet(s.x, t, dataclasses.replace(s.conditions, keep_reference=torch.zeros(2) > 0))
    schedule = NoiseSchedule(SCHEDULE)
    match = s.unet.copy.match(
        frames(schedule.clean_and_noise(s.x, own_v, t)[0]), torch.zeros(6, 64), s.conditions
    )
    to_match = schedule.velocity_to(rearrange(match, "(b f) c h w -> b f c h w", b=2), s.x, t)
    mixed = s.unet(s.x, t, s.conditions)
    shares = ((mixed - own_v) / (to_match - own_v)).flatten(1).median(dim=1).values
    assert shares[0] < 0.02 and 0.3 < shares[1] < 0.5


def test_every_weight_of_the_copy_gets_a_gradient() -> None:
    s = scene()
    s.unet(s.x, s.t, s.conditions).square().mean().backward()
    for name, weight in s.unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_planned_frames_need_a_picture_to_copy_from() -> None:
    with pytest.raises(ValueError, match="copy_body needs copy_reach above 0, not 0"):
        dataclasses.replace(SMALL, copy_body=True)


def planned_scene() -> tuple[MuseDanceUNet, Tensor, Tensor, Conditions]:
    """A denoiser that takes planned frames, two noisy clips, their timesteps and conditions."""
    s = scene()
    unet = MuseDanceUNet(PLANNED, schedule=SCHEDULE).eval()
    init_weights(unet)
    randomise(unet)
    warped = WarpedReference(
        torch.randn(2, 3, 4, 8, 6), torch.rand(2, 3, 1, 8, 6), torch.randn(2, 4, 8, 6)
    )
    fix(unet.copy.still_out, -60.0)
    return unet, s.x, s.t, dataclasses.replace(s.conditions, warped_reference=warped)


@torch.no_grad()
def test_a_full_share_gives_the_planned_frames_at_any_noise_level() -> None:
    unet, x, t, conditions = planned_scene()
    never_copy(unet)
    fix(unet.copy.moved_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    assert torch.allclose(frames(clean), frames(conditions.warped_reference.latents), atol=1e-2)


@torch.no_grad()
def test_a_full_share_at_rest_gives_the_picture_itself() -> None:
    unet, x, t, conditions = planned_scene()
    fix(unet.copy.still_out, 60.0)
    clean, _ = NoiseSchedule(SCHEDULE).clean_and_noise(x, unet(x, t, conditions), t)
    assert conditions.warped_reference is not None
    rest = conditions.warped_reference.reference_latents[:, None].expand_as(clean)
    assert torch.allclose(clean, rest, atol=1e-2)


@torch.no_grad()
def test_before_training_a_cell_is_at_rest_if_its_neighbours_match_the_picture_too() -> None:
    unet, *_ = planned_scene()
    fix(unet.copy.still_out, 0.0)
    rest = torch.randn(1, 4, 8, 6)
    clean = rest.clone()
    clean[:, :, 1, 1] += 1
    share = unet.copy.rest_share(torch.zeros(1, 16, 8, 6), clean, rest)[0, 0]
    assert (share[:3, :3] < 0.01).all()
    assert (share[3:] > 0.9).all() and (share[:, 3:] > 0.9).all()


@torch.no_grad()
@pytest.mark.parametrize("name", ["latents", "coverage"])
def test_planned_frames_are_a_condition_even_without_any_share(name: str) -> None:
    unet, x, t, conditions = planned_scene()
    fix(unet.copy.moved_out, -60.0)
    assert conditions.warped_reference is not None
    value = getattr(conditions.warped_reference, name)
    other = dataclasses.replace(conditions.warped_reference, **{name: value + 1})
    changed = unet(x, t, dataclasses.replace(conditions, warped_reference=other))
    assert not torch.allclose(changed, unet(x, t, conditions), atol=1e-3)


@torch.no_grad()
def test_frames_are_planned_one_by_one() -> None:
    """Without modules in time, the plan of a frame changes that frame alone."""
    unet, x, t, conditions = planned_scene()
    assert conditions.warped_reference is not None
    latents = conditions.warped_reference.latents.clone()
    latents[:, 1] += 1
    other = dataclasses.replace(conditions.warped_reference, latents=latents)
    changed = unet(x, t, dataclasses.replace(conditions, warped_reference=other))
    difference = (changed - unet(x, t, conditions)).abs().amax(dim=(2, 3, 4))
    assert (difference[:, 1] > 1e-2).all() and (difference[:, [0, 2]] < 1e-4).all()


@torch.no_grad()
def test_a_dropped_reference_drops_the_planned_frames() -> None:
    unet, x, t, conditions = planned_scene()
    one = dataclasses.replace(conditions, keep_reference=torch.tensor([False, True]))
    assert one.warped_reference is not None
    other = dataclasses.replace(
        one.warped_reference,
        latents=one.warped_reference.latents + 1,
        coverage=1 - one.warped_reference.coverage,
    )
    mixed, changed = unet(x, t, one), unet(x, t, dataclasses.replace(one, warped_reference=other))
    assert torch.equal(mixed[0], changed[0])
    assert not torch.allclose(mixed[1], changed[1], atol=1e-3)
    assert conditions.without_reference().warped_reference is None


def test_every_weight_of_the_copy_gets_a_gradient_with_planned_frames() -> None:
    unet, x, t, conditions = planned_scene()
    unet(x, t, conditions).square().mean().backward()
    for name, weight in unet.copy.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


@torch.no_grad()
def test_fresh_weights_of_the_planned_frames_do_not_change_the_features() -> None:
    unet, _, _, conditions = planned_scene()
    init_weights(unet)
    assert conditions.warped_reference is not None
    assert not unet.copy.embed_warped(conditions.warped_reference, None).any()


@torch.no_grad()
def test_planned_frames_are_encoded_and_their_coverage_is_that_of_the_cells(
    model: MuseDance,
) -> None:
    planned, coverage = torch.rand(2, 6, 3, 32, 32), torch.zeros(2, 6, 1, 32, 32)
    coverage[..., :8, :4] = 1
    latents = model.vae.encode(torch.rand(2, 3, 32, 32))
    warped = model.warp_reference(latents, planned, coverage)
    assert warped is not None and torch.equal(warped.reference_latents, latents)
    expected = model.vae.encode(planned[1, 3:4])[0]
    assert torch.allclose(warped.latents[1, 3], expected, atol=1e-5)
    assert warped.coverage.shape == (2, 6, 1, 4, 4)
    assert torch.equal(warped.coverage[0, 0, 0, 0], torch.tensor([0.5, 0, 0, 0]))
    assert not warped.coverage[..., 1:, :].any()
    assert model.warp_reference(latents, None, None) is None


@torch.no_grad()
def test_a_model_without_planned_frames_ignores_them(config: MuseDanceConfig) -> None:
    unet = dataclasses.replace(config.unet, copy_body=False)
    plain = MuseDance(dataclasses.replace(config, unet=unet))
    planned, coverage = torch.rand(1, 6, 3, 32, 32), torch.ones(1, 6, 1, 32, 32)
    assert plain.warp_reference(torch.zeros(1, 4, 4, 4), planned, coverage) is None
