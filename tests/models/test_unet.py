"""Properties of the denoiser and ReferenceNet on small real networks."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from musedance_core.config import DynamicsConfig, MusicConfig, UNetConfig
from musedance_core.models import Conditions, MuseDanceUNet, ReferenceNet, init_weights
from musedance_core.models.initialise import copy_unet_to_reference
from musedance_core.presets import preset

SMALL = UNetConfig(
    latent_channels=4,
    channels=(16, 32, 32, 32),
    attention=(True, True, True, False),
    layers=2,
    heads=4,
    text_width=24,
    norm_groups=8,
)
DYNAMICS = DynamicsConfig(token_width=24, heads=4, beat_phase=True)
MUSIC = MusicConfig(width=20, heads=4)


def randomise(module: nn.Module, seed: int = 0) -> None:
    """Random weights, none of them zero, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            if p.ndim > 1:
                p.copy_(torch.randn(p.shape, generator=generator) / p[0].numel() ** 0.5)
            else:
                p.add_(torch.randn(p.shape, generator=generator) * 0.1)


def whole(
    f: int = 3, m: int = 2, size: tuple[int, int] = (8, 8), trained: bool = True
) -> SimpleNamespace:
    """Both networks with inputs and conditions."""
    torch.manual_seed(0)
    unet = MuseDanceUNet(SMALL, DYNAMICS, MUSIC).eval()
    reference = ReferenceNet(SMALL).eval()
    if trained:
        randomise(unet)
        randomise(reference, 1)
    else:
        init_weights(unet)
    b, seconds = 2, torch.arange(f) / 12
    text = torch.randn(b, 7, 24)
    x, t = torch.randn(b, f, 4, *size), torch.tensor([999, 300])
    keys = unet.project_reference(reference(torch.randn(b, 4, *size), text))
    previous = reference.motion_features(torch.randn(b, m, 4, *size), text) if m else None
    music = unet.music_tokens(torch.randn(b, 11, 20), torch.rand(11) * 4)
    beat = unet.beat_tokens(torch.randint(0, 2, (b, f)), torch.rand(b, f) * 8, seconds)
    conditions = Conditions(text, keys, previous, music, beat, seconds)
    return SimpleNamespace(**locals())


def test_without_the_new_modules_it_equals_diffusers_unet() -> None:
    diffusers = pytest.importorskip("diffusers")
    oracle = diffusers.UNet2DConditionModel(
        block_out_channels=SMALL.channels,
        layers_per_block=2,
        attention_head_dim=4,
        cross_attention_dim=24,
        norm_num_groups=8,
    ).eval()
    randomise(oracle)
    ours = MuseDanceUNet(SMALL).eval()
    ours.load_state_dict(oracle.state_dict())
    x, t, text = torch.randn(2, 4, 16, 8), torch.tensor([0, 731]), torch.randn(2, 7, 24)
    with torch.no_grad():
        expected = oracle(x, t, text).sample
        got = ours(x[:, None], t, Conditions(text))[:, 0]
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_at_full_size_names_and_shapes_are_diffusers_own() -> None:
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        ours = MuseDanceUNet(preset("sd15").unet)
        oracle = diffusers.UNet2DConditionModel(cross_attention_dim=768)
    expected = {name: p.shape for name, p in oracle.state_dict().items()}
    assert {name: p.shape for name, p in ours.state_dict().items()} == expected
    assert round(sum(p.numel() for p in ours.parameters()) / 1e6, 2) == 859.52


def test_sd15_has_21_motion_modules_and_16_attention_layers() -> None:
    config = preset("sd15")
    with torch.device("meta"):
        unet = MuseDanceUNet(config.unet, config.dynamics, config.music)
    motion = [m for m in unet.modules() if type(m).__name__ == "MotionModule"]
    assert len(motion) == 21 and unet.attention_count == 16
    assert sorted(m.attention_index for m in motion if m.attention_index is not None) == list(
        range(16)
    )
    own = [p.numel() for m in motion for n, p in m.named_parameters() if "previous" not in n]
    assert round(sum(own) / 1e6) == 453


@torch.no_grad()
def test_fresh_stage_two_equals_stage_one_frame_by_frame() -> None:
    s = whole(trained=False)
    for name, p in s.unet.named_parameters():
        if not any(kind in name for kind in ("music", "beat", "motion")):
            p.add_(torch.randn_like(p) * 0.1)
    stage1 = MuseDanceUNet(SMALL).eval()
    stage1.load_state_dict(s.unet.state_dict(), strict=False)
    keys = stage1.project_reference(s.reference(torch.randn(2, 4, 8, 8), s.text))
    video = s.unet(s.x, s.t, dataclasses.replace(s.conditions, reference=keys))
    for f in range(3):
        frame = stage1(s.x[:, f : f + 1], s.t, Conditions(s.text, keys))
        torch.testing.assert_close(video[:, f : f + 1], frame, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_frames_as_batch_equal_frame_by_frame_in_the_spatial_part() -> None:
    s = whole()
    stage1 = MuseDanceUNet(SMALL).eval()
    randomise(stage1)
    keys = stage1.project_reference(s.reference(torch.randn(2, 4, 8, 8), s.text))
    together = stage1(s.x, s.t, Conditions(s.text, keys))
    apart = [stage1(s.x[:, f : f + 1], s.t, Conditions(s.text, keys)) for f in range(3)]
    torch.testing.assert_close(together, torch.cat(apart, dim=1), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_reference_keys_equal_the_papers_concatenation_along_the_width() -> None:
    s = whole()
    layer = s.unet.transformers()[0]
    x, r = torch.randn(2, 16, 6, 4), torch.randn(2, 16, 6, 4)
    own, picture = layer.features(x), layer.features(r)
    keys, values = layer.reference_keys(picture)
    got = layer.block.attn1.attend(
        own.normed,
        torch.cat([layer.block.attn1.keys(own.normed), keys], dim=2),
        torch.cat([layer.block.attn1.values(own.normed), values], dim=2),
    )

    def grid(tokens: Tensor) -> Tensor:
        return rearrange(tokens, "b (h w) d -> b h w d", h=6)

    wide = torch.cat([grid(own.normed), grid(picture.normed)], dim=2)
    flat = rearrange(wide, "b h w d -> b (h w) d")
    literal = rearrange(layer.block.attn1(flat, flat), "b (h w) d -> b h w d", h=6)[:, :, :4]
    torch.testing.assert_close(grid(got), literal, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_dropping_the_reference_equals_leaving_it_out() -> None:
    s = whole()
    full = s.unet(s.x, s.t, s.conditions)
    hidden = dataclasses.replace(s.conditions, keep_reference=torch.tensor([False, True]))
    mixed = s.unet(s.x, s.t, hidden)
    torch.testing.assert_close(mixed[1], full[1], atol=1e-5, rtol=1e-5)
    left_out = s.unet(s.x, s.t, s.conditions.without_reference())
    torch.testing.assert_close(mixed[0], left_out[0], atol=1e-5, rtol=1e-5)
    assert (mixed[0] - full[0]).abs().max() > 1e-2


@torch.no_grad()
def test_cached_keys_equal_recomputed_keys() -> None:
    s = whole()
    latents = torch.randn(2, 4, 8, 8)
    first = s.unet.project_reference(s.reference(latents, s.text))
    s.unet(s.x, s.t, dataclasses.replace(s.conditions, reference=first))
    again = s.unet.project_reference(s.reference(latents, s.text))
    for a, b in zip(first.keys + first.values, again.keys + again.values, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("f", [1, 5, 64])
@pytest.mark.parametrize("m", [0, 2])
@torch.no_grad()
def test_any_number_of_frames_and_previous_frames(f: int, m: int) -> None:
    s = whole(f=f, m=m)
    out = s.unet(s.x, s.t, s.conditions)
    assert out.shape == s.x.shape and out.isfinite().all()


@torch.no_grad()
def test_pictures_need_not_be_square() -> None:
    s = whole(size=(8, 16))
    out = s.unet(s.x, s.t, s.conditions)
    assert out.shape == s.x.shape and out.isfinite().all()


@torch.no_grad()
def test_previous_frames_beats_and_music_each_change_the_output() -> None:
    s = whole()
    base = s.unet(s.x, s.t, s.conditions)
    for name in ("previous", "music", "beat"):
        value = getattr(s.conditions, name)
        other = (
            type(value)(tuple(x.flip(0) for x in value.layers))
            if name == "previous"
            else value.flip(0)
        )
        changed = s.unet(s.x, s.t, dataclasses.replace(s.conditions, **{name: other}))
        assert (changed - base).abs().max() > 1e-3, name


def test_gradient_checkpointing_changes_neither_output_nor_gradient() -> None:
    s = whole()
    outputs, gradients = [], []
    for training, saving in ((False, False), (True, False), (True, True)):
        s.unet.train(training)
        s.unet.gradient_checkpointing = saving
        s.unet.zero_grad()
        cond = dataclasses.replace(
            s.conditions, reference=None, music=s.music.detach(), beat=s.beat.detach()
        )
        cond = dataclasses.replace(
            cond, previous=type(s.previous)(tuple(x.detach() for x in s.previous.layers))
        )
        out = s.unet(s.x, s.t, cond)
        out.pow(2).mean().backward()
        outputs.append(out.detach())
        gradients.append(s.unet.conv_in.weight.grad.clone())
    for out, gradient in zip(outputs[1:], gradients[1:], strict=True):
        torch.testing.assert_close(out, outputs[0], atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(gradient, gradients[0], atol=1e-6, rtol=1e-4)


def test_constructors_work_with_layers_that_have_no_weights_yet() -> None:
    def absent(kind: type[nn.Module]) -> type[nn.Module]:
        class Absent(kind):  # type: ignore[misc, valid-type]
            def __init__(self, *args: object, **kwargs: object) -> None:
                super().__init__(*args, **kwargs)
                for name in list(self._parameters):
                    self._parameters[name] = None

        return Absent

    kinds = ("Linear", "Conv2d", "GroupNorm", "LayerNorm", "Embedding")
    ops = SimpleNamespace(**{name: absent(getattr(nn, name)) for name in kinds})
    for model in (MuseDanceUNet(SMALL, DYNAMICS, MUSIC, ops=ops), ReferenceNet(SMALL, ops)):
        assert list(model.parameters()) == []


def test_reference_net_starts_as_the_unets_copy_and_every_weight_is_used() -> None:
    unet, reference = MuseDanceUNet(SMALL), ReferenceNet(SMALL)
    randomise(unet)
    copy_unet_to_reference(unet, reference)
    own = unet.state_dict()
    assert all(torch.equal(p, own[name]) for name, p in reference.state_dict().items())
    features = reference(torch.randn(1, 4, 8, 8), torch.randn(1, 7, 24))
    sum(layer.normed.pow(2).sum() for layer in features.layers).backward()
    assert [n for n, p in reference.named_parameters() if p.grad is None] == []


@torch.no_grad()
def test_each_sample_uses_its_own_reference() -> None:
    s = whole()
    swapped = s.unet.project_reference(
        s.reference(repeat(torch.randn(1, 4, 8, 8), "1 c h w -> b c h w", b=2), s.text)
    )
    one = s.unet(s.x, s.t, s.conditions)
    two = s.unet(s.x, s.t, dataclasses.replace(s.conditions, reference=swapped))
    assert (one - two).abs().max() > 1e-2
