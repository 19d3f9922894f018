"""Small dances, of square frames and of a dancer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from PIL import Image

from musedance_core.audio.beats import regular_grid
from musedance_core.dance.dancer import Dancer
from musedance_core.dance.rig import Rig
from musedance_core.diffusion.guidance import Guidance, StepInfo
from musedance_core.diffusion.resident import ChunkedVAE, ResidentModel
from musedance_core.diffusion.runner import (
    DanceInputs,
    Segment,
    SegmentRunner,
)
from musedance_core.diffusion.segment import (
    Reference,
    SamplingSettings,
    SongFeatures,
)
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.media.staging import cut_out, stage
from musedance_core.models import MuseDance


@pytest.fixture(scope="module")
def inputs(model: MuseDance) -> DanceInputs:
    """Frames are 32 x 32 at 12 a second, segments have 6 of them."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(3, 32, 32, generator=generator)
    text = torch.randn(2, 1, 77, 32, generator=generator)
    mel = torch.randn(300, model.config.music.mel_bins, generator=generator)
    return DanceInputs(
        Reference(pixels, model.vae.encode(pixels[None])),
        SongFeatures(mel, regular_grid(120, 0.1, 3.0)),
        [(0.0, text[0]), (1.0, text[1])],
        SamplingSettings(2, Guidance(1.0)),
    )


@pytest.fixture(scope="module")
def dancer(person: tuple[Image.Image, Rig]) -> Dancer:
    """A person in a frame of 72 x 96 pixels."""
    picture, rig = person
    cutout = cut_out(picture, None, 96)
    return stage(cutout, cutout.place_rig(rig))


@pytest.fixture(scope="module")
def planned(model: MuseDance, inputs: DanceInputs, dancer: Dancer) -> DanceInputs:
    """The same for a dancer, whose dance is planned, at 24 frames a second."""
    pixels, part_map = dancer.in_square(32).at_rest()
    latents = model.vae.encode(pixels[None, :3])
    return replace(inputs, reference=Reference(pixels[:3], latents, part_map, dancer), fps=24)


@pytest.fixture
def run() -> Callable[..., list[Segment]]:
    """Runs a dance: `run(model, inputs, frames, cache, steps)`."""
    return _run


def _run(
    model: MuseDance,
    inputs: DanceInputs,
    frames: int = 12,
    cache: SegmentCache | None = None,
    steps: list[tuple[int, int]] | None = None,
) -> list[Segment]:
    resident = ResidentModel(model)

    def on_step(info: StepInfo) -> None:
        if steps is not None:
            steps.append((info.segment, info.step))

    runner = SegmentRunner(resident, inputs, cache)
    return list(runner.run(frames, ChunkedVAE(resident), on_step))
