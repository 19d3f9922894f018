"""The recurrence over segments: tails, the song's clock, the cache, finite output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.resident import ChunkedVAE, ResidentModel
from musedance_core.diffusion.runner import (
    DanceInputs,
    Segment,
    SegmentRunner,
)
from musedance_core.diffusion.segment import (
    DenoisedSegment,
    SamplingSettings,
    require_finite,
)
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.diffusion.tail import Tail
from musedance_core.errors import InputError
from musedance_core.models import MuseDance

Run = Callable[..., list[Segment]]


def test_the_tail_is_the_last_frames_that_are_shown(
    model: MuseDance, inputs: DanceInputs, run: Run
) -> None:
    short, whole = run(model, inputs, 9)[-1].tail, run(model, inputs, 12)[-1].tail
    assert (short.frame, short.index, whole.frame) == (9, 2, 12)
    assert short.segment is not None and whole.segment is not None
    assert len(short.segment.latents) == 3 and torch.equal(short.latents, short.segment.latents[1:])
    assert torch.equal(short.segment.latents, whole.segment.latents[:3])
    assert torch.equal(whole.latents, whole.segment.latents[4:])


def test_a_tail_after_fewer_frames_than_it_holds_keeps_one_of_those_before() -> None:
    before, latents = torch.randn(2, 4, 8, 8), torch.randn(1, 4, 8, 8)
    after = Tail(before, start=1.0, frame=6, index=1).after(DenoisedSegment(latents), 1)
    assert torch.equal(after.latents, torch.cat([before[1:], latents]))
    assert (after.start, after.frame, after.index) == (1.0, 7, 2)


def test_segment_by_segment_is_the_same_as_all_at_once(
    model: MuseDance, inputs: DanceInputs, run: Run
) -> None:
    runner = SegmentRunner(ResidentModel(model), inputs)
    tail = runner.first_tail()
    for segment in run(model, inputs):
        tail = tail.after(runner.segment_after(tail), 6)
        assert torch.equal(tail.latents, segment.tail.latents)


def test_the_song_s_clock_goes_on_over_segments(model: MuseDance, inputs: DanceInputs) -> None:
    """The second segment hears the song from its own beginning on."""
    later = replace(inputs, start=0.5)
    runner, shifted = (SegmentRunner(ResidentModel(model), given) for given in (inputs, later))
    tail = replace(runner.first_tail(), frame=6)
    here, there = (
        runner.segment_after(tail),
        shifted.segment_after(replace(tail, frame=0, start=0.5)),
    )
    assert torch.allclose(here.latents, there.latents, atol=1e-5)
    assert not torch.allclose(here.latents, runner.segment_after(runner.first_tail()).latents)


def test_a_sentence_holds_from_its_time_of_the_song_on(
    model: MuseDance, inputs: DanceInputs, run: Run
) -> None:
    changing = run(model, inputs, 18)
    first = run(model, replace(inputs, prompts=inputs.prompts[:1]), 18)
    same = [torch.equal(a.frames, b.frames) for a, b in zip(changing, first, strict=True)]
    assert same == [True, True, False]
    late = run(model, replace(inputs, start=1.0), 6)
    second = run(model, replace(inputs, start=1.0, prompts=inputs.prompts[1:]), 6)
    assert torch.equal(late[0].frames, second[0].frames)


def test_a_cancelled_dance_resumes_after_its_last_finished_segment(
    model: MuseDance, inputs: DanceInputs, tmp_path: Path, run: Run
) -> None:
    cache, steps = SegmentCache(tmp_path, "a model"), [(0, 0)]
    run(model, inputs, 6, cache)
    segments = run(model, inputs, 12, cache, steps)
    assert steps[1:] == [(0, 2), (1, 1), (1, 2)], "a cached segment is reported as finished"
    uncached = run(model, inputs, 12)
    assert all(torch.equal(a.frames, b.frames) for a, b in zip(segments, uncached, strict=True))


def test_a_segment_of_anything_else_is_not_taken_from_the_cache(
    model: MuseDance, inputs: DanceInputs, tmp_path: Path, run: Run
) -> None:
    run(model, inputs, 6, SegmentCache(tmp_path, "a model"))
    pixels = inputs.reference.pixels
    others = [
        (replace(inputs, seed=1), "a model"),
        (replace(inputs, start=0.5), "a model"),
        (replace(inputs, prompts=inputs.prompts[1:]), "a model"),
        (replace(inputs, negative=inputs.prompts[1][1]), "a model"),
        (replace(inputs, settings=SamplingSettings(2, Guidance(2.0))), "a model"),
        (replace(inputs, settings=SamplingSettings(2, Guidance(1.0), "dpmpp_2m")), "a model"),
        (replace(inputs, song=replace(inputs.song, grid=regular_grid(90, 0, 3))), "a model"),
        (
            replace(inputs, reference=replace(inputs.reference, part_map=(pixels[0] > 0.5).long())),
            "a model",
        ),
        (inputs, "another model"),
    ]
    for number, (other, name) in enumerate(others):
        steps: list[tuple[int, int]] = []
        run(model, other, 6, SegmentCache(tmp_path, name), steps)
        assert steps == [(0, 1), (0, 2)] and len(list(tmp_path.iterdir())) == number + 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_cache(
    model: MuseDance,
    inputs: DanceInputs,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    run: Run,
) -> None:
    file = tmp_path / "no folder"
    file.write_text("")
    assert len(run(model, inputs, 6, SegmentCache(file))) == 1
    assert "could not write a segment" in caplog.text


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_output_that_is_not_finite_is_one_sentence(
    model: MuseDance, inputs: DanceInputs, value: float, tmp_path: Path, run: Run
) -> None:
    broken = MuseDance(model.config).requires_grad_(False)
    next(broken.unet.parameters()).fill_(value)
    with pytest.raises(InputError, match=r"latents of segment 1 are not finite .* in float32"):
        run(broken, inputs, 6, SegmentCache(tmp_path))
    assert not list(tmp_path.iterdir()), "nor is it cached"


def test_frames_that_are_not_finite_are_one_sentence(model: MuseDance, inputs: DanceInputs) -> None:
    class Broken(ChunkedVAE):
        def decode(self, latents: Tensor) -> Tensor:
            return super().decode(latents) * torch.nan

    resident = ResidentModel(model)
    with pytest.raises(InputError, match="decoded frames are not finite"):
        list(SegmentRunner(resident, inputs).run(6, Broken(resident)))


def test_in_float16_the_sentence_says_what_helps() -> None:
    too_large = torch.tensor([70000.0]).half()
    with pytest.raises(InputError, match="in float16: use bfloat16 or float32"):
        require_finite(too_large, "The frames", torch.float16)
    require_finite(torch.ones(2), "The frames", torch.float16)
