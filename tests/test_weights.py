"""The embedded model is small enough to ship, records its training and follows the beats."""

from __future__ import annotations

import torch

from musedance_core.audio.beats import regular_grid
from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

STAGES = {"text", "music", "vae", "stage1", "stage2", "choreographer", "rig"}


def test_it_is_small_and_records_its_training() -> None:
    assert DEFAULT_CHECKPOINT.stat().st_size <= 48 * 2**20
    provenance = load_checkpoint(DEFAULT_CHECKPOINT, device="cpu").provenance
    assert provenance["trained"] is True
    by_part = {stage["part"]: stage for stage in provenance["stages"]}
    assert set(by_part) >= STAGES
    for name in STAGES:
        assert {"command", "steps", "seed", "hardware", "minutes"} <= set(by_part[name])


def test_moving_the_beats_moves_the_dance() -> None:
    pipeline = MuseDancePipeline.from_pretrained(device="cpu")
    picture = torch.full((3, 64, 64), 0.8)
    picture[:, 20:52, 22:42] = torch.tensor([0.9, 0.3, 0.1])[:, None, None]
    mel = torch.full((1000, pipeline.config.music.mel_bins), -6.0)

    def dance(offset: float) -> torch.Tensor:
        track = SongFeatures(mel, regular_grid(120, offset, 10))
        once = Guidance(1.0, {}, 0.0)
        reference = pipeline.encode_picture(picture)
        segments = pipeline.animate(reference, track, "big hops", frames=48, steps=4, guidance=once)
        return next(iter(segments)).frames

    early, late = dance(0.0), dance(0.25)
    assert torch.equal(early, dance(0.0))
    assert (early - late).abs().mean() > 0.003
