"""The music understanding module and its encoder (section 3.3)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from ..config import MusicConfig
from .layers import ConditionedTemporalBlock, seconds_embedding
from .spectrogram_transformer import SpectrogramTransformer

MEL_FRAME_SECONDS = 0.010
"""Hop of the log-mel spectrogram that AST takes."""


class MusicEncoder(nn.Module):
    """The Audio Spectrogram Transformer; frozen when the denoiser is trained."""

    def __init__(self, config: MusicConfig, ops: Any = nn) -> None:
        super().__init__()
        self.config = config
        self.ast = SpectrogramTransformer(config, ops)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel `[b length mel_bins]`, not normalised -> token grid `[b rows columns d]`."""
        normalised = (mel - self.config.mean) / (2 * self.config.std)
        # AST orders its tokens by frequency, then time, behind two special tokens.
        tokens = self.ast(normalised)[:, 2:]
        grid: Tensor = rearrange(tokens, "b (r c) d -> b r c d", r=self.config.rows)
        return grid

    def encode_clip(self, mel: Tensor, clip_seconds: float) -> tuple[Tensor, Tensor]:
        """Features of a clip of `clip_seconds` in the middle of the window `mel`.

        Returns:
            tokens `[b l d]` and the time of each from the clip's start in seconds, `[l]`.
        """
        inside, seconds = clip_columns(self.config, clip_seconds)
        tokens = rearrange(self(mel)[:, :, inside.to(mel.device)], "b r c d -> b (r c) d")
        return tokens, seconds.to(mel.device)


def clip_columns(config: MusicConfig, clip_seconds: float) -> tuple[Tensor, Tensor]:
    """AST time columns within a centred clip, bool `[columns]`, and the times `[l]` of all their
    tokens in seconds from the clip's start."""
    seconds = column_seconds(config, clip_seconds)
    inside = (seconds >= 0) & (seconds < clip_seconds)
    return inside, seconds[inside].repeat(config.rows)


def column_seconds(config: MusicConfig, clip_seconds: float) -> Tensor:
    """Centre of each AST time column in seconds from the start of a centred clip, `[columns]`."""
    centre = torch.arange(config.columns) * config.time_stride + config.patch / 2
    return centre * MEL_FRAME_SECONDS - (config.length * MEL_FRAME_SECONDS - clip_seconds) / 2


class MusicTokens(nn.Module):
    """Projection of AST features to the width of the cross-attention, plus the tokens' times."""

    def __init__(self, music_width: int, token_width: int, ops: Any = nn) -> None:
        super().__init__()
        self.token_width = token_width
        self.proj = ops.Linear(music_width, token_width)
        self.norm = ops.LayerNorm(token_width)

    def forward(self, features: Tensor, seconds: Tensor) -> Tensor:
        """`features [b l d]`, `seconds [l]` from the clip's start -> `[b l token_width]`."""
        times = seconds_embedding(seconds, self.token_width).to(features.dtype)
        tokens: Tensor = self.norm(self.proj(features)) + times
        return tokens


class MusicModule(ConditionedTemporalBlock):
    """Frames attend to music tokens, then to each other."""
