"""The choreographer: a diffusion model over dance motions, made of the paper's modules.

One token stands for the poses within a few frames of the clip. Tokens attend to the sentence, to
the music, to the beats, and to each other and the poses before the segment, as the denoiser's
feature maps do with one pixel each (section 3.3). Another noise is another take of the same dance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor, nn

from ..config import ChoreographerConfig, DynamicsConfig, MusicConfig, TextConfig
from ..dance.motion import FEATURES
from .beat import BeatModule, BeatTokens
from .conditions import Conditions, MotionFeatures
from .layers import Attention, FeedForward, TimeEmbedding
from .motion import MotionModule
from .music import MusicModule, MusicTokens

PHRASE_PERIODS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Periods of the phases that a token knows, in beats: half-beats up to phrases of two bars."""


class ChoreographerLayer(nn.Module):
    """Text, music, beats and poses before, then a feed-forward layer that is modulated.

    Modules that `dynamics` switches off are None.
    """

    def __init__(
        self, config: ChoreographerConfig, dynamics: DynamicsConfig, text_width: int, ops: Any = nn
    ) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.text_norm = ops.LayerNorm(width)
        self.text = Attention(width, text_width, heads, ops)
        self.music = MusicModule(width, width, heads, ops) if dynamics.music else None
        self.beat = BeatModule(width, width, heads, ops) if dynamics.beat else None
        self.motion = (
            MotionModule(width, dynamics, config.norm_groups, 0, ops) if dynamics.motion else None
        )
        self.modulation = ops.Linear(width, 2 * width)
        self.ff_norm = ops.LayerNorm(width)
        self.ff = FeedForward(width, config.ff_mult, ops=ops)

    def forward(self, x: Tensor, style: Tensor, conditions: Conditions) -> Tensor:
        """Tokens `x [b f d]`, modulated by `style [b f d]` -> `[b f d]`."""
        frames = x.shape[1]
        x = x + self.text(self.text_norm(x), conditions.text)

        # The paper's modules take feature maps; these have one pixel.
        maps = rearrange(x, "b f d -> (b f) d 1 1")
        if self.music is not None:
            assert conditions.music is not None and conditions.seconds is not None
            maps = self.music(maps, conditions.music, conditions.seconds, frames)
        if self.beat is not None:
            assert conditions.beat is not None and conditions.seconds is not None
            maps = self.beat(maps, conditions.beat, conditions.seconds, frames)
        if self.motion is not None:
            maps = self.motion(maps, conditions, frames)
        x = rearrange(maps, "(b f) d 1 1 -> b f d", f=frames)

        scale, shift = self.modulation(F.silu(style)).chunk(2, dim=-1)
        out: Tensor = x + self.ff(self.ff_norm(x) * (1 + scale) + shift)
        return out


class Choreographer(nn.Module):
    """Predicts v of noisy dance features from text, music, beats and the poses before.

    `mean` and `std [27]` are those of the features in training; the network works on normalised
    ones. Music and beats are embedded in its own projections, `music_tokens` and `beat_tokens`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        config: ChoreographerConfig,
        dynamics: DynamicsConfig,
        text: TextConfig,
        music: MusicConfig,
        ops: Any = nn,
    ) -> None:
        super().__init__()
        self.config = config
        width, token = config.width, config.frames * config.poses * FEATURES
        own = DynamicsConfig(
            token_width=width,
            heads=config.heads,
            motion_attentions=1,
            motion_ff_mult=config.ff_mult,
            music=dynamics.music,
            beat=dynamics.beat,
            motion=dynamics.motion,
        )
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("std", torch.ones(FEATURES))

        # Poses in, with a network of their own for the clean ones before the segment.
        self.pose_in = ops.Linear(token, width)
        self.previous_in = ops.Linear(token, width)

        # Timestep, sentence and beats as one vector per token, which modulates all layers.
        self.time_embedding = TimeEmbedding(width, ops)
        self.time_in = ops.Linear(4 * width, 2 * width)
        self.text_in = ops.Linear(text.width, 2 * width)
        self.beat_in = ops.Linear(config.frames * width, 2 * width) if own.beat else None
        self.style_out = ops.Linear(2 * width, width)

        # Its own projections of music and beats.
        self.music_tokens = MusicTokens(music.width, width, ops) if own.music else None
        self.beat_tokens = BeatTokens(width, True, ops, PHRASE_PERIODS) if own.beat else None

        self.layers = nn.ModuleList(
            [ChoreographerLayer(config, own, text.width, ops) for _ in range(config.layers)]
        )
        self.out_norm = ops.LayerNorm(width)
        self.pose_out = ops.Linear(width, token)

    def normalise(self, features: Tensor) -> Tensor:
        """`DanceMotion.features` `[... 27]` with zero mean and unit variance."""
        return (features - self.mean.to(features)) / self.std.to(features)

    def denormalise(self, features: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return features * self.std.to(features) + self.mean.to(features)

    def encode_previous(self, poses: Tensor) -> MotionFeatures:
        """Tokens of the normalised poses before the segment, `[b k 27]`, as every motion module
        takes them, `[b n 1 d]`."""
        tokens = self.previous_in(self._to_tokens(poses))
        return MotionFeatures((rearrange(tokens, "b n d -> b n 1 d"),))

    def forward(self, noisy: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """v of normalised `noisy [b k 27]`, k poses over the segment, at timesteps `t [b]`.

        `conditions` hold text, music and beats in this network's projections, the `seconds` of the
        clip's frames, and as `previous` the result of `encode_previous`, which samples with a False
        `keep_reference` do not see.
        """
        x = self.pose_in(self._to_tokens(noisy))
        style = self._style(t, conditions)
        x = x + style
        if conditions.seconds is not None:
            conditions = replace(conditions, seconds=conditions.seconds[:: self.config.frames])
        for layer in self.layers:
            x = layer(x, style, conditions)
        out = self.pose_out(self.out_norm(x))
        v: Tensor = rearrange(out, "b n (p d) -> b (n p) d", d=FEATURES)
        return v

    def _style(self, t: Tensor, conditions: Conditions) -> Tensor:
        """Timestep, sentence and the beats of each token's own frames, `[b n d]` or `[b 1 d]`."""
        time = self.time_embedding(t, conditions.text.dtype)
        style = self.time_in(F.silu(time)) + self.text_in(
            reduce(conditions.text, "b l d -> b d", "mean")
        )
        style = style[:, None]
        if self.beat_in is not None:
            assert conditions.beat is not None
            style = style + self.beat_in(
                rearrange(conditions.beat, "b (n f) d -> b n (f d)", f=self.config.frames)
            )
        out: Tensor = self.style_out(F.silu(style))
        return out

    def _to_tokens(self, poses: Tensor) -> Tensor:
        """The poses of each token side by side, `[b n*p 27]` -> `[b n p*27]`."""
        return rearrange(poses, "b (n p) d -> b n (p d)", p=self.config.frames * self.config.poses)
