"""Resampling by a ratio of whole numbers, as `scipy.signal.resample_poly` without its import."""

from __future__ import annotations

from math import gcd

import numpy as np

ZERO_CROSSINGS = 10
"""Zero crossings of the low-pass filter on each side, at the lower of the two rates."""
KAISER_BETA = 5.0
"""Shape of the filter's Kaiser window."""
BLOCK = 64
"""Output samples that one matrix product computes per row: longer blocks waste products with the
zeros beyond the filter, shorter ones copy every input sample more often."""


def resample(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """`samples [c n]` at `rate` Hz -> float32 `[c ceil(n * new_rate / rate)]` at `new_rate` Hz.

    A polyphase low-pass filter without delay, with silence beyond both ends. The filter's phases
    repeat after `up` output and `down` input samples, so all periods are one matrix product with
    the same filter taps.
    """
    divisor = gcd(rate, new_rate)
    up, down = new_rate // divisor, rate // divisor
    half = ZERO_CROSSINGS * max(up, down)
    taps = _low_pass(half, max(up, down)) * up

    # Several short periods count as one, so that it holds at least one block.
    repeats = -(-BLOCK // up)
    period_out, period_in = up * repeats, down * repeats
    channels, length = samples.shape
    length_out = -(-length * up // down)
    periods = max(1, -(-length_out // period_out))

    reach = half // up + 1
    padded = np.zeros((channels, periods * period_in + 2 * reach), np.float32)
    padded[:, reach : reach + length] = samples

    out = np.empty((channels, periods, period_out), np.float32)
    for first in range(0, period_out, BLOCK):
        block = np.arange(first, min(first + BLOCK, period_out))
        # Input samples, counted from the period's first, that the filter reaches from the block.
        low, high = -((half - first * down) // up), (int(block[-1]) * down + half) // up
        index = block * down - np.arange(low, high + 1)[:, None] * up + half
        inside = (index >= 0) & (index <= 2 * half)
        kernel = np.where(inside, taps[index.clip(0, 2 * half)], 0).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=1)
        out[:, :, block] = windows[:, low + reach :: period_in][:, :periods] @ kernel
    return out.reshape(channels, -1)[:, :length_out]


def _low_pass(half: int, ratio: int) -> np.ndarray:
    """A windowed sinc `[2 * half + 1]` with a cutoff of 1 / `ratio` and unit gain at 0 Hz."""
    times = np.arange(-half, half + 1) / ratio
    taps = np.sinc(times) * np.kaiser(2 * half + 1, KAISER_BETA)
    return np.asarray(taps / taps.sum())
