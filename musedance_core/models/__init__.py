"""The model: what a checkpoint holds, one child per part."""

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
from .text import TextEncoder
from .unet import MuseDanceUNet
from .vae import PatchAutoencoder, build_vae

__all__ = [
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
    """All parts of one checkpoint: `unet`, `reference`, `mask`, `vae`, `text`, `music`, and `body`
    where the denoiser is small.

    Pictures and frames are in 0..1, latents come from `vae.encode`, text from `text`, music from
    `music.encode_clip`. `conditions` joins them into what the denoiser listens to.
    """

    def __init__(self, config: MuseDanceConfig, ops: Any = nn, autoencoder: bool = True) -> None:
        """Without `autoencoder` there is no `vae`: a host brings its own."""
        super().__init__()
        self.config = config
        self.unet = MuseDanceUNet(config.unet, config.dynamics, config.music, config.schedule, ops)
        self.reference = ReferenceNet(config.unet, ops)
        self.mask = MaskEncoder(config.mask, config.vae.latent_channels, ops)
        self.body = None
        if config.unet.copy_body:
            self.body = BodyWarp(config.unet, config.dynamics, config.music, ops)
        if autoencoder:
            self.vae = build_vae(config.vae, ops)
        self.text = TextEncoder(config.text)
        self.music = MusicEncoder(config.music)

    def reference_features(
        self, latents: Tensor, text: Tensor, part_map: Tensor | None, keep_map: Tensor | None = None
    ) -> ReferenceFeatures:
        """ReferenceNet's features of the picture with its part map added (equation 1).

        Args:
            latents: `[b c h w]`.
            text: `[b 77 d]`.
            part_map: ids `[b H W]`, or None for no contribution at all.
            keep_map: bool `[b]`; False leaves the map out for that sample.
        """
        mapped = latents
        if part_map is not None:
            added = self.mask(part_map, latents.dtype).to(latents.dtype)
            if keep_map is not None:
                added = added * keep_map[:, None, None, None]
            mapped = latents + added
        features: ReferenceFeatures = self.reference(mapped, text)
        shifted = None
        if self.config.unet.copy_reach:
            assert isinstance(self.vae, PatchAutoencoder), "only patches give views"
            with torch.no_grad():
                shifted = self.vae.shifted_latents(latents)
        return replace(features, shifted_latents=shifted)

    def warp_reference(
        self,
        latents: Tensor,
        part_map: Tensor | None,
        features: ReferenceFeatures,
        text: Tensor,
        heard: ClipAudio,
        keep_map: Tensor | None = None,
        warp: Tensor | None = None,
    ) -> WarpedReference | None:
        """The picture moved as one body, or None where the model has no `body` to say how.

        Args:
            latents, part_map, text, keep_map: as in `reference_features`.
            features: its result.
            heard: the clip's music and beats.
            warp: by what to move it, `[b f 2 6]`, where that is known; otherwise `body` says it.
        """
        if self.body is None:
            return None
        if warp is None:
            warp = self.predict_warp(latents, part_map, text, heard, keep_map)
        with torch.no_grad():
            pixels = self.vae.decode(latents)
        moved, said = (
            self.vae.encode(warp_images(pixels, warp)),
            warp_images(feature_map(features), warp),
        )
        b = len(latents)
        return WarpedReference(
            warp,
            rearrange(moved, "(b f) c h w -> b f c h w", b=b),
            rearrange(said, "(b f) d h w -> b f d h w", b=b),
            latents,
        )

    def predict_warp(
        self,
        latents: Tensor,
        part_map: Tensor | None,
        text: Tensor,
        heard: ClipAudio,
        keep_map: Tensor | None = None,
    ) -> Tensor:
        """By what warps `[b f 2 6]` the dancer moves; arguments as in `warp_reference`."""
        assert self.body is not None
        subject = torch.zeros_like(latents[:, :1])
        if part_map is not None:
            inside = (part_map > 0).to(latents)[:, None]
            subject = F.interpolate(inside, size=latents.shape[-2:], mode="area")
            if keep_map is not None:
                subject = subject * keep_map[:, None, None, None]
        conditions = Conditions(
            text=text,
            music=self.embed_music(heard, self.body),
            beat=self.embed_beats(heard, self.body),
            seconds=heard.seconds,
        )
        warp: Tensor = self.body(torch.cat([latents, subject], dim=1), conditions)
        return warp

    def embed_music(self, heard: ClipAudio, by: nn.Module | None = None) -> Tensor | None:
        """Music tokens `[b l d]` for the denoiser or for `by`; zeros where they are not kept."""
        if not self.config.dynamics.music:
            return None
        network = cast(Any, by or self.unet)
        tokens: Tensor = network.music_tokens(heard.music, heard.music_seconds)
        return tokens if heard.keep is None else tokens * heard.keep[:, None, None]

    def embed_beats(self, heard: ClipAudio, by: nn.Module | None = None) -> Tensor | None:
        """Beat tokens `[b f d]` for the denoiser or for `by`; of samples that are not kept the null
        row."""
        if not self.config.dynamics.beat:
            return None
        ids, network = heard.beat_ids, cast(Any, by or self.unet)
        if heard.keep is not None:
            ids = torch.where(heard.keep[:, None], ids, torch.full_like(ids, NULL_BEAT))
        tokens: Tensor = network.beat_tokens(ids, heard.beat_count, heard.seconds)
        return tokens

    def frame_seconds(self, frames: int, device: torch.device | str = "cpu") -> Tensor:
        """Time of every frame from the clip's start, `[f]`."""
        return torch.arange(frames, device=device) / self.config.clip.fps
