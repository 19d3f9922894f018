from __future__ import annotations

import sys

import pytest
import torch

from musedance_core.errors import InputError
from musedance_core.metrics.image import HIGHEST_PSNR, psnr, ssim

TRUTH = torch.rand(3, 3, 16, 20, generator=torch.Generator().manual_seed(0))


def test_identical_frames_are_at_the_top() -> None:
    assert psnr(TRUTH, TRUTH) == HIGHEST_PSNR
    assert ssim(TRUTH, TRUTH) == pytest.approx(1)


def test_psnr_is_the_mean_over_frames_of_decibels() -> None:
    other = TRUTH.clone()
    other[0] += 0.1
    assert psnr(other[:1], TRUTH[:1]) == pytest.approx(20, abs=1e-3)
    assert psnr(other, TRUTH) == pytest.approx((20 + 2 * HIGHEST_PSNR) / 3, abs=1e-3)


def test_more_noise_is_worse_and_the_order_of_frames_counts() -> None:
    noise = torch.randn(TRUTH.shape, generator=torch.Generator().manual_seed(1))
    noisy = [(TRUTH + level * noise).clamp(0, 1) for level in (0.01, 0.05, 0.2)]
    for measure in (psnr, ssim):
        scores = [measure(one, TRUTH) for one in noisy]
        assert scores == sorted(scores, reverse=True) and scores[-1] < scores[0] - 0.05
        assert measure(TRUTH.flip(0), TRUTH) < measure(TRUTH, TRUTH)


def test_too_small_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="6 x 16"):
        ssim(TRUTH[..., :6], TRUTH[..., :6])


def test_without_scikit_image_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.raises(InputError, match="pip install scikit-image"):
        ssim(TRUTH, TRUTH)
