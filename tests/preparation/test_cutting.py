"""Where clips lie in their source."""

from __future__ import annotations

import numpy as np

from musedance_core.preparation.cutting import LEAD, _slices
from musedance_core.preparation.decoding import Film
from musedance_core.preparation.options import ClipOptions

FRAMES = ClipOptions().frames


def film(count: int) -> Film:
    """One shot of a slowly brightening picture."""
    shades = np.linspace(20, 200, count).astype(np.uint8)
    thumbs = np.broadcast_to(shades[:, None, None, None], (count, 54, 96, 3)).copy()
    return Film(thumbs, thumbs, np.arange(count), 0, (960, 540))


def test_clips_follow_each_other_and_begin_with_the_frames_before() -> None:
    found = _slices(film(3 * FRAMES + 5), 60.0, ClipOptions())
    assert found == [
        slice(0, FRAMES),
        slice(FRAMES - LEAD, 2 * FRAMES),
        slice(2 * FRAMES - LEAD, 3 * FRAMES),
    ]


def test_no_clip_goes_on_where_the_sound_has_ended() -> None:
    assert _slices(film(3 * FRAMES), 7.9, ClipOptions()) == [slice(0, FRAMES)]
    assert _slices(film(FRAMES - 1), 60.0, ClipOptions()) == []
