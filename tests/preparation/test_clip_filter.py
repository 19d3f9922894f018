"""Clip filter: the crop around the dancer, and the reasons to reject a candidate clip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import shift

from musedance_core.preparation.clip_filter import crop_or_reject
from musedance_core.preparation.crop import MARGIN, PixelBox, clip_size, crop_around
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.rejections import UnusableVideo
from musedance_core.preparation.subject import Box

FRAMES, SIZE = 48, (960, 540)
OPTIONS = ClipOptions(size=320)


def crop_of(thumbs: np.ndarray, ids: np.ndarray | None = None, **changes: Any) -> PixelBox:
    options = ClipOptions(**{"size": 320, **changes})
    return crop_or_reject(thumbs, np.arange(len(thumbs)), ids, SIZE, options)


@pytest.mark.parametrize("centre", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_crop_holds_the_dancer(studio: Any, centre: float, seed: int) -> None:
    thumbs = studio.dancer(FRAMES, 54, 96, 12, centre, seed)
    crop = crop_of(thumbs)
    left, top, right, bottom = crop.shares
    assert left <= centre - 0.06 - 0.04 and right >= centre + 0.06 + 0.04
    assert top <= 0.25 and bottom >= 0.84
    assert crop.width == crop.height <= 540
    upright = crop_of(thumbs, aspect="vertical")
    assert upright.width / upright.height == pytest.approx(9 / 16, abs=0.02)
    assert left - 1e-6 <= (upright.left + upright.right) / 2 / 960 <= right


def test_a_dancer_too_tall_for_a_square_keeps_its_feet() -> None:
    crop = crop_around(Box(0.1, 0.05, 0.9, 0.95), (540, 960), 1.0)
    assert (crop.left, crop.right) == (0, 540)
    assert crop.top <= 0.05 * 960 and crop.bottom >= 0.95 * 960
    assert clip_size(crop, 640)[1] == 640 and clip_size(crop, 640)[0] % 2 == 0


@pytest.mark.parametrize("box", [(0, 0, 0.2, 0.3), (0.4, 0.4, 0.5, 0.5), (0.7, 0.6, 1, 1)])
def test_a_crop_has_a_margin_around_the_subject_and_stays_inside_the_frame(
    box: tuple[float, float, float, float],
) -> None:
    crop = crop_around(Box(*box), (960, 540), 1.0)
    assert 0 <= crop.left < crop.right <= 960 and 0 <= crop.top < crop.bottom <= 540
    assert crop.width == crop.height >= (1 + 2 * MARGIN) * (box[3] - box[1]) * 540 - 1
    left, top, right, bottom = crop.shares
    assert left <= box[0] and top <= box[1] and right >= box[2] - 1e-9 and bottom >= box[3] - 1e-9


def test_two_dancers_are_rejected(studio: Any) -> None:
    scene = studio.room(54, 96)
    first = studio.dancer(FRAMES, 54, 96, 12, 0.22, 0, scene)
    both = studio.dancer(FRAMES, 54, 96, 12, 0.78, 5, scene)
    both[:, :, :48] = first[:, :, :48]
    with pytest.raises(UnusableVideo, match=r"several subjects: 2"):
        crop_of(both)


def rejected_candidates(studio: Any) -> dict[str, np.ndarray]:
    dancing = studio.dancer(FRAMES, 54, 96, 12)
    noise = np.random.default_rng(0).normal(0, 1.5, dancing.shape)
    still = (dancing[:1] + noise).clip(0, 255).astype(np.uint8)
    blank = dancing.copy()
    blank[5] = 3
    texture = np.random.default_rng(0).integers(0, 255, (54, 96 + 2 * FRAMES, 3), dtype=np.uint8)
    panned = np.stack([texture[:, 2 * k : 2 * k + 96] for k in range(FRAMES)])
    hand = [(k % 2, k // 2 % 2, 0) for k in range(FRAMES)]
    shaken = np.stack([shift(texture[:, :96], by, order=1, mode="nearest") for by in hand])
    other = studio.room(54, 96, seed=3)
    share = np.linspace(0, 1, FRAMES)[:, None, None, None]
    return {
        "still": still,
        "blank": blank,
        "camera: ": panned,
        "camera": shaken,
        "transition": (dancing * (1 - share) + other * share).astype(np.uint8),
    }


@pytest.mark.parametrize("reason", ["still", "blank", "camera: ", "camera", "transition"])
def test_a_candidate_without_a_dance_is_rejected_with_its_figure(studio: Any, reason: str) -> None:
    with pytest.raises(UnusableVideo, match=rf"^{reason}"):
        crop_of(rejected_candidates(studio)[reason])


def test_the_bounds_of_the_options(studio: Any) -> None:
    thumbs = studio.dancer(FRAMES, 54, 96, 12)
    with pytest.raises(UnusableVideo, match=r"^still: motion 0\.\d+ is below 0\.5"):
        crop_of(thumbs, min_motion=0.5, max_motion=0.9)
    with pytest.raises(UnusableVideo, match=r"^restless"):
        crop_of(thumbs, min_motion=0, max_motion=0.001)
    with pytest.raises(UnusableVideo, match=r"^small: .* pixels"):
        crop_of(thumbs, size=1280)


def test_a_source_of_half_the_frame_rate_stutters(studio: Any) -> None:
    thumbs = studio.dancer(FRAMES, 54, 96, 12)
    with pytest.raises(UnusableVideo, match=r"^stutter: only 24 of 48"):
        crop_or_reject(thumbs, np.arange(FRAMES) // 2, None, SIZE, OPTIONS)


def test_the_subject_comes_from_part_maps(studio: Any) -> None:
    """A curtain moves too, and more than the dancer."""
    thumbs = studio.dancer(FRAMES, 54, 96, 12, 0.3)
    thumbs[::2, 10:50, 75:90] //= 3
    ids = np.zeros(thumbs.shape[:3], np.uint8)
    ids[:, 12:46, 22:36] = 2
    crop = crop_of(thumbs, ids)
    assert crop.shares[2] < 0.6
    ids[:, 12:46, 70:84] = 5
    with pytest.raises(UnusableVideo, match=r"several subjects: 2 of them have parts"):
        crop_of(thumbs, ids)
