"""The beat alignment module (section 3.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .layers import ConditionedTemporalBlock, seconds_embedding

NO_BEAT, BEAT, NULL_BEAT = 0, 1, 2
"""Beat ids of a frame; the null id stands for a dropped condition, as in classifier-free guidance.
"""


BEAT_PERIODS = (1.0, 2.0)
"""Periods of the phases that frames know, in beats: of the beat, and of even and odd beats."""


def phase_features(count: Tensor, periods: Sequence[float] = BEAT_PERIODS) -> Tensor:
    """Sine and cosine of the phase within each of `periods` beats: `[...]` -> `[... 2p]`.

    `count` is the continuous beat count on the song's beat grid, so the phase within two beats
    distinguishes even beats from odd ones.
    """
    angles = [count * (2 * math.pi / period) for period in periods]
    return torch.stack([f for angle in angles for f in (angle.sin(), angle.cos())], dim=-1)


class BeatTokens(nn.Module):
    """Embedding of {no beat, beat, null} per frame, with its time and optionally the phase within
    each of `periods` beats."""

    def __init__(
        self,
        token_width: int,
        phase: bool,
        ops: Any = nn,
        periods: Sequence[float] = BEAT_PERIODS,
    ) -> None:
        super().__init__()
        self.token_width, self.periods = token_width, tuple(periods)
        self.lookup = ops.Embedding(3, token_width)
        self.phase = ops.Linear(2 * len(periods), token_width, bias=False) if phase else None

    def forward(self, ids: Tensor, count: Tensor, seconds: Tensor) -> Tensor:
        """Tokens `[b f d]` of `ids [b f]` (0, 1, 2), `count [b f]` and `seconds [f]`.

        Frames with the null id carry no phase, so that a dropped condition carries no information.
        """
        tokens: Tensor = self.lookup(ids)
        tokens = tokens + seconds_embedding(seconds, self.token_width).to(tokens.dtype)
        if self.phase is not None:
            keep = (ids != NULL_BEAT)[..., None]
            tokens = tokens + self.phase(
                (phase_features(count, self.periods) * keep).to(tokens.dtype)
            )
        return tokens


class BeatModule(ConditionedTemporalBlock):
    """Frames attend to beat tokens, then to each other."""
