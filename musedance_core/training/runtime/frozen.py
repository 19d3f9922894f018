"""What does not learn: held in what precision, and proven to be the same after training."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from ..stages.base import Stage


class Frozen:
    """The frozen parameters of a stage, by name; `digest` is the SHA-256 of what they are."""

    def __init__(self, stage: Stage) -> None:
        named = {name: p for name, p in stage.model.named_parameters() if not p.requires_grad}
        self.parameters: dict[str, nn.Parameter] = named
        self.names, self.count = list(named), sum(p.numel() for p in named.values())
        self.originals: dict[str, Tensor] = {}
        self.digest = self.held = self._digest()

    def halve(self) -> None:
        """Hold them in bf16 from now on; `originals` keeps what they were, on the CPU, for the file
        that the stage writes."""
        named = self.parameters
        self.originals = {name: p.detach().cpu().clone() for name, p in named.items()}
        for parameter in named.values():
            parameter.data = parameter.data.to(torch.bfloat16)
        self.held = self._digest()

    def require_unchanged(self) -> None:
        """The promise of a stage: what is frozen stays bit for bit as it was.

        Raises:
            AssertionError: it did not.
        """
        assert self._digest() == self.held, "frozen weights have changed while training"

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name, parameter in self.parameters.items():
            value = parameter.detach().cpu().contiguous().reshape(-1)
            digest.update(name.encode())
            digest.update(value.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
