"""How much a step computes, and what share of a GPU's peak that is (MFU)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

# Dense bf16 peak in FLOP/s by a piece of the GPU's name, as its maker states it.
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


def count_flops(work: Callable[[], Tensor]) -> float:
    """FLOP of `work()` and of the way back from the loss that it gives."""
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(work().mean())
    return float(counter.get_total_flops())


def peak_flops(device: torch.device) -> float:
    """The peak of a device in FLOP/s, 0 where it is not known."""
    if device.type != "cuda":
        return 0.0
    name = torch.cuda.get_device_name(device)
    return next((peak for piece, peak in PEAKS.items() if piece in name), 0.0)
