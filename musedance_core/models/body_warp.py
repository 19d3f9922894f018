"""The picture moved as one body.

Most of a dance is one smooth movement of the whole dancer, and a picture so moved is sharp and
whole, which what a network of a few million numbers makes out of noise is not. `BodyWarp` says,
once per segment and for every frame, where in the picture every point of the frame comes from: a
polynomial of degree two, which shifts, turns, stretches, leans and bends. The denoiser is shown the
picture so moved, and decides what of it to keep.
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

WIDTH, LOOK, ROUNDS = 192, 64, 2

SHAPES = 11
"""Numbers that `shaped` makes a warp of."""
LARGEST = 3.0
"""Bound of the logarithm of a scale."""


def shaped(said: Tensor) -> Tensor:
    """Warps `[b f 2 6]` of `said [b f SHAPES]`: shifts, logarithms of scales, lean and six bends.

    Scales stay positive: what is turned over is turned, and never shrinks to nothing on the way.
    """
    right, down, wide, tall, lean, *bends = said.unbind(-1)
    wide, tall = ((LARGEST * torch.tanh(scale / LARGEST)).exp() for scale in (wide, tall))
    rows = (right, wide, lean, *bends[:3]), (down, torch.zeros_like(tall), tall, *bends[3:])
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def feature_map(features: ReferenceFeatures) -> Tensor:
    """ReferenceNet's last features as a map `[b d h w]`."""
    last = features.slots[-1]
    return rearrange(last.normed, "b (h w) d -> b d h w", h=last.height, w=last.width)


class BodyWarp(nn.Module):
    """A warp per frame, from picture, sentence, beats and music."""

    def __init__(
        self, config: UNetConfig, dynamics: DynamicsConfig, music: MusicConfig, ops: Any = nn
    ) -> None:
        super().__init__()
        heads, width = config.heads, dynamics.token_width
        self.look_in = ops.Conv2d(config.latent_channels + 1, LOOK, 3, padding=1)
        self.look = nn.ModuleList([ops.Conv2d(LOOK, LOOK, 3, padding=1) for _ in range(ROUNDS)])
        self.seen_in = ops.Linear(LOOK * TERM_COUNT, WIDTH)
        self.here = ops.Linear(LOOK, 1, bias=False)
        self.music_tokens = MusicTokens(music.width, width, ops) if dynamics.music else None
        self.beat_tokens = BeatTokens(width, dynamics.beat_phase, ops) if dynamics.beat else None
        self.beat_in = ops.Linear(width, WIDTH) if dynamics.beat else None

        def several(make: Callable[[], nn.Module]) -> nn.ModuleList:
            return nn.ModuleList([make() for _ in range(ROUNDS)])

        self.text = several(lambda: Attention(WIDTH, config.text_width, heads, ops))
        self.text_norms = several(lambda: ops.LayerNorm(WIDTH))
        self.music = self.music_norms = None
        if dynamics.music:
            self.music = several(lambda: Attention(WIDTH, dynamics.token_width, heads, ops))
            self.music_norms = several(lambda: ops.LayerNorm(WIDTH))
        self.ff = several(lambda: FeedForward(WIDTH, config.ff_mult, ops=ops))
        self.ff_norms = several(lambda: ops.LayerNorm(WIDTH))
        self.out_norm = ops.LayerNorm(WIDTH)
        self.out = ops.Linear(WIDTH, SHAPES)
        self.turn = ops.Linear(WIDTH, 3)
        self.upright = ops.Linear(WIDTH, 3)

    def forward(self, picture: Tensor, conditions: Conditions) -> Tensor:
        """Warps `[b f 2 6]`.

        How a frame is turned and how the picture is are said apart, and put together: so a dancer
        who spins needs to be understood only once, whichever way up the picture shows it. So is in
        which sense, which the sentence says, and how far, which the beats say.

        Args:
            picture: latents and, in one more channel, how much of a place is the dancer,
                `[b c+1 h w]`.
            conditions: text, music, beat and seconds.
        """
        assert conditions.seconds is not None
        seen, centre = self.seen(picture)
        y = seen[:, None] + seconds_embedding(conditions.seconds, WIDTH).to(seen)
        if self.beat_in is not None:
            y = y + self.beat_in(conditions.beat)
        y = torch.cat([seen[:, None], y], dim=1)
        for i in range(ROUNDS):
            y = y + self.text[i](self.text_norms[i](y), conditions.text)
            if self.music is not None and self.music_norms is not None:
                assert conditions.music is not None
                y = y + self.music[i](self.music_norms[i](y), conditions.music)
            y = y + self.ff[i](self.ff_norms[i](y))
        y = self.out_norm(y)
        pictured, y = y[:, :1], y[:, 1:]
        upright, turn = self.upright(pictured).float(), self.turn(y).float()
        sense = upright[..., 2:] * turn[..., 2:]
        turn = torch.cat([turn[..., :1], turn[..., 1:2] + sense], dim=-1)
        moved = rotations(upright[..., :2]) @ rotations(turn) @ shaped(self.out(y).float())
        return recentre_warp(moved, centre.float()[:, None])

    def seen(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """What is where in `picture [b c+1 h w]`, as moments of learned features, `[b WIDTH]`, and
        where the dancer's middle is, `[b 2]`."""
        x = self.look_in(picture)
        for conv in self.look:
            x = x + conv(F.silu(x))
        x = rearrange(F.silu(x), "b d h w -> b d (h w)")
        h, w = picture.shape[-2:]
        where = pixel_centres(h, w, picture.device)
        moments = x @ quadratic_terms(where).to(x) / len(where)
        here = self.here(x.mT)[..., 0].softmax(dim=-1)
        return self.seen_in(moments.flatten(1)), here @ where.to(here)
