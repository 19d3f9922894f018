"""The recurrence over segments of planned dances: poses, rates, seams, the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.dance.dancer import Dancer
from musedance_core.dance.motion import ROOT_INDEX, DanceMotion, standing, unwrap
from musedance_core.diffusion import compositing
from musedance_core.diffusion.compositing import Correction, Passage, composite
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.resident import ResidentModel
from musedance_core.diffusion.runner import (
    DanceInputs,
    Segment,
    SegmentRunner,
)
from musedance_core.diffusion.segment import (
    SamplingSettings,
)
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.models import MuseDance

Run = Callable[..., list[Segment]]


@pytest.mark.parametrize("fps", [23, 30, 48, 60])
@pytest.mark.parametrize("denoise", [True, False])
def test_frames_between_segments_are_interpolated(
    model: MuseDance,
    planned: DanceInputs,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fps: float,
    denoise: bool,
    run: Run,
) -> None:
    """Also with segments from the cache. A dancer who walks on never stands still."""
    poses: list[DanceMotion] = []
    frames_of = Dancer.frames

    def frames(self: Dancer, motion: DanceMotion) -> tuple[Tensor, Tensor]:
        if self.canvas.width > 32:
            poses.append(motion)
        return frames_of(self, motion)

    known = standing(48, 24)
    known.root[:, ROOT_INDEX["x"]] = 0.01 * torch.arange(48)
    known.root[:, ROOT_INDEX["yaw"]] = 0.2 * torch.arange(48)
    wanted = replace(planned, motion=known, denoise=denoise, fps=fps)
    count, cache = int(1.8 * fps), SegmentCache(tmp_path, "a model")
    run(model, wanted, int(0.7 * fps), cache)
    monkeypatch.setattr(Dancer, "frames", frames)
    pieces = run(model, wanted, count, cache)
    assert [p.first for p in pieces] == [
        sum(len(q.frames) for q in pieces[:number]) for number in range(len(pieces))
    ]
    assert sum(len(p.frames) for p in pieces) == count
    for name, step in (("x", 0.01), ("yaw", 0.2)):
        track = torch.cat([motion.field(name) for motion in poses])
        track = unwrap(track) if name == "yaw" else track
        # Not at both ends of the dance, where the curve through the poses levels out.
        speed = track.diff() * fps
        end = ceil(fps / 12)
        assert torch.allclose(speed[end:-end], torch.tensor(24 * step), rtol=0.02), name


def test_corrections_between_segments_are_interpolated() -> None:
    before, after = (
        Passage(standing(12, 24), Correction(torch.full((6, 3, 2, 2), value), 12))
        for value in (0.2, 0.6)
    )
    passage = after.after(before)
    assert passage.corrections is not None and passage.begin == pytest.approx(3 / 24)
    times = passage.begin + np.array([-1 / 12, -1 / 24, -1 / 48, 0, 0.2])
    found = passage.corrections.at(times)[:, 0, 0, 0].tolist()
    assert found == pytest.approx([0.2, 0.4, 0.5, 0.6, 0.6])


def test_a_slow_video_keeps_to_the_clock_of_the_song(
    model: MuseDance, planned: DanceInputs, run: Run
) -> None:
    """Whatever the number of frames that a segment of half a second happens to have."""
    tail = run(model, replace(planned, fps=4.5, denoise=False), 9)[-1].tail
    assert (tail.index, tail.frame) == (4, 24)


@pytest.mark.parametrize("fps", [10, 24, 30])
def test_planned_frames_have_the_size_of_the_frame_at_any_rate(
    model: MuseDance, planned: DanceInputs, fps: float, run: Run
) -> None:
    pieces = run(model, replace(planned, fps=fps), round(1.2 * fps))
    assert sum(len(piece.frames) for piece in pieces) == round(1.2 * fps)
    first = 0
    for piece in pieces:
        assert piece.first == first and piece.frames.shape[1:] == (3, 96, 72)
        assert piece.frames.min() >= 0 and piece.frames.max() <= 1
        first += len(piece.frames)
    assert sorted({piece.index for piece in pieces}) == [0, 1, 2]


def test_the_plan_of_a_segment_does_not_depend_on_the_rate(
    model: MuseDance, planned: DanceInputs, run: Run
) -> None:
    # Another seed of the random model widens the figure tenfold, and rounding with it.
    fast, slow = (run(model, replace(planned, fps=fps, seed=1), int(fps)) for fps in (24, 12))
    both = [torch.cat([piece.frames for piece in pieces]) for pieces in (fast, slow)]
    assert torch.allclose(both[0][::2], both[1], atol=1e-5)
    assert (both[0][1::2] - both[1]).abs().max() > 1e-3


def test_a_draft_is_the_plan_alone(
    model: MuseDance, planned: DanceInputs, dancer: Dancer, run: Run
) -> None:
    steps: list[tuple[int, int]] = []
    draft = run(model, replace(planned, denoise=False), 24, steps=steps)
    assert steps == [(0, 1), (1, 1)], "a planned segment is one step"
    full = run(model, planned, 24)
    assert all(piece.tail.segment is not None for piece in draft)
    for piece, denoised in zip(draft, full, strict=True):
        segment, other = piece.tail.segment, denoised.tail.segment
        assert segment is not None and segment.latents is None and segment.poses is not None
        assert other is not None and other.poses is not None and other.latents is not None
        assert torch.equal(segment.poses, other.poses)
    assert draft[0].tail.segment is not None and draft[0].tail.segment.poses is not None
    motion = DanceMotion.from_features(draft[0].tail.segment.poses, 24)
    expected = torch.cat(list(composite(dancer, motion, np.arange(12) / 24)))
    assert torch.equal(torch.cat([piece.frames for piece in draft])[:12], expected)


def test_planned_frames_are_refined_by_the_last_steps(
    model: MuseDance, planned: DanceInputs, run: Run
) -> None:
    eight = replace(planned, settings=replace(planned.settings, steps=8))
    steps: list[tuple[int, int]] = []
    run(model, eight, 2, steps=steps)
    assert steps == [(0, step) for step in range(4, 9)]


def test_denoised_frames_are_seen_where_they_differ_from_the_plan(
    model: MuseDance, planned: DanceInputs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(compositing, "THRESHOLDS", compositing.Thresholds(0.0, 1e-3))
    full, draft = run(model, planned, 12), run(model, replace(planned, denoise=False), 12)
    assert (full[0].frames - draft[0].frames).abs().max() > 0.01


def test_a_planned_dance_goes_on_from_the_segment_before(
    model: MuseDance, planned: DanceInputs
) -> None:
    runner = SegmentRunner(ResidentModel(model), replace(planned, denoise=False))
    first = runner.first_tail()
    tail = first.after(runner.segment_after(first), 6)
    poses = runner.segment_after(tail).poses
    assert poses is not None and tail.segment is not None
    other = replace(tail, poses=tail.segment.poses + 1)
    assert not torch.allclose(poses, runner.segment_after(other).poses)


def test_poses_go_on_over_segments_that_are_shorter_than_the_plan_looks_back(
    model: MuseDance, planned: DanceInputs
) -> None:
    """The plan looks two frames back, and each of these segments shows one."""
    runner = SegmentRunner(ResidentModel(model), replace(planned, denoise=False))
    tail = runner.first_tail()
    for _ in range(3):
        tail = tail.after(runner.segment_after(tail).first(1 / 6), 1)
    assert tail.poses is not None and len(tail.poses) == 6 and tail.frame == 3
    poses = runner.segment_after(tail).poses
    earlier = tail.poses.clone()
    earlier[2:4] += 1
    assert not torch.allclose(poses, runner.segment_after(replace(tail, poses=earlier)).poses)
    forgotten = tail.poses.clone()
    forgotten[:2] += 1
    assert torch.equal(poses, runner.segment_after(replace(tail, poses=forgotten)).poses)


def test_poses_and_latents_of_a_tail_end_together(
    model: MuseDance, planned: DanceInputs, run: Run
) -> None:
    """A video of 0.75 s at 24 frames a second: the second segment is cut to its half."""
    tail = run(model, planned, 18)[-1].tail
    assert tail.segment is not None and tail.segment.latents is not None
    assert tail.segment.poses is not None
    assert (tail.frame, len(tail.segment.latents), len(tail.segment.poses)) == (9, 3, 6)
    assert torch.equal(tail.latents, tail.segment.latents[1:])


def test_plan_and_denoiser_hear_the_same_part_of_the_song(
    model: MuseDance, planned: DanceInputs
) -> None:
    """Also after a segment that was cut short: the plan depends on its first frame."""
    draft = replace(planned, denoise=False)
    runner = SegmentRunner(ResidentModel(model), draft)
    later = SegmentRunner(ResidentModel(model), replace(draft, start=0.25))
    tail = replace(runner.first_tail(), index=1, frame=3)
    shifted = replace(tail, start=0.25, frame=0)
    poses = runner.segment_after(tail).poses
    assert poses is not None
    assert torch.allclose(poses, later.segment_after(shifted).poses, atol=1e-4)
    assert not torch.allclose(poses, runner.segment_after(replace(tail, frame=6)).poses, atol=1e-3)


def test_a_known_dance_is_followed_instead_of_a_planned_one(
    model: MuseDance, planned: DanceInputs, dancer: Dancer, run: Run
) -> None:
    known = standing(48, 48)
    known.root[:, ROOT_INDEX["x"]] = torch.linspace(0, 0.3, 48)
    follow = replace(planned, motion=known, denoise=False)
    frames = torch.cat([piece.frames for piece in run(model, follow, 24)])
    expected = torch.cat(list(composite(dancer, known, np.arange(24) / 24)))
    assert torch.allclose(frames, expected, atol=0.05)
    assert (frames[0] - frames[-1]).abs().max() > 0.3


@pytest.mark.parametrize("denoise", [True, False])
def test_a_planned_dance_resumes_as_if_it_had_not_been_cancelled(
    model: MuseDance, planned: DanceInputs, tmp_path: Path, denoise: bool, run: Run
) -> None:
    wanted, cache = replace(planned, denoise=denoise), SegmentCache(tmp_path, "a model")
    run(model, wanted, 12, cache)
    steps: list[tuple[int, int]] = []
    resumed, uncut = run(model, wanted, 24, cache, steps), run(model, wanted, 24)
    assert steps[0] == (0, 2 if denoise else 1) and {segment for segment, _ in steps[1:]} == {1}
    assert all(torch.equal(a.frames, b.frames) for a, b in zip(resumed, uncut, strict=True))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_planned_segment_of_anything_else_is_not_taken_from_the_cache(
    model: MuseDance, planned: DanceInputs, dancer: Dancer, tmp_path: Path, run: Run
) -> None:
    cache = SegmentCache(tmp_path, "a model")
    run(model, planned, 12, cache)
    body = dancer.figure.body
    moved = replace(dancer.figure, body=replace(body, joints=body.joints + 1))
    others = [
        replace(planned, seed=1),
        replace(planned, denoise=False),
        replace(
            planned, reference=replace(planned.reference, dancer=replace(dancer, figure=moved))
        ),
    ]
    for number, other in enumerate(others):
        run(model, other, 12, cache)
        assert len(list(tmp_path.iterdir())) == number + 2
    run(model, replace(planned, fps=12), 6, cache)
    assert len(list(tmp_path.iterdir())) == len(others) + 1, "the rate is the frames' alone"


def test_guidance_reaches_the_plan(model: MuseDance, planned: DanceInputs) -> None:
    draft = replace(planned, denoise=False)
    poses = [
        SegmentRunner(ResidentModel(model), replace(draft, settings=SamplingSettings(2, guidance)))
        for guidance in (
            Guidance.of(model.config.schedule),
            Guidance.of(model.config.schedule, 40.0),
            Guidance.of(model.config.schedule, None, {"text": 20.0}),
        )
    ]
    first, *others = (runner.segment_after(runner.first_tail()).poses for runner in poses)
    assert first is not None
    for other in others:
        assert other is not None and not torch.allclose(first, other, atol=1e-3)


def test_a_negative_prompt_reaches_the_plan(model: MuseDance, planned: DanceInputs) -> None:
    settings = SamplingSettings(2, Guidance.of(model.config.schedule, 40.0))
    draft = replace(planned, denoise=False, settings=settings)
    plain, other = (
        SegmentRunner(ResidentModel(model), replace(draft, negative=negative))
        for negative in (None, planned.prompts[1][1])
    )
    tail = plain.first_tail()
    one, two = plain.segment_after(tail).poses, other.segment_after(tail).poses
    assert one is not None and two is not None and not torch.allclose(one, two, atol=1e-3)


def test_where_no_beat_was_found_the_dancer_rests(
    model: MuseDance, planned: DanceInputs, run: Run
) -> None:
    grid = replace(planned.song.grid, assumed=True)
    resting = replace(planned, denoise=False, song=replace(planned.song, grid=grid))
    frames = torch.cat([piece.frames for piece in run(model, resting, 24)])
    dancing = torch.cat([piece.frames for piece in run(model, replace(planned, denoise=False), 24)])
    assert frames.diff(dim=0).abs().mean() < 0.3 * dancing.diff(dim=0).abs().mean()
    assert frames.diff(dim=0).abs().max() > 0, "it breathes"
