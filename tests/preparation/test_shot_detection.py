"""Shot detection: cuts are found at the right frame; dancing, flashes and lamps are no cuts."""

from __future__ import annotations

from typing import Any

import numpy as np

from musedance_core.preparation.shot_detection import THRESHOLDS, detect_cuts, detect_shots

GUARD = THRESHOLDS.guard_frames


def shots_of(studio: Any, *lengths: int) -> np.ndarray:
    """Shots of so many frames, one after the other: dancers in different rooms."""
    films = [studio.dancer(n, 54, 96, 12, 0.4, seed=7 * i) for i, n in enumerate(lengths)]
    return np.concatenate(films)


def test_cuts_are_found_at_the_right_frame(studio: Any) -> None:
    assert detect_cuts(shots_of(studio, 30, 50, 20, 60)) == [30, 80, 100]
    assert detect_cuts(shots_of(studio, 60)) == []
    assert detect_cuts(shots_of(studio, 1)) == []


def test_a_shot_leaves_out_the_frames_next_to_a_cut(studio: Any) -> None:
    found = detect_shots(shots_of(studio, 30, 50, 20))
    assert found == [range(0, 30 - GUARD), range(30 + GUARD, 80 - GUARD), range(80 + GUARD, 100)]
    assert detect_shots(shots_of(studio, 40)) == [range(40)]


def test_flashes_and_lamps_are_no_cuts(studio: Any) -> None:
    flashing = shots_of(studio, 60)
    flashing[[10, 25, 26, 40]] = 250
    assert detect_cuts(flashing) == []
    light = 1 - 0.4 * (1 + np.sin(np.arange(60) / 5)) / 2
    lit = (shots_of(studio, 60) * light[:, None, None, None]).astype(np.uint8)
    assert detect_cuts(lit) == []


def test_fast_motion_over_the_whole_frame_is_no_cut(studio: Any) -> None:
    wide = studio.room(54, 96 + 4 * 60)
    panned = np.stack([wide[:, 4 * k : 4 * k + 96] for k in range(60)])
    assert detect_cuts(panned) == []
