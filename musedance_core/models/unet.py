"""The denoiser: Stable Diffusion's UNet with reference, music, beat and motion (section 3).

Parameter names are those of diffusers' `UNet2DConditionModel`; the modules of stage 2 sit beside
them as `music`, `beat` and `motion`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..config import DynamicsConfig, MusicConfig, ScheduleConfig, UNetConfig
from .beat import BeatModule, BeatTokens
from .conditions import Conditions, ReferenceFeatures, ReferenceKeys
from .layers import Downsample, ResBlock, TimeEmbedding, Upsample
from .motion import MotionModule
from .music import MusicModule, MusicTokens
from .reference_copy import ReferenceCopy, candidates
from .transformer import SpatialTransformer


class Block(nn.Module):
    """One level on the way down, in the middle or up: weights by kind, as diffusers names them."""

    def __init__(self) -> None:
        super().__init__()
        self.resnets = nn.ModuleList()
        self.attentions = nn.ModuleList()
        self.music = nn.ModuleList()
        self.beat = nn.ModuleList()
        self.motion = nn.ModuleList()
        self.downsamplers = nn.ModuleList()
        self.upsamplers = nn.ModuleList()

    def slot(self, i: int, x: Tensor, time: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """The i-th slot of figure 2: `x [(b f) c h w]`, `time [(b f) d]` -> `[(b f) c h w]`."""
        x = self.resnets[i](x, time)
        if i < len(self.attentions):
            x = self.attentions[i](x, conditions, frames)
        if i < len(self.music):
            x = self.music[i](x, conditions.music, conditions.seconds, frames)
        if i < len(self.beat):
            x = self.beat[i](x, conditions.beat, conditions.seconds, frames)
        if i < len(self.motion):
            x = self.motion[i](x, conditions, frames)
        return x


Visit = Callable[[Any, int, Tensor], Tensor]


class UNetBase(nn.Module):
    """What denoiser and ReferenceNet share: the levels, the skips and the way through them."""

    def __init__(
        self, config: UNetConfig, dynamics: DynamicsConfig | None, reader: bool, ops: Any
    ) -> None:
        """`reader` builds ReferenceNet: nothing after the last features that are read."""
        super().__init__()
        self.config, self.dynamics = config, dynamics
        self.reader, self.ops = reader, ops
        self.gradient_checkpointing = False
        self.slots = 0
        channels = config.channels
        self.conv_in = ops.Conv2d(config.latent_channels, channels[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(channels[0], ops)
        self.down_blocks, skips = self._down(channels)
        self.mid_block = Block()
        self._add_layer(self.mid_block, channels[-1], channels[-1], True)
        self._add_resnet(self.mid_block, channels[-1], channels[-1])
        self.up_blocks = self._up(channels, skips)

    def _down(self, channels: tuple[int, ...]) -> tuple[nn.ModuleList, list[int]]:
        blocks, skips, width = nn.ModuleList(), [channels[0]], channels[0]
        for level, c in enumerate(channels):
            block = Block()
            for _ in range(self.config.layers):
                self._add_layer(block, width, c, self.config.attention[level])
                width = c
                skips.append(c)
            if level < len(channels) - 1:
                block.downsamplers.append(Downsample(c, self.ops))
                skips.append(c)
            blocks.append(block)
        return blocks, skips

    def _up(self, channels: tuple[int, ...], skips: list[int]) -> nn.ModuleList:
        blocks, width, skips = nn.ModuleList(), channels[-1], list(skips)
        for level in reversed(range(len(channels))):
            block = Block()
            for i in range(self.config.layers + 1):
                last = level == 0 and i == self.config.layers
                self._add_layer(
                    block,
                    width + skips.pop(),
                    channels[level],
                    self.config.attention[level],
                    read_only=self.reader and last,
                )
                width = channels[level]
            if level > 0:
                block.upsamplers.append(Upsample(width, self.ops))
            blocks.append(block)
        return blocks

    def _add_resnet(self, block: Block, c_in: int, c_out: int) -> None:
        config = self.config
        time_width = config.channels[0] * 4
        block.resnets.append(
            ResBlock(c_in, c_out, time_width, config.norm_groups, config.dropout, self.ops)
        )

    def _add_layer(
        self, block: Block, c_in: int, c_out: int, attention: bool, read_only: bool = False
    ) -> None:
        """Append one slot; the order of these calls numbers the attention slots."""
        self._add_resnet(block, c_in, c_out)
        dynamics, ops = self.dynamics, self.ops
        if attention:
            block.attentions.append(
                SpatialTransformer(self.config, c_out, self.slots, read_only, ops)
            )
            if dynamics is not None and dynamics.music:
                block.music.append(MusicModule(c_out, dynamics.token_width, dynamics.heads, ops))
            if dynamics is not None and dynamics.beat:
                block.beat.append(BeatModule(c_out, dynamics.token_width, dynamics.heads, ops))
        if dynamics is not None and dynamics.motion:
            slot = self.slots if attention else None
            block.motion.append(
                MotionModule(c_out, dynamics, self.config.norm_groups, slot, self.ops)
            )
        self.slots += int(attention)

    def through(self, x: Tensor, time: Tensor, visit: Visit) -> Tensor:
        """`x [(b f) d h w]` through all levels; `visit(block, i, x)` runs slot i of a level."""
        skips = [x]
        for block in cast(Iterable[Block], self.down_blocks):
            for i in range(len(block.resnets)):
                x = visit(block, i, x)
                skips.append(x)
            for down in block.downsamplers:
                x = down(x)
                skips.append(x)
        x = visit(self.mid_block, 0, x)
        x = self.mid_block.resnets[1](x, time)
        for block in cast(Iterable[Block], self.up_blocks):
            for i in range(len(block.resnets)):
                x = visit(block, i, torch.cat([x, skips.pop()], dim=1))
            for up in block.upsamplers:
                x = up(x, skips[-1].shape[-2:])
        return x

    def transformers(self) -> list[SpatialTransformer]:
        """The attention slots in reading order."""
        found = [m for m in self.modules() if isinstance(m, SpatialTransformer)]
        return sorted(found, key=lambda module: module.slot)


class MuseDanceUNet(UNetBase):
    """The denoiser. `dynamics=None` builds stage 1, which knows single frames only.

    `music` is needed by music modules, `schedule` by denoisers that copy from the picture.
    """

    def __init__(
        self,
        config: UNetConfig,
        dynamics: DynamicsConfig | None = None,
        music: MusicConfig | None = None,
        schedule: ScheduleConfig | None = None,
        ops: Any = nn,
    ) -> None:
        super().__init__(config, dynamics, reader=False, ops=ops)
        first = config.channels[0]
        self.copy = None
        if config.copy_reach:
            assert schedule is not None, "copying needs to know the noise schedule"
            self.copy = ReferenceCopy(config, schedule, ops)
        self.conv_norm_out = ops.GroupNorm(config.norm_groups, first, eps=1e-5)
        self.conv_out = ops.Conv2d(first, config.latent_channels, 3, padding=1)
        if dynamics is not None and dynamics.music:
            assert music is not None, "music modules need to know the music encoder"
            self.music_tokens = MusicTokens(music.width, dynamics.token_width, ops)
        if dynamics is not None and dynamics.beat:
            self.beat_tokens = BeatTokens(dynamics.token_width, dynamics.beat_phase, ops)

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Predict v.

        Args:
            x: noisy latents `[b f c h w]`.
            t: timesteps `[b]`, one for all frames of a clip.
            conditions: what drives the clip.

        Returns:
            v-prediction `[b f c h w]`.
        """
        frames = x.shape[1]
        time = repeat(self.time_embedding(t, x.dtype), "b d -> (b f) d", f=frames)

        def visit(block: Any, i: int, x: Tensor) -> Tensor:
            if self.gradient_checkpointing and torch.is_grad_enabled():
                again: Tensor = checkpoint(
                    block.slot, i, x, time, conditions, frames, use_reentrant=False
                )
                return again
            out: Tensor = block.slot(i, x, time, conditions, frames)
            return out

        noisy = rearrange(x, "b f c h w -> (b f) c h w")
        x = self.conv_in(noisy)
        if self.copy is not None and conditions.warped_reference is not None:
            x = x + self.copy.embed_warped(
                conditions.warped_reference, conditions.keep_reference
            ).to(x)
        x = self.through(x, time, visit)
        v = self.conv_out(F.silu(self.conv_norm_out(x)))
        if self.copy is not None and conditions.reference is not None:
            v = self.copy(v, x, noisy, t, time, conditions)
        out: Tensor = rearrange(v, "(b f) c h w -> b f c h w", f=frames)
        return out

    def project_reference(self, features: ReferenceFeatures) -> ReferenceKeys:
        """Keys and values of the picture for every slot: once per segment, used at every step."""
        pairs = [
            transformer.reference_keys(slot)
            for transformer, slot in zip(self.transformers(), features.slots, strict=True)
        ]
        keys, values = tuple(k for k, _ in pairs), tuple(v for _, v in pairs)
        found = None
        if features.shifted_latents is not None:
            found = candidates(features.shifted_latents, self.config.copy_reach)
        return ReferenceKeys(keys, values, found)
