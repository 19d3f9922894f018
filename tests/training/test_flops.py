"""Floating-point operations of a training step."""

from __future__ import annotations

import torch
from torch import nn

from musedance_core.training.runtime.flops import count_flops, peak_flops


def test_a_linear_layer_is_counted_forwards_and_backwards() -> None:
    layer, x = nn.Linear(8, 16, bias=False), torch.randn(4, 8, requires_grad=True)
    forward = 2 * 4 * 8 * 16
    assert count_flops(lambda: layer(x).square()) == 3 * forward


def test_a_device_without_a_known_peak_has_none() -> None:
    assert peak_flops(torch.device("cpu")) == 0.0
