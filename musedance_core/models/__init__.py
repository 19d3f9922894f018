"""The whole model of a checkpoint, `MuseDance`, and the values that its networks exchange."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import MuseDanceConfig
from ..geometry import warp_images
from .beat import NULL_BEAT
from .body_warp import BodyWarp, feature_map
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

    `unet`, `reference`, `mask`, `vae`, `text`, `music`, `body` in small models that warp the
    picture, `rig` in those that find its joints, and `choreographer` in those that plan a dance.
    Pictures and frames are in 0..1.
    """

    def __init__(self, config: MuseDanceConfig, ops: Any = nn, autoencoder: bool = True) -> None:
        """Build the networks; without `autoencoder` there is no `vae`, and the host brings one."""
        super().__init__()
        self.config = config
        self.unet = MuseDanceUNet(config.unet, config.dynamics, config.music, config.schedule, ops)
        self.reference = ReferenceNet(config.unet, ops)
        self.mask = MaskEncoder(config.mask, config.vae.latent_channels, ops)
        self.body = None
        if config.unet.copy_body:
            self.body = BodyWarp(config.unet, config.dynamics, config.music, ops)
        self.choreographer = None
        if config.choreographer is not None:
            self.choreographer = Choreographer(
                config.choreographer, config.dynamics, config.text, config.music, ops
            )
        if autoencoder:
            self.vae = build_vae(config.vae, ops)
        self.text = TextEncoder(config.text)
        self.music = MusicEncoder(config.music)
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
        self,
        latents: Tensor,
        part_map: Tensor | None,
        features: ReferenceFeatures,
        text: Tensor,
        audio: ClipAudio,
        keep_map: Tensor | None = None,
        warp: Tensor | None = None,
    ) -> WarpedReference | None:
        """The picture and its features warped to every frame; None in models without `body`.

        Args:
            latents, text, part_map, keep_map: as for `reference_features`.
            features: the result of `reference_features`.
            audio: music and beats of the clip.
            warp: known warps `[b f 2 6]`, as in training; by default `body` predicts them.
        """
        if self.body is None:
            return None
        if warp is None:
            warp = self.predict_warp(latents, part_map, text, audio, keep_map)
        # Warping pixels rather than latents keeps edges sharp at any rotation.
        with torch.no_grad():
            pixels = self.vae.decode(latents)
        warped_latents = self.vae.encode(warp_images(pixels, warp))
        warped_features = warp_images(feature_map(features), warp)
        b = len(latents)
        return WarpedReference(
            warp,
            rearrange(warped_latents, "(b f) c h w -> b f c h w", b=b),
            rearrange(warped_features, "(b f) d h w -> b f d h w", b=b),
            latents,
        )

    def predict_warp(
        self,
        latents: Tensor,
        part_map: Tensor | None,
        text: Tensor,
        audio: ClipAudio,
        keep_map: Tensor | None = None,
    ) -> Tensor:
        """Warps `[b f 2 6]` predicted by `body`; arguments as for `warp_reference`."""
        assert self.body is not None
        # Coverage of each latent cell by the subject; all zeros where no part map is given.
        subject = torch.zeros_like(latents[:, :1])
        if part_map is not None:
            inside = (part_map > 0).to(latents)[:, None]
            subject = F.interpolate(inside, size=latents.shape[-2:], mode="area")
            if keep_map is not None:
                subject = subject * keep_map[:, None, None, None]
        conditions = Conditions(
            text=text,
            music=self.embed_music(audio, self.body),
            beat=self.embed_beats(audio, self.body),
            seconds=audio.seconds,
        )
        warp: Tensor = self.body(torch.cat([latents, subject], dim=1), conditions)
        return warp

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
