"""Attention kernels for training on short sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

KERNELS = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)


@contextmanager
def fast_attention(device: torch.device) -> Iterator[None]:
    """Chooses the attention kernels that are fastest to train on `device`.

    On a CPU these are plain matrix products: the gradient of PyTorch's fused kernel takes several
    times as long for short sequences.
    """
    with sdpa_kernel([SDPBackend.MATH] if device.type == "cpu" else list(KERNELS)):
        yield
