"""Image metrics per frame: PSNR and SSIM (section 4.3)."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from einops import rearrange
from torch import Tensor

from ..errors import InputError

HIGHEST_PSNR = 100.0
"""PSNR in dB of identical frames, which would be infinite."""
SMALLEST_SIDE = 7
"""SSIM uses windows of 7 x 7 pixels."""


def psnr(frames: Tensor, truth: Tensor) -> float:
    """Mean over frames `[f 3 h w]` in 0..1 of each frame's PSNR in dB, at most `HIGHEST_PSNR`."""
    errors = (frames - truth).square().mean(dim=(1, 2, 3)).double()
    lowest = 10 ** (-HIGHEST_PSNR / 10)
    return float((-10 * errors.clamp(min=lowest).log10()).mean())


def ssim(frames: Tensor, truth: Tensor) -> float:
    """Mean over frames `[f 3 h w]` in 0..1 of each frame's SSIM, 1 for identical frames.

    Raises:
        InputError: scikit-image is not installed, or a side is below `SMALLEST_SIDE` pixels.
    """
    metrics = image_metrics()
    if min(frames.shape[-2:]) < SMALLEST_SIDE:
        height, width = frames.shape[-2:]
        raise InputError(f"SSIM needs sides of {SMALLEST_SIDE} pixels, got {width} x {height}.")
    pairs = zip(frames, truth, strict=True)
    scores = [
        metrics.structural_similarity(_image(one), _image(two), channel_axis=-1, data_range=1.0)
        for one, two in pairs
    ]
    return float(np.mean(scores))


def image_metrics() -> ModuleType:
    """Returns scikit-image's metrics.

    Raises:
        InputError: scikit-image is not installed.
    """
    try:
        import skimage.metrics
    except ImportError as error:
        raise InputError(
            "Evaluation needs scikit-image, which is not installed: pip install scikit-image"
        ) from error
    metrics: ModuleType = skimage.metrics
    return metrics


def _image(frame: Tensor) -> np.ndarray:
    image: np.ndarray = rearrange(frame, "c h w -> h w c").numpy()
    return image
