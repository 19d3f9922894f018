"""Planned dances: progress before the first step, finished segments, and the dancer's alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.dance.dancer import Dancer
from musedance_core.diffusion.resident import ResidentModel
from musedance_core.diffusion.runner import DanceInputs, Segment, SegmentRunner
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.models import MuseDance

Run = Callable[..., list[Segment]]


@pytest.mark.parametrize("denoise", [True, False])
def test_the_share_of_the_work_before_the_first_step_rises_to_1(
    model: MuseDance, planned: DanceInputs, denoise: bool
) -> None:
    seen: list[tuple[int, float]] = []
    inputs = replace(planned, denoise=denoise)
    runner = SegmentRunner(ResidentModel(model), inputs, on_setup=lambda i, x: seen.append((i, x)))
    steps: list[int] = []
    runner.segment_after(runner.first_tail(), lambda info: steps.append(len(seen)))
    shares = [share for _, share in seen]
    assert shares == sorted(shares) and 0 < shares[0] < 1 and shares[-1] == pytest.approx(1.0)
    assert steps and steps[0] == len(seen) >= 3, "it was reported after the first step, too"
    assert {index for index, _ in seen} == {0}


def test_an_exception_while_a_segment_is_planned_ends_it(
    model: MuseDance, planned: DanceInputs, tmp_path: Path
) -> None:
    def cancel(index: int, share: float) -> None:
        raise KeyboardInterrupt

    cache = SegmentCache(tmp_path, "a model")
    runner = SegmentRunner(ResidentModel(model), planned, cache, cancel)
    with pytest.raises(KeyboardInterrupt):
        runner.segment_after(runner.first_tail())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("denoise", [True, False])
def test_frames_of_segments_in_the_cache_are_finished(
    model: MuseDance, planned: DanceInputs, tmp_path: Path, denoise: bool, run: Run
) -> None:
    """Segments last half a second, 12 frames."""
    inputs, cache = replace(planned, denoise=denoise), SegmentCache(tmp_path, "a model")
    runner = SegmentRunner(ResidentModel(model), inputs, cache)
    assert runner.finished(30) == 0
    run(model, inputs, 20, cache)
    assert runner.finished(30) == 24 and runner.finished(20) == 20
    assert SegmentRunner(ResidentModel(model), inputs).finished(30) == 0
    other = replace(inputs, seed=1)
    assert SegmentRunner(ResidentModel(model), other, cache).finished(30) == 0


def test_the_alpha_of_frames_is_the_dancer_s(
    model: MuseDance, planned: DanceInputs, dancer: Dancer, run: Run
) -> None:
    clear = replace(dancer, background=torch.zeros_like(dancer.background))
    drafts = [
        run(model, replace(planned, denoise=False, reference=replace(planned.reference, dancer=d)))
        for d in (dancer, clear)
    ]
    for behind, transparent in zip(*drafts, strict=True):
        assert behind.frames.shape[1] == 3 and transparent.frames.shape[1] == 4
        assert behind.alpha is not None and transparent.alpha is not None
        assert torch.equal(behind.alpha, transparent.alpha)
        assert torch.equal(transparent.alpha, transparent.frames[:, 3:])
        assert 0.02 < float(behind.alpha.mean()) < 0.9


def test_models_that_plan_no_dance_know_no_alpha(
    model: MuseDance, inputs: DanceInputs, run: Run
) -> None:
    assert all(segment.alpha is None for segment in run(model, inputs))
