"""The pipeline on a small untrained model of square frames: clocks, seams, seeds, cancelling."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import Waveform
from musedance_core.config import ClipConfig, UNetConfig
from musedance_core.diffusion.guidance import Guidance, StepInfo
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import train_tokenizer
from musedance_core.pipeline import MuseDancePipeline, Segment
from musedance_core.presets import preset

STICKER = preset("sticker")
SMALL = dataclasses.replace(
    STICKER,
    clip=ClipConfig(size=32, frames=6, fps=12, previous=2),
    unet=dataclasses.replace(STICKER.unet, channels=(16, 32), heads=4),
    text=dataclasses.replace(STICKER.text, layers=1),
    music=dataclasses.replace(STICKER.music, layers=1),
    rig=None,
    choreographer=None,
)


@pytest.fixture(scope="module")
def pipeline() -> MuseDancePipeline:
    torch.manual_seed(0)
    assert isinstance(SMALL.unet, UNetConfig)
    tokenizer = train_tokenizer(["the sticker hops", "it sways to the left"], 64)
    return MuseDancePipeline(MuseDance(SMALL), tokenizer)


@pytest.fixture(scope="module")
def track(pipeline: MuseDancePipeline) -> SongFeatures:
    rng = np.random.default_rng(0)
    song = Waveform(rng.normal(0, 0.1, (1, 16000 * 4)).astype(np.float32), 16000)
    return pipeline.encode_song(song, regular_grid(120, 0.0, 4.0))


def animate(pipeline: MuseDancePipeline, track: SongFeatures, **changes: object) -> list[Segment]:
    options: dict[str, object] = {"frames": 14, "steps": 2, "seed": 3}
    picture = torch.linspace(0, 1, 3 * 32 * 32).reshape(3, 32, 32)
    text = changes.pop("text", "the sticker hops")
    reference = pipeline.encode_picture(picture, changes.pop("part_map", None))  # type: ignore[arg-type]
    return list(pipeline.animate(reference, track, text, **{**options, **changes}))


def video(segments: list[Segment]) -> torch.Tensor:
    return torch.cat([s.frames for s in segments])


def test_frames_are_as_many_as_asked_in_order_and_in_range(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    segments = animate(pipeline, track)
    assert [(s.first, len(s.frames)) for s in segments] == [(0, 6), (6, 6), (12, 2)]
    frames = video(segments)
    assert frames.shape == (14, 3, 32, 32) and frames.min() >= 0 and frames.max() <= 1


def test_the_same_seed_gives_the_same_video_and_another_seed_another(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    first = video(animate(pipeline, track))
    assert torch.equal(first, video(animate(pipeline, track)))
    assert not torch.equal(first, video(animate(pipeline, track, seed=4)))


def test_a_denoiser_that_copies_the_picture_everywhere_keeps_it(track: SongFeatures) -> None:
    torch.manual_seed(0)
    model = MuseDance(SMALL)
    with torch.no_grad():
        copy = model.unet.copy
        copy.match_out.bias[2] = 20.0  # what is far is out of the question
        copy.share_out.bias[:] = 1e4
    copying = MuseDancePipeline(model, train_tokenizer(["the sticker hops"], 64))
    frames = video(animate(copying, track, guidance=Guidance(1.0)))
    picture = torch.linspace(0, 1, 3 * 32 * 32).reshape(3, 32, 32)
    with torch.no_grad():
        views = model.vae.shifted_latents(model.vae.encode(picture[None]))
        copied = model.vae.decode(views[:, :, ::4, ::4])
    assert len(frames) == 14 and torch.allclose(frames, copied.expand_as(frames), atol=1e-4)


def test_a_shorter_video_is_the_beginning_of_a_longer_one(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    short, long = video(animate(pipeline, track, frames=8)), video(animate(pipeline, track))
    assert torch.equal(short, long[:8])


def test_the_second_segment_depends_on_the_tail_of_the_first(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    """Its tail is latents, and the one thing in which these two second segments differ."""
    hops = animate(pipeline, track, frames=12, text=[(0.0, "the sticker hops"), (0.5, "it sways")])
    sways = animate(pipeline, track, frames=12, text=[(0.0, "it sways")])
    assert torch.equal(pipeline.model.vae.decode(hops[0].tail.latents).cpu(), hops[0].frames[-2:])
    assert not torch.equal(hops[0].tail.latents, sways[0].tail.latents)
    assert not torch.equal(hops[1].frames, sways[1].frames)


def test_every_step_is_reported_and_may_cancel(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    reported: list[tuple[int, int]] = []

    def on_step(info: StepInfo) -> None:
        reported.append((info.segment, info.step))
        if len(reported) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate(pipeline, track, on_step=on_step)
    assert reported == [(0, 1), (0, 2), (1, 1)]


def test_it_is_an_iterator_that_works_on_demand(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    reported: list[int] = []
    stream = pipeline.animate(
        pipeline.encode_picture(torch.zeros(3, 32, 32)),
        track,
        "it sways",
        frames=12,
        steps=1,
        on_step=lambda info: reported.append(info.segment),
    )
    assert isinstance(stream, Iterator) and reported == []
    next(stream)
    assert reported == [0]


def test_every_condition_reaches_the_frames(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    torch.manual_seed(1)
    noisy = MuseDancePipeline(MuseDance(SMALL), pipeline.tokenizer)
    base = video(animate(noisy, track, frames=6))
    moved = dataclasses.replace(track, grid=track.grid.shifted(1 / 6))
    quiet = dataclasses.replace(track, mel=track.mel - 3)
    mask = torch.full((32, 32), 25)
    others = {
        "beats": animate(noisy, moved, frames=6),
        "music": animate(noisy, quiet, frames=6),
        "text": animate(noisy, track, frames=6, text="it sways to the left"),
        "mask": animate(noisy, track, frames=6, part_map=mask),
        "guidance": animate(noisy, track, frames=6, guidance=Guidance(1.5)),
        "weights": animate(noisy, track, frames=6, guidance=Guidance(2.0, {"music": 2.0})),
    }
    for name, segments in others.items():
        assert (video(segments) - base).abs().max() > 1e-5, name


def test_a_prompt_timeline_changes_between_segments(
    pipeline: MuseDancePipeline, track: SongFeatures
) -> None:
    both = video(
        animate(pipeline, track, text="0:00 the sticker hops / 0:00.5 it sways to the left")
    )
    one = video(animate(pipeline, track, text="the sticker hops"))
    assert torch.equal(both[:6], one[:6]) and not torch.equal(both[6:12], one[6:12])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_dances_in_half_precision_with_a_part_map(
    track: SongFeatures, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["the sticker hops"], 64)
    halved = MuseDancePipeline(MuseDance(SMALL).to(dtype), tokenizer)
    part_map = torch.full((32, 32), 25)
    frames = video(animate(halved, track, frames=6, part_map=part_map))
    assert frames.shape == (6, 3, 32, 32) and torch.isfinite(frames).all()
