"""The frozen weights of a stage: their precision, and a check that training left them alone."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from ..stages.base import Stage


class FrozenWeights:
    """The frozen parameters of a stage.

    Attributes:
        parameters: by name.
        originals: copies on the CPU from before `to_bf16`, empty without it.
        digest: SHA-256 of the weights in their original precision.
    """

    def __init__(self, stage: Stage) -> None:
        named = {name: p for name, p in stage.model.named_parameters() if not p.requires_grad}
        self.parameters: dict[str, nn.Parameter] = named
        self.originals: dict[str, Tensor] = {}
        self.digest = self._current_digest = self._compute_digest()

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(p.numel() for p in self.parameters.values())

    def to_bf16(self) -> None:
        """Converts the weights to bf16 to save memory; the exported file gets `originals`."""
        self.originals = {name: p.detach().cpu().clone() for name, p in self.parameters.items()}
        for parameter in self.parameters.values():
            parameter.data = parameter.data.to(torch.bfloat16)
        self._current_digest = self._compute_digest()

    def require_unchanged(self) -> None:
        """Checks that the weights are bit for bit the same as before training.

        Raises:
            AssertionError: they changed.
        """
        unchanged = self._compute_digest() == self._current_digest
        assert unchanged, "frozen weights have changed while training"

    def _compute_digest(self) -> str:
        digest = hashlib.sha256()
        for name, parameter in self.parameters.items():
            value = parameter.detach().cpu().contiguous().reshape(-1)
            digest.update(name.encode())
            digest.update(value.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
