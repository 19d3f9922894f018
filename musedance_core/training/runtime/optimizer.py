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
    """Linear warm-up to `lr`, then constant or a cosine down to zero at `max_steps`.

    `step` counts updates of the weights, whatever number of processes and micro-batches they come
    from; `warm_from` is where the optimizer started; `batches` is processes times micro-batches,
    by which `scale_lr` scales.
    """
    scale = {"none": 1.0, "sqrt": math.sqrt(batches), "linear": float(batches)}[config.scale_lr]
    warm = min(1.0, (step - warm_from + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * scale * warm
    way = max(0.0, step - config.warmup) / max(1, max_steps - config.warmup)
    return config.lr * scale * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, way)))


def build_optimizer(
    config: OptimConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """The optimizer that `config.kind` names.

    Raises:
        InputError: an 8-bit kind without bitsandbytes.
    """
    learning = list(parameters)
    if config.kind == "adamw":
        return torch.optim.AdamW(
            learning, lr=config.lr, betas=BETAS, weight_decay=config.weight_decay
        )
    if config.kind == "adam":
        return torch.optim.Adam(learning, lr=config.lr, betas=BETAS)
    try:
        import bitsandbytes
    except ImportError as error:
        raise InputError(
            f"optim.kind={config.kind} needs bitsandbytes: pip install bitsandbytes."
        ) from error
    made: torch.optim.Optimizer
    if config.kind == "adamw8bit":
        made = bitsandbytes.optim.AdamW8bit(
            learning, lr=config.lr, betas=BETAS, weight_decay=config.weight_decay
        )
    else:
        made = bitsandbytes.optim.Adam8bit(learning, lr=config.lr, betas=BETAS)
    return made
