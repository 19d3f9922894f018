"""The model: what a checkpoint holds, one child per part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..config import MuseDanceConfig
from .beat import NULL
from .conditions import Conditions, MotionFeatures, ReferenceFeatures, ReferenceKeys
from .initialise import init_weights
from .mask import MaskEncoder
from .music import MusicEncoder
from .reference import ReferenceNet
from .text import TextEncoder
from .unet import MuseDanceUNet
from .vae import PatchAutoencoder, build_vae

__all__ = [
    "Conditions",
    "MotionFeatures",
    "MuseDance",
    "MuseDanceUNet",
    "ReferenceFeatures",
    "ReferenceKeys",
    "ReferenceNet",
    "init_weights",
]


class MuseDance(nn.Module):
    """All parts of one checkpoint: `unet`, `reference`, `mask`, `vae`, `text`, `music`.

    Pictures and frames are in 0..1, latents come from `vae.encode`, text from `text`, music from
    `music.over_clip`. `conditions` joins them into what the denoiser listens to.
    """

    def __init__(self, config: MuseDanceConfig, ops: Any = nn, autoencoder: bool = True) -> None:
        """Without `autoencoder` there is no `vae`: a host brings its own."""
        super().__init__()
        self.config = config
        self.unet = MuseDanceUNet(config.unet, config.dynamics, config.music, config.schedule, ops)
        self.reference = ReferenceNet(config.unet, ops)
        self.mask = MaskEncoder(config.mask, config.vae.latent_channels, ops)
        if autoencoder:
            self.vae = build_vae(config.vae, ops)
        self.text = TextEncoder(config.text)
        self.music = MusicEncoder(config.music)

    def picture_features(
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
            added = self.mask(part_map).to(latents.dtype)
            if keep_map is not None:
                added = added * keep_map[:, None, None, None]
            mapped = latents + added
        features: ReferenceFeatures = self.reference(mapped, text)
        views = None
        if self.config.unet.copy_reach:
            assert isinstance(self.vae, PatchAutoencoder), "only patches give views"
            with torch.no_grad():
                views = self.vae.views(latents)
        return replace(features, views=views)

    def timed_music(self, features: Tensor, seconds: Tensor, keep: Tensor | None) -> Tensor | None:
        """Music tokens `[b l d]`; `keep [b]` bool silences samples."""
        if not self.config.dynamics.music:
            return None
        tokens: Tensor = self.unet.music_tokens(features, seconds)
        return tokens if keep is None else tokens * keep[:, None, None]

    def timed_beats(
        self, ids: Tensor, count: Tensor, seconds: Tensor, keep: Tensor | None
    ) -> Tensor | None:
        """Beat tokens `[b f d]`; samples that `keep [b]` does not keep get the null row."""
        if not self.config.dynamics.beat:
            return None
        if keep is not None:
            ids = torch.where(keep[:, None], ids, torch.full_like(ids, NULL))
        tokens: Tensor = self.unet.beat_tokens(ids, count, seconds)
        return tokens

    def frame_seconds(self, frames: int, device: torch.device | str = "cpu") -> Tensor:
        """Time of every frame from the clip's start, `[f]`."""
        return torch.arange(frames, device=device) / self.config.clip.fps
