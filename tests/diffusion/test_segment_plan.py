"""The frames of every segment."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.diffusion.segment_plan import plan_segments


@pytest.mark.parametrize("fps", [1, 7.5, 12, 24, 29.97, 60])
@pytest.mark.parametrize("frames", [1, 13, 100])
def test_segments_cover_every_frame_once_at_any_rate(fps: float, frames: int) -> None:
    plans = plan_segments(frames, fps, 4.0)
    assert plans[0].first == 0 and sum(plan.frames for plan in plans) == frames
    for number, plan in enumerate(plans):
        assert plan.index == number
        assert plan.first == sum(p.frames for p in plans[:number])
        times = (plan.first + np.arange(plan.frames)) / fps - 4.0 * number
        assert ((times > -1e-6) & (times < 4.0 - 1e-6)).all()


def test_a_segment_without_frames_of_a_slow_video_is_planned_all_the_same() -> None:
    """Later segments continue it."""
    plans = plan_segments(3, 0.1, 4.0)
    assert [(p.first, p.frames) for p in plans] == [(0, 1), (1, 0), (1, 1), (2, 0), (2, 0), (2, 1)]


@pytest.mark.parametrize(("frames", "fps", "seconds"), [(0, 24, 4), (5, 0, 4), (5, 24, 0)])
def test_segments_of_nothing_are_refused(frames: int, fps: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        plan_segments(frames, fps, seconds)


@pytest.mark.parametrize("fps", [1, 7.5, 24, 29.97, 60])
def test_frames_after_the_last_pose_of_a_segment_go_to_the_next_one(fps: float) -> None:
    plans = plan_segments(500, fps, 4.0, 0.1)
    assert [p.first for p in plans] == [sum(q.frames for q in plans[:i]) for i in range(len(plans))]
    assert sum(p.frames for p in plans) == 500
    assert len(plans) == len(plan_segments(500, fps, 4.0))
    for plan in plans:
        times = (plan.first + np.arange(plan.frames)) / fps - 4.0 * plan.index
        assert (times > -0.1 - 1e-6).all()
        assert (times < (4.0 if plan is plans[-1] else 3.9) - 1e-6).all()
