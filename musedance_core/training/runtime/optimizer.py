"""The optimizer and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from ...errors import InputError
from ..config import OptimConfig

BETAS = (0.9, 0.99)


def learning_rate(
    config: OptimConfig, step: int, max_steps: int, warm_from: int = 0, batches: int = 1
) -> float:
    """Returns the learning rate of a step: linear warm-up, then constant or a cosine down to 0.

    Args:
        step: optimizer steps so far, whatever the number of processes and micro-batches.
        max_steps: step at which the cosine reaches 0.
        warm_from: step at which the optimizer was new.
        batches: processes times micro-batches, by which `scale_lr` scales.
    """
    scale = {"none": 1.0, "sqrt": math.sqrt(batches), "linear": float(batches)}[config.scale_lr]
    warmup = min(1.0, (step - warm_from + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * scale * warmup
    progress = max(0.0, step - config.warmup) / max(1, max_steps - config.warmup)
    return config.lr * scale * warmup * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def build_optimizer(
    config: OptimConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Returns the optimizer of `config.kind`.

    Raises:
        InputError: an 8-bit kind without bitsandbytes.
    """
    trainable = list(parameters)
    if config.kind == "adamw":
        return torch.optim.AdamW(
            trainable, lr=config.lr, betas=BETAS, weight_decay=config.weight_decay
        )
    if config.kind == "adam":
        return torch.optim.Adam(trainable, lr=config.lr, betas=BETAS)
    try:
        import bitsandbytes
    except ImportError as error:
        raise InputError(
            f"optim.kind={config.kind} needs bitsandbytes: pip install bitsandbytes."
        ) from error
    optimizer: torch.optim.Optimizer
    if config.kind == "adamw8bit":
        optimizer = bitsandbytes.optim.AdamW8bit(
            trainable, lr=config.lr, betas=BETAS, weight_decay=config.weight_decay
        )
    else:
        optimizer = bitsandbytes.optim.Adam8bit(trainable, lr=config.lr, betas=BETAS)
    return optimizer
