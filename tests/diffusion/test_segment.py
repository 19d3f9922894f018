"""One segment: its conditions, and the values that it passes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import (
    DenoisedSegment,
    SamplingSettings,
    SegmentInput,
    SongFeatures,
    condition_set,
    denoise_segment,
    initial_noise,
)
from musedance_core.errors import InputError
from musedance_core.models import MuseDance


@pytest.fixture(scope="module")
def inputs(model: MuseDance) -> SegmentInput:
    generator = torch.Generator().manual_seed(0)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    return SegmentInput(
        reference=model.vae.encode(uniform(1, 3, 32, 32)),
        previous=model.vae.encode(uniform(2, 3, 32, 32)),
        text=torch.randn(1, 77, 32, generator=generator),
        song=SongFeatures(uniform(300, model.config.music.mel_bins), regular_grid(120, 0.1, 3.0)),
        planned=(uniform(6, 3, 32, 32), uniform(6, 1, 32, 32)),
    )


def denoised(model: MuseDance, inputs: SegmentInput) -> Tensor:
    noise = initial_noise(model, inputs.reference, 0, 0)
    settings = SamplingSettings(2, Guidance(1.0))
    return denoise_segment(model, inputs, noise, settings, lambda step, x: None)


@torch.no_grad()
def test_the_planned_frames_are_conditions_of_every_set_that_has_the_picture(
    model: MuseDance, inputs: SegmentInput
) -> None:
    guidance = Guidance(2.0, {"text": 1.0, "reference": 1.0})
    conditions = condition_set(model, inputs, guidance)
    for with_picture in (conditions.full, conditions.without["text"]):
        warped = with_picture.warped_reference
        assert warped is not None and warped.latents.shape == (1, 6, 4, 4, 4)
    assert conditions.none.warped_reference is None
    assert conditions.without["reference"].warped_reference is None


@torch.no_grad()
@pytest.mark.parametrize("entry", [0, 1])
def test_planned_frames_and_their_coverage_change_the_segment(
    model: MuseDance, inputs: SegmentInput, entry: int
) -> None:
    assert inputs.planned is not None
    planned = list(inputs.planned)
    planned[entry] = planned[entry].flip(-1)
    other = replace(inputs, planned=(planned[0], planned[1]))
    assert not torch.allclose(denoised(model, inputs), denoised(model, other), atol=1e-4)


@torch.no_grad()
def test_a_segment_without_a_plan_is_denoised_all_the_same(
    model: MuseDance, inputs: SegmentInput
) -> None:
    latents = denoised(model, replace(inputs, planned=None))
    assert latents.shape == (6, 4, 4, 4) and latents.isfinite().all()
    assert not torch.allclose(latents, denoised(model, inputs), atol=1e-4)


def test_poses_and_latents_of_a_segment_are_cut_at_the_same_time() -> None:
    segment = DenoisedSegment(torch.randn(6, 4, 2, 2), torch.randn(12, 27))
    half = segment.first(0.5)
    assert half.latents is not None and half.poses is not None
    assert segment.latents is not None and segment.poses is not None
    assert torch.equal(half.latents, segment.latents[:3])
    assert torch.equal(half.poses, segment.poses[:6])


@pytest.mark.parametrize("names", [{"latents"}, {"poses"}, {"latents", "poses"}])
def test_a_segment_is_made_again_of_its_tensors(names: set[str]) -> None:
    segment = DenoisedSegment(**{name: torch.randn(6, 27) for name in names})
    assert set(segment.tensors()) == names
    again = DenoisedSegment(**segment.tensors())
    for name in ("latents", "poses"):
        value, other = getattr(segment, name), getattr(again, name)
        assert (value is None) == (name not in names) and value is other


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1 step, not 0"):
        SamplingSettings(0, Guidance(1.0))
    with pytest.raises(InputError, match="heun"):
        SamplingSettings(4, Guidance(1.0), "heun")
