"""Floating-point operations of a training step, and the GPU's peak, for the utilisation (MFU)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

PEAKS = {
    "H200": 989e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
    "RTX 5090": 209e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}
"""Dense bf16 peak in FLOP/s by a part of the GPU's name, from the maker's data sheets."""


def count_flops(loss: Callable[[], Tensor]) -> float:
    """Returns the floating-point operations of computing `loss()` and its gradient."""
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(loss().mean())
    return float(counter.get_total_flops())


def peak_flops(device: torch.device) -> float:
    """Returns the peak of a device in FLOP/s, 0 if it is unknown."""
    if device.type != "cuda":
        return 0.0
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), 0.0)
