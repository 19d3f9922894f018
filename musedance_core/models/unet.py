"""The denoising UNet: Stable Diffusion's with reference, music, beat and motion (section 3).

    noisy latents -> conv_in -> down_blocks -> mid_block -> up_blocks -> conv_out -> v

Every level repeats one layer, the one in the paper's figure 2:

    ResBlock                the timestep
    SpatialTransformer      self-attention over [own, reference], text, feed-forward    (stage 1)
    MusicModule             cross-attention to music tokens, attention over time        (stage 2)
    BeatModule              cross-attention to beat tokens, attention over time         (stage 2)
    MotionModule            attention over [previous frames, own frames]                (stage 2)

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


class UNetBlock(nn.Module):
    """One level of the UNet: its layers by kind of module, and the resampling at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.resnets = nn.ModuleList()
        self.attentions = nn.ModuleList()
        self.music = nn.ModuleList()
        self.beat = nn.ModuleList()
        self.motion = nn.ModuleList()
        self.downsamplers = nn.ModuleList()
        self.upsamplers = nn.ModuleList()

    def layer(self, i: int, x: Tensor, time: Tensor, conditions: Conditions, frames: int) -> Tensor:
        """Layer `i`: `x [(b f) c h w]`, `time [(b f) d]` -> `[(b f) c h w]`.

        The lowest level of Stable Diffusion has no attention, and stage 1 none of the last three.
        """
        # Stage 1, frame by frame: appearance and text.
        x = self.resnets[i](x, time)
        if i < len(self.attentions):
            x = self.attentions[i](x, conditions, frames)

        # Stage 2, across frames: music, beats, and continuity with the previous frames.
        if i < len(self.music):
            x = self.music[i](x, conditions.music, conditions.seconds, frames)
        if i < len(self.beat):
            x = self.beat[i](x, conditions.beat, conditions.seconds, frames)
        if i < len(self.motion):
            x = self.motion[i](x, conditions, frames)
        return x


RunLayer = Callable[[Any, int, Tensor], Tensor]


class UNetBackbone(nn.Module):
    """Shared UNet backbone of denoiser and ReferenceNet."""

    def __init__(
        self, config: UNetConfig, dynamics: DynamicsConfig | None, features_only: bool, ops: Any
    ) -> None:
        """Build the levels; `features_only` leaves out what follows the last features
        (ReferenceNet)."""
        super().__init__()
        self.config, self.dynamics = config, dynamics
        self.features_only, self.ops = features_only, ops
        self.gradient_checkpointing = False
        self.attention_count = 0
        channels = config.channels
        self.conv_in = ops.Conv2d(config.latent_channels, channels[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(channels[0], ops)
        self.down_blocks, skips = self._build_down_blocks(channels)
        self.mid_block = UNetBlock()
        self._append_layer(self.mid_block, channels[-1], channels[-1], attention=True)
        self._append_resnet(self.mid_block, channels[-1], channels[-1])
        self.up_blocks = self._build_up_blocks(channels, skips)

    def run_blocks(self, x: Tensor, time: Tensor, run_layer: RunLayer) -> Tensor:
        """Run `x [(b f) d h w]` down, through the middle and up, with skip connections.

        `run_layer(block, i, x)` runs layer `i` of a level: denoiser and ReferenceNet differ there.
        """
        skips = [x]
        for block in cast(Iterable[UNetBlock], self.down_blocks):
            for i in range(len(block.resnets)):
                x = run_layer(block, i, x)
                skips.append(x)
            for downsample in block.downsamplers:
                x = downsample(x)
                skips.append(x)

        x = run_layer(self.mid_block, 0, x)
        x = self.mid_block.resnets[1](x, time)

        for block in cast(Iterable[UNetBlock], self.up_blocks):
            for i in range(len(block.resnets)):
                x = run_layer(block, i, torch.cat([x, skips.pop()], dim=1))
            for upsample in block.upsamplers:
                x = upsample(x, skips[-1].shape[-2:])  # restores odd sizes
        return x

    def transformers(self) -> list[SpatialTransformer]:
        """The attention layers from input to output, which is the order of reference features."""
        layers = [m for m in self.modules() if isinstance(m, SpatialTransformer)]
        return sorted(layers, key=lambda module: module.index)

    def _build_down_blocks(self, channels: tuple[int, ...]) -> tuple[nn.ModuleList, list[int]]:
        """Encoder levels, and the channels of their skip connections."""
        blocks, skips, width = nn.ModuleList(), [channels[0]], channels[0]
        for level, c in enumerate(channels):
            block = UNetBlock()
            for _ in range(self.config.layers):
                self._append_layer(block, width, c, self.config.attention[level])
                width = c
                skips.append(c)
            if level < len(channels) - 1:
                block.downsamplers.append(Downsample(c, self.ops))
                skips.append(c)
            blocks.append(block)
        return blocks, skips

    def _build_up_blocks(self, channels: tuple[int, ...], skips: list[int]) -> nn.ModuleList:
        """Decoder levels, with one layer more than the encoder's; each layer takes one skip."""
        blocks, width, skips = nn.ModuleList(), channels[-1], list(skips)
        for level in reversed(range(len(channels))):
            block = UNetBlock()
            for i in range(self.config.layers + 1):
                last = level == 0 and i == self.config.layers
                self._append_layer(
                    block,
                    width + skips.pop(),
                    channels[level],
                    self.config.attention[level],
                    features_only=self.features_only and last,
                )
                width = channels[level]
            if level > 0:
                block.upsamplers.append(Upsample(width, self.ops))
            blocks.append(block)
        return blocks

    def _append_resnet(self, block: UNetBlock, c_in: int, c_out: int) -> None:
        config = self.config
        time_width = config.channels[0] * 4
        block.resnets.append(
            ResBlock(c_in, c_out, time_width, config.norm_groups, config.dropout, self.ops)
        )

    def _append_layer(
        self,
        block: UNetBlock,
        c_in: int,
        c_out: int,
        attention: bool,
        features_only: bool = False,
    ) -> None:
        """Append one layer; the order of these calls numbers the attention layers."""
        self._append_resnet(block, c_in, c_out)
        dynamics, ops, index = self.dynamics, self.ops, self.attention_count
        if attention:
            block.attentions.append(
                SpatialTransformer(self.config, c_out, index, features_only, ops)
            )
            if dynamics is not None and dynamics.music:
                block.music.append(MusicModule(c_out, dynamics.token_width, dynamics.heads, ops))
            if dynamics is not None and dynamics.beat:
                block.beat.append(BeatModule(c_out, dynamics.token_width, dynamics.heads, ops))
            self.attention_count += 1
        # As in AnimateDiff, every layer has a motion module, with attention or without.
        if dynamics is not None and dynamics.motion:
            groups = self.config.norm_groups
            block.motion.append(
                MotionModule(c_out, dynamics, groups, index if attention else None, ops)
            )


class MuseDanceUNet(UNetBackbone):
    """The denoiser. Without `dynamics` it is the model of stage 1: frames are independent.

    `music` is needed with music modules, `schedule` by denoisers that copy from the picture.
    """

    def __init__(
        self,
        config: UNetConfig,
        dynamics: DynamicsConfig | None = None,
        music: MusicConfig | None = None,
        schedule: ScheduleConfig | None = None,
        ops: Any = nn,
    ) -> None:
        super().__init__(config, dynamics, features_only=False, ops=ops)
        first = config.channels[0]
        self.copy = None
        if config.copy_reach:
            assert schedule is not None, "copying needs the noise schedule"
            self.copy = ReferenceCopy(config, schedule, ops)
        self.conv_norm_out = ops.GroupNorm(config.norm_groups, first, eps=1e-5)
        self.conv_out = ops.Conv2d(first, config.latent_channels, 3, padding=1)
        if dynamics is not None and dynamics.music:
            assert music is not None, "music modules need the config of the music encoder"
            self.music_tokens = MusicTokens(music.width, dynamics.token_width, ops)
        if dynamics is not None and dynamics.beat:
            self.beat_tokens = BeatTokens(dynamics.token_width, dynamics.beat_phase, ops)

    def forward(self, x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Predict v.

        Args:
            x: noisy latents `[b f c h w]`.
            t: timesteps `[b]`, one for all frames of a clip.
            conditions: conditions of the clip.

        Returns:
            v-prediction `[b f c h w]`.
        """
        frames = x.shape[1]
        # Convolutions and spatial attention take the frames as part of the batch.
        noisy = rearrange(x, "b f c h w -> (b f) c h w")
        time = repeat(self.time_embedding(t, x.dtype), "b d -> (b f) d", f=frames)

        def run_layer(block: Any, i: int, x: Tensor) -> Tensor:
            arguments = (i, x, time, conditions, frames)
            if self.gradient_checkpointing and torch.is_grad_enabled():
                out: Tensor = checkpoint(block.layer, *arguments, use_reentrant=False)
            else:
                out = block.layer(*arguments)
            return out

        h = self.conv_in(noisy)
        if self.copy is not None and conditions.warped_reference is not None:
            h = h + self.copy.embed_warped(
                conditions.warped_reference, conditions.keep_reference
            ).to(h)
        h = self.run_blocks(h, time, run_layer)
        v = self.conv_out(F.silu(self.conv_norm_out(h)))
        if self.copy is not None and conditions.reference is not None:
            v = self.copy(v, h, noisy, t, time, conditions)
        out: Tensor = rearrange(v, "(b f) c h w -> b f c h w", f=frames)
        return out

    def project_reference(self, features: ReferenceFeatures) -> ReferenceKeys:
        """Keys and values of the reference for every attention layer.

        They depend on neither timestep nor frame: once per segment, for all denoising steps.
        """
        pairs = [
            transformer.reference_keys(layer)
            for transformer, layer in zip(self.transformers(), features.layers, strict=True)
        ]
        keys, values = tuple(k for k, _ in pairs), tuple(v for _, v in pairs)
        copies = None
        if features.shifted_latents is not None:
            copies = candidates(features.shifted_latents, self.config.copy_reach)
        return ReferenceKeys(keys, values, copies)
