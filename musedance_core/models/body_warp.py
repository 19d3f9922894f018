"""The body planner: warps of the reference picture, predicted for every frame of a clip.

Most of a dance is one smooth movement of the whole dancer. A warped picture shows it sharply, which
a network of a few million parameters does not when it denoises from pure noise. `BodyWarp` runs
once per segment and predicts a quadratic warp per frame from picture, text, music and beats: shift,
rotation, scale, shear and bends. The denoiser takes the warped picture as a condition and learns
how far to trust it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import DynamicsConfig, MusicConfig, UNetConfig
from ..geometry import TERM_COUNT, pixel_centres, quadratic_terms, recentre_warp, rotations
from .beat import BeatTokens
from .conditions import Conditions, ReferenceFeatures
from .layers import Attention, FeedForward, seconds_embedding
from .music import MusicTokens

TOKEN_WIDTH, CONV_WIDTH, LAYERS = 192, 64, 2
"""Width of the frame tokens, width of the picture's convolutions, and layers of each."""

WARP_PARAMETERS = 11
"""Inputs of `warp_from_parameters`."""

MAX_LOG_SCALE = 3.0
"""Bound of the logarithm of a scale: between a twentieth and twenty times."""


def warp_from_parameters(parameters: Tensor) -> Tensor:
    """Warps `[b f 2 6]` of shifts (2), log scales (2), shear (1) and bends (6), `[b f 11]`.

    Scales are exponentials, so they stay positive: a mirrored dancer is a rotated one, and on the
    way from one frame to the next none shrinks to nothing.
    """
    shift_x, shift_y, log_x, log_y, shear, *bends = parameters.unbind(-1)
    scale_x, scale_y = (
        (MAX_LOG_SCALE * torch.tanh(log / MAX_LOG_SCALE)).exp() for log in (log_x, log_y)
    )
    rows = (
        (shift_x, scale_x, shear, *bends[:3]),
        (shift_y, torch.zeros_like(scale_y), scale_y, *bends[3:]),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def feature_map(features: ReferenceFeatures) -> Tensor:
    """ReferenceNet's last features as a map `[b d h w]`."""
    last = features.layers[-1]
    return rearrange(last.normed, "b (h w) d -> b d h w", h=last.height, w=last.width)


class BodyWarp(nn.Module):
    """Predicts one warp per frame from picture, text, music and beats."""

    def __init__(
        self, config: UNetConfig, dynamics: DynamicsConfig, music: MusicConfig, ops: Any = nn
    ) -> None:
        super().__init__()
        heads, token_width = config.heads, dynamics.token_width

        def layers(make: Callable[[], nn.Module]) -> nn.ModuleList:
            return nn.ModuleList([make() for _ in range(LAYERS)])

        # Picture encoder.
        self.look_in = ops.Conv2d(config.latent_channels + 1, CONV_WIDTH, 3, padding=1)
        self.look = layers(lambda: ops.Conv2d(CONV_WIDTH, CONV_WIDTH, 3, padding=1))
        self.seen_in = ops.Linear(CONV_WIDTH * TERM_COUNT, TOKEN_WIDTH)
        self.here = ops.Linear(CONV_WIDTH, 1, bias=False)

        # Its own projections of music and beats.
        self.music_tokens = MusicTokens(music.width, token_width, ops) if dynamics.music else None
        self.beat_tokens = (
            BeatTokens(token_width, dynamics.beat_phase, ops) if dynamics.beat else None
        )
        self.beat_in = ops.Linear(token_width, TOKEN_WIDTH) if dynamics.beat else None

        # Layers of text cross-attention, music cross-attention and feed-forward.
        self.text = layers(lambda: Attention(TOKEN_WIDTH, config.text_width, heads, ops))
        self.text_norms = layers(lambda: ops.LayerNorm(TOKEN_WIDTH))
        self.music = self.music_norms = None
        if dynamics.music:
            self.music = layers(lambda: Attention(TOKEN_WIDTH, token_width, heads, ops))
            self.music_norms = layers(lambda: ops.LayerNorm(TOKEN_WIDTH))
        self.ff = layers(lambda: FeedForward(TOKEN_WIDTH, config.ff_mult, ops=ops))
        self.ff_norms = layers(lambda: ops.LayerNorm(TOKEN_WIDTH))

        # Heads.
        self.out_norm = ops.LayerNorm(TOKEN_WIDTH)
        self.out = ops.Linear(TOKEN_WIDTH, WARP_PARAMETERS)
        self.turn = ops.Linear(TOKEN_WIDTH, 3)
        self.upright = ops.Linear(TOKEN_WIDTH, 3)

    def forward(self, picture: Tensor, conditions: Conditions) -> Tensor:
        """Predict the warps `[b f 2 6]` of a clip.

        The rotation is a product of the picture's own orientation and each frame's rotation, so a
        spin is learned once for pictures at any angle. The direction of rotation is a product too:
        the text says clockwise or counter-clockwise, the beats say how far.

        Args:
            picture: latents with the dancer's coverage (0..1) as one more channel, `[b c+1 h w]`.
            conditions: text, music, beat and seconds.
        """
        assert conditions.seconds is not None
        encoded, centre = self.encode_picture(picture)

        # One token per frame, behind one for the picture itself.
        y = encoded[:, None] + seconds_embedding(conditions.seconds, TOKEN_WIDTH).to(encoded)
        if self.beat_in is not None:
            y = y + self.beat_in(conditions.beat)
        y = torch.cat([encoded[:, None], y], dim=1)
        for i in range(LAYERS):
            y = y + self.text[i](self.text_norms[i](y), conditions.text)
            if self.music is not None and self.music_norms is not None:
                assert conditions.music is not None
                y = y + self.music[i](self.music_norms[i](y), conditions.music)
            y = y + self.ff[i](self.ff_norms[i](y))
        y = self.out_norm(y)
        picture_token, y = y[:, :1], y[:, 1:]

        # Rotations: of the picture, and of the frames with the sense of rotation factored out.
        upright, turn = self.upright(picture_token).float(), self.turn(y).float()
        sense = upright[..., 2:] * turn[..., 2:]
        turn = torch.cat([turn[..., :1], turn[..., 1:2] + sense], dim=-1)
        rest = warp_from_parameters(self.out(y).float())
        warp = rotations(upright[..., :2]) @ rotations(turn) @ rest
        return recentre_warp(warp, centre.float()[:, None])

    def encode_picture(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Encode `picture [b c+1 h w]` as one token `[b TOKEN_WIDTH]` and find the dancer's centre,
        `[b 2]` in -1..1.

        The token is made of spatial moments of learned features: how much of each there is, where,
        and how it is spread. The centre is a soft-argmax.
        """
        x = self.look_in(picture)
        for conv in self.look:
            x = x + conv(F.silu(x))
        x = rearrange(F.silu(x), "b d h w -> b d (h w)")
        h, w = picture.shape[-2:]
        points = pixel_centres(h, w, picture.device)
        moments = x @ quadratic_terms(points).to(x) / len(points)
        attention = self.here(x.mT)[..., 0].softmax(dim=-1)
        token = self.seen_in(rearrange(moments, "b d t -> b (d t)"))
        return token, attention @ points.to(attention)
