"""The beat alignment module (section 3.3)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from .layers import ConditionedTemporalBlock, seconds_embedding

NO_BEAT, BEAT, NULL_BEAT = 0, 1, 2
"""Beat ids of a frame; the null id stands for a dropped condition, as in classifier-free guidance.
"""


def phase_features(count: Tensor) -> Tensor:
    """Sine and cosine of the phase within the beat and within two beats: `[...]` -> `[... 4]`.

    `count` is the continuous beat count on the song's beat grid, so the two-beat phase
    distinguishes even beats from odd ones.
    """
    beat, pair = count * (2 * math.pi), count * math.pi
    return torch.stack([beat.sin(), beat.cos(), pair.sin(), pair.cos()], dim=-1)


class BeatTokens(nn.Module):
    """Embedding of {no beat, beat, null} per frame, with its time and optionally the beat phase."""

    def __init__(self, token_width: int, phase: bool, ops: Any = nn) -> None:
        super().__init__()
        self.token_width = token_width
        self.lookup = ops.Embedding(3, token_width)
        self.phase = ops.Linear(4, token_width, bias=False) if phase else None

    def forward(self, ids: Tensor, count: Tensor, seconds: Tensor) -> Tensor:
        """Tokens `[b f d]` of `ids [b f]` (0, 1, 2), `count [b f]` and `seconds [f]`.

        Frames with the null id carry no phase, so that a dropped condition carries no information.
        """
        tokens: Tensor = self.lookup(ids)
        tokens = tokens + seconds_embedding(seconds, self.token_width).to(tokens.dtype)
        if self.phase is not None:
            keep = (ids != NULL_BEAT)[..., None]
            tokens = tokens + self.phase((phase_features(count) * keep).to(tokens.dtype))
        return tokens


class BeatModule(ConditionedTemporalBlock):
    """Frames attend to beat tokens, then to each other."""
