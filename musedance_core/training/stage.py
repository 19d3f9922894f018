"""What the loop needs to know of a stage."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..models import MuseDance

SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}
Batch = dict[str, Tensor]
Source = Callable[[list[int]], Batch]
"""Indices of samples to a batch on the CPU: a pure function, called in the loader's process."""


class Stage(nn.Module):
    """A model with a loss on batches.

    `part` names the stage in the checkpoint's provenance. `forward(batch, generator)` gives the
    loss, all of its randomness drawn from the (CPU) generator.
    """

    part = ""
    trainable: tuple[str, ...] = ()

    def __init__(self, model: MuseDance) -> None:
        super().__init__()
        self.model = model

    def source(self, split: str) -> Source:
        """Where batches of a split come from."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What is done once before the first step of a fresh run (not after a resume)."""

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Held-out figures on a fixed batch, by name."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device


def choose_trainable(stage: Stage, patterns: tuple[str, ...]) -> dict[str, nn.Parameter]:
    """Freeze all of the model but what `patterns` choose; return what learns, by name.

    A pattern is written as for file names; one that begins with "!" takes parameters out again.
    What the stage itself adds (its heads) always learns.

    Raises:
        InputError: a pattern matches nothing.
    """
    named = dict(stage.model.named_parameters())
    learning: set[str] = set()
    for pattern in patterns:
        matching = {name for name in named if fnmatchcase(name, pattern.lstrip("!"))}
        if not matching:
            raise InputError(f"trainable: no parameter matches {pattern!r}.")
        learning = learning - matching if pattern.startswith("!") else learning | matching
    for name, parameter in named.items():
        parameter.requires_grad_(name in learning)
    chosen = {name: p for name, p in named.items() if name in learning}
    own = {name: p for name, p in stage.named_parameters() if not name.startswith("model.")}
    return chosen | own
