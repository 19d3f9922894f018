"""Cutting: the candidate clips of a source video."""

from __future__ import annotations

import numpy as np

from musedance_core.preparation.cutting import OVERLAP, _candidates
from musedance_core.preparation.decoding import Thumbnails
from musedance_core.preparation.options import ClipOptions

FRAMES = ClipOptions().frames


def one_shot(count: int) -> Thumbnails:
    """One shot of a slowly brightening picture."""
    shades = np.linspace(20, 200, count).astype(np.uint8)
    thumbs = np.broadcast_to(shades[:, None, None, None], (count, 54, 96, 3)).copy()
    return Thumbnails(thumbs, thumbs, np.arange(count), 0, (960, 540))


def test_candidates_follow_each_other_and_overlap_by_the_previous_frames() -> None:
    candidates = _candidates(one_shot(3 * FRAMES + 5), 60.0, ClipOptions())
    assert candidates == [
        slice(0, FRAMES),
        slice(FRAMES - OVERLAP, 2 * FRAMES),
        slice(2 * FRAMES - OVERLAP, 3 * FRAMES),
    ]


def test_no_candidate_goes_on_where_the_sound_has_ended() -> None:
    assert _candidates(one_shot(3 * FRAMES), 7.9, ClipOptions()) == [slice(0, FRAMES)]
    assert _candidates(one_shot(FRAMES - 1), 60.0, ClipOptions()) == []
