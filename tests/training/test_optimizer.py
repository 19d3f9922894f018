"""Learning rate schedules and optimizers."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from musedance_core.errors import InputError
from musedance_core.training.config import OptimConfig
from musedance_core.training.runtime.optimizer import build_optimizer, learning_rate


def test_the_learning_rate_warms_up_and_falls() -> None:
    optim = OptimConfig(lr=1.0, warmup=10)
    assert learning_rate(optim, 0, 110) == pytest.approx(0.1)
    assert learning_rate(optim, 10, 110) == pytest.approx(1.0)
    assert learning_rate(optim, 60, 110) == pytest.approx(0.5)
    assert learning_rate(optim, 110, 110) == pytest.approx(0.0)
    constant = replace(optim, schedule="constant")
    assert learning_rate(constant, 5000, 110) == 1.0


def test_processes_scale_the_rate_but_not_the_schedule() -> None:
    """A scheduler that steps once per process would run ahead of the training."""
    optim = OptimConfig(lr=1.0, warmup=10)
    for step in (0, 5, 10, 60, 109):
        alone = learning_rate(optim, step, 110)
        assert learning_rate(optim, step, 110, batches=8) == alone
        for scale, factor in (("linear", 8.0), ("sqrt", 8**0.5)):
            scaled = learning_rate(replace(optim, scale_lr=scale), step, 110, batches=8)
            assert scaled == pytest.approx(factor * alone)


def test_8_bit_optimizers_name_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(InputError, match="pip install bitsandbytes"):
        build_optimizer(OptimConfig(kind="adamw8bit"), [nn.Parameter(torch.zeros(2))])
