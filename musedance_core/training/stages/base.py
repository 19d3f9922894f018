"""What the loop needs to know of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

import torch
from torch import Tensor, nn

from ...errors import InputError
from ...models import MuseDance

SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}
Batch = dict[str, Tensor]
LATENTS = "_latents"
"""Ending of a batch's entry that holds latents instead of pictures."""


class SampleSource(Protocol):
    """Where samples come from: a pure function of their indices, called in the loader's process."""

    def __call__(self, indices: list[int]) -> Batch:
        """The samples with these indices as a batch on the CPU.

        Raises:
            InputError: a sample cannot be read; the sentence names its file.
        """
        ...

    def names(self, indices: Sequence[int]) -> list[str]:
        """What to call these samples when one of them is to be told to a person."""
        ...


class Stage(nn.Module):
    """A model with a loss on batches.

    `part` names the stage in the checkpoint's provenance. `forward(batch, draws)` gives the loss,
    per sample `[b]` where samples have losses of their own, all of its randomness drawn from
    `draws`.
    """

    part = ""
    trainable: tuple[str, ...] = ()

    def __init__(self, model: MuseDance) -> None:
        super().__init__()
        self.model = model

    def source(self, split: str) -> SampleSource:
        """Where batches of a split come from."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What is done once before the first step of a fresh run (not after a resume)."""

    def fill_caches(self, rank: int, world: int) -> str:
        """Before every run: write what is missing of this process's share of caches.

        Returns a line to tell, "" where there is nothing to tell.
        """
        return ""

    def verify_caches(self) -> None:
        """After all processes have filled theirs: compare a few entries.

        Raises:
            InputError: an entry is not what the encoders give.
        """

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Held-out figures on a fixed batch, by name."""
        raise NotImplementedError

    def heavy(self) -> list[nn.Module]:
        """The networks that most time is spent in: what is compiled, where that is asked for."""
        return []

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device


def matching(names: Sequence[str], patterns: Sequence[str], key: str) -> set[str]:
    """The `names` that `patterns` (as for file names) choose; "!" takes some out again.

    Raises:
        InputError: a pattern of the config's `key` matches nothing.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        found = {name for name in names if fnmatchcase(name, pattern.lstrip("!"))}
        if not found:
            raise InputError(f"{key}: no parameter matches {pattern!r}.")
        chosen = chosen - found if pattern.startswith("!") else chosen | found
    return chosen


def choose_trainable(stage: Stage, patterns: tuple[str, ...]) -> dict[str, nn.Parameter]:
    """Freeze all of the model but what `patterns` choose; return what learns, by name.

    What the stage itself adds (its heads) always learns.

    Raises:
        InputError: a pattern matches nothing.
    """
    named = dict(stage.model.named_parameters())
    learning = matching(list(named), patterns, "trainable")
    for name, parameter in named.items():
        parameter.requires_grad_(name in learning)
    chosen = {name: p for name, p in named.items() if name in learning}
    own = {name: p for name, p in stage.named_parameters() if not name.startswith("model.")}
    return chosen | own
