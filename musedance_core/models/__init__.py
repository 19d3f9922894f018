"""The whole model of a checkpoint, `MuseDance`, and the values that its networks exchange."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import MuseDanceConfig
from .beat import NULL_BEAT
from .choreographer import Choreographer
from .conditions import (
    ClipAudio,
    Conditions,
    MotionFeatures,
    ReferenceFeatures,
    ReferenceKeys,
    WarpedReference,
)
from .initialise import init_weights
from .mask import MaskEncoder
from .music import MusicEncoder
from .reference import ReferenceNet
from .rig_net import RigNet
from .text import TextEncoder
from .unet import MuseDanceUNet
from .vae import PatchAutoencoder, build_vae

__all__ = [
    "Choreographer",
    "ClipAudio",
    "Conditions",
    "MotionFeatures",
    "MuseDance",
    "MuseDanceUNet",
    "ReferenceFeatures",
    "ReferenceKeys",
    "ReferenceNet",
    "WarpedReference",
    "init_weights",
]


class MuseDance(nn.Module):
    """All networks of a checkpoint, as children named like its parts.

    `unet`, `reference`, `mask`, `vae`, `text`, `music`,
    `rig` in models that find joints, and `choreographer` in those that plan a dance.
    Pictures and frames are in 0..1.
    """

    def __init__(self, config: MuseDanceConfig, ops: Any = nn, autoencoder: bool = True) -> None:
        """Build the networks; without `autoencoder` there is no `vae`, and the host brings one."""
        super().__init__()
        self.config = config
        self.unet = MuseDanceUNet(config.unet, config.dynamics, config.music, config.schedule, ops)
        self.reference = ReferenceNet(config.unet, ops)
        self.mask = MaskEncoder(config.mask, config.vae.latent_channels, ops)
        self.choreographer = None
        if config.choreographer is not None:
            self.choreographer = Choreographer(
                config.choreographer, config.dynamics, config.text, config.music, ops
            )
        if autoencoder:
            self.vae = build_vae(config.vae, ops)
        self.text = TextEncoder(config.text, ops)
        self.music = MusicEncoder(config.music, ops)
        self.rig = None if config.rig is None else RigNet(config.rig, ops)

    def reference_features(
        self, latents: Tensor, text: Tensor, part_map: Tensor | None, keep_map: Tensor | None = None
    ) -> ReferenceFeatures:
        """ReferenceNet's features of the picture with its part map added (equation 1).

        Args:
            latents: latents of the picture, `[b c h w]`.
            text: text tokens `[b 77 d]`.
            part_map: part ids `[b H W]`; None adds nothing.
            keep_map: bool `[b]`; False drops the part map of that sample.
        """
        with_parts = latents
        if part_map is not None:
            added = self.mask(part_map, latents.dtype).to(latents.dtype)
            if keep_map is not None:
                added = added * keep_map[:, None, None, None]
            with_parts = latents + added
        features: ReferenceFeatures = self.reference(with_parts, text)
        shifted = None
        if self.config.unet.copy_reach:
            assert isinstance(self.vae, PatchAutoencoder), "only patches can be shifted"
            with torch.no_grad():
                shifted = self.vae.shifted_latents(latents)
        return replace(features, shifted_latents=shifted)

    def warp_reference(
        self, latents: Tensor, planned: Tensor | None, coverage: Tensor | None
    ) -> WarpedReference | None:
        """The planned frames as the denoiser takes them; None in models that take none.

        Args:
            latents: latents of the picture, `[b c h w]`.
            planned: the picture with the dancer in every pose, `[b f 3 H W]` in 0..1.
            coverage: the dancer's alpha in those frames, `[b f 1 H W]` in 0..1.
        """
        if not self.config.unet.copy_body or planned is None or coverage is None:
            return None
        b = len(planned)
        with torch.no_grad():
            encoded = self.vae.encode(rearrange(planned, "b f c h w -> (b f) c h w"))
        cells = F.interpolate(
            rearrange(coverage, "b f c h w -> (b f) c h w"), size=latents.shape[-2:], mode="area"
        )
        return WarpedReference(
            rearrange(encoded, "(b f) c h w -> b f c h w", b=b).to(latents),
            rearrange(cells, "(b f) c h w -> b f c h w", b=b).to(latents),
            latents,
        )

    def embed_music(self, audio: ClipAudio, network: nn.Module | None = None) -> Tensor | None:
        """Music tokens `[b l d]` in the projection of `network`, by default the denoiser's; zeros
        in samples that drop them, None without music modules."""
        if not self.config.dynamics.music:
            return None
        projection = cast(Any, network or self.unet).music_tokens
        tokens: Tensor = projection(audio.music, audio.music_seconds)
        return tokens if audio.keep is None else tokens * audio.keep[:, None, None]

    def embed_beats(self, audio: ClipAudio, network: nn.Module | None = None) -> Tensor | None:
        """Beat tokens `[b f d]` in the embedding of `network`, by default the denoiser's; the null
        embedding in samples that drop them, None without beat modules."""
        if not self.config.dynamics.beat:
            return None
        ids, embedding = audio.beat_ids, cast(Any, network or self.unet).beat_tokens
        if audio.keep is not None:
            ids = torch.where(audio.keep[:, None], ids, torch.full_like(ids, NULL_BEAT))
        tokens: Tensor = embedding(ids, audio.beat_count, audio.seconds)
        return tokens

    def frame_seconds(self, frames: int, device: torch.device | str = "cpu") -> Tensor:
        """Time of each frame from the clip's start in seconds, `[f]`."""
        return torch.arange(frames, device=device) / self.config.clip.fps
