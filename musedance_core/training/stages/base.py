"""The interface between the training loop and a stage."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..runtime.step_random import StepRandom

SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}
Batch = dict[str, Tensor]
LATENTS = "_latents"
"""Suffix of a batch entry that holds cached latents instead of pictures."""


class SampleSource(Protocol):
    """A map from sample indices to batches, called in a data loader's process.

    A sample depends on its index alone, so a resumed run continues with the same samples.
    """

    def __call__(self, indices: list[int]) -> Batch:
        """Returns the samples with these indices as one batch on the CPU.

        Raises:
            InputError: a sample cannot be read; the message names its file.
        """
        ...

    def names(self, indices: Sequence[int]) -> list[str]:
        """Returns a readable name per sample, for messages about bad samples."""
        ...


class Stage(nn.Module):
    """A model with its training loss.

    Subclasses implement `source`, `forward` and `evaluate`; the `Trainer` does the rest.

    Attributes:
        part: name of the stage in the checkpoint's provenance.
        trainable: parameters that learn by default, as patterns of their names in `model`.
    """

    model: nn.Module
    part = ""
    trainable: tuple[str, ...] = ()

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def source(self, split: str) -> SampleSource:
        """Returns the samples of the split "train", "validation" or "test"."""
        raise NotImplementedError

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        """Returns the training loss: `[b]` where every sample has its own, else a scalar.

        All randomness comes from `rng`, except for dropout inside modules.
        """
        raise NotImplementedError

    def initialise(self) -> None:
        """Sets initial weights from data, once before the first step of a new run."""

    def fill_caches(self, rank: int, world: int) -> str:
        """Encodes the missing entries of the share of the cache that belongs to process `rank`.

        Returns:
            A line for the log, "" where there is no cache.
        """
        return ""

    def verify_caches(self) -> None:
        """Compares a few cache entries with fresh ones, after all processes filled their share.

        Raises:
            InputError: an entry differs from the encoders' output.
        """

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns metrics on a fixed held-out batch, by name."""
        raise NotImplementedError

    def networks(self) -> list[nn.Module]:
        """Returns the networks that take most of the time: those that `compile` compiles."""
        return []

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return next(self.model.parameters()).device


def match_names(names: Sequence[str], patterns: Sequence[str], key: str) -> set[str]:
    """Returns the `names` that match any of `patterns`, in order; "!" excludes again.

    Args:
        patterns: shell-style patterns, as in file names.
        key: the config key of the patterns, for the message.

    Raises:
        InputError: a pattern matches nothing.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        matches = {name for name in names if fnmatchcase(name, pattern.lstrip("!"))}
        if not matches:
            raise InputError(f"{key}: no parameter matches {pattern!r}.")
        chosen = chosen - matches if pattern.startswith("!") else chosen | matches
    return chosen


def choose_trainable(stage: Stage, patterns: tuple[str, ...]) -> dict[str, nn.Parameter]:
    """Freezes all parameters of the model that match none of `patterns`.

    Returns:
        The trainable parameters by name. Parameters of the stage itself (its heads) are always
        among them.

    Raises:
        InputError: a pattern matches nothing.
    """
    named = dict(stage.model.named_parameters())
    trainable = match_names(list(named), patterns, "trainable")
    for name, parameter in named.items():
        parameter.requires_grad_(name in trainable)
    chosen = {name: p for name, p in named.items() if name in trainable}
    heads = {name: p for name, p in stage.named_parameters() if not name.startswith("model.")}
    return chosen | heads
