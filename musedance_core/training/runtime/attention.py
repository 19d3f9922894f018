"""Attention kernels for training on short sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def fast_attention(device: torch.device) -> Iterator[None]:
    """Chooses the attention kernels that are fastest to train on `device`.

    On a CPU these are plain matrix products: the gradient of PyTorch's fused kernel takes several
    times as long for short sequences.
    """
    if device.type != "cpu":
        yield
        return
    # Plain products would be computed in float32 otherwise, whatever autocast asks for.
    allowed = bool(torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed())  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)
