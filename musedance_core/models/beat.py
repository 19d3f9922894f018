"""The beat alignment module (section 3.3)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from .layers import ConditionedTemporalBlock, seconds_embedding

NO_BEAT, BEAT, NULL_BEAT = 0, 1, 2


def phase_features(count: Tensor) -> Tensor:
    """Sine and cosine of the phase in the beat and in the pair of beats: `[...]` -> `[... 4]`.

    `count` is the continuous beat count on the whole song's grid, so the pair says the parity.
    """
    beat, pair = count * (2 * math.pi), count * math.pi
    return torch.stack([beat.sin(), beat.cos(), pair.sin(), pair.cos()], dim=-1)


class BeatTokens(nn.Module):
    """A lookup of {no beat, beat, null} per frame with its time and, where asked, its phase."""

    def __init__(self, token_width: int, phase: bool, ops: Any = nn) -> None:
        super().__init__()
        self.token_width = token_width
        self.lookup = ops.Embedding(3, token_width)
        self.phase = ops.Linear(4, token_width, bias=False) if phase else None

    def forward(self, ids: Tensor, count: Tensor, seconds: Tensor) -> Tensor:
        """Tokens `[b f d]` of `ids [b f]` (0, 1, 2), `count [b f]` and `seconds [f]`.

        A frame whose id is NULL_BEAT has no phase either: that is how beats are dropped.
        """
        tokens: Tensor = self.lookup(ids)
        tokens = tokens + seconds_embedding(seconds, self.token_width).to(tokens.dtype)
        if self.phase is not None:
            heard = (ids != NULL_BEAT)[..., None]
            tokens = tokens + self.phase((phase_features(count) * heard).to(tokens.dtype))
        return tokens


class BeatModule(ConditionedTemporalBlock):
    """Frames listen to beat tokens, then to each other."""
