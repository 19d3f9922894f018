"""Pictures to latents and back: Stable Diffusion's autoencoder, or a small one on patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import VAEConfig
from ..errors import InputError

AT_ONCE = 8 * 640**2
"""Pixels that are encoded or decoded together: Stable Diffusion's autoencoder takes gigabytes."""


def run_in_batches(run: Callable[[Tensor], Tensor], given: Tensor, size: int) -> Tensor:
    """An autoencoder's `encode` or `decode` of `given [b c h w]`, some at a time, where pictures
    are `size` x `size` pixels."""
    pieces = torch.split(given, max(1, AT_ONCE // size**2))
    return torch.cat([run(piece) for piece in pieces])


class Refiner(nn.Module):
    """A residual convolutional block; silent until trained."""

    def __init__(self, width: int, ops: Any = nn) -> None:
        super().__init__()
        self.norm = ops.GroupNorm(8, width)
        self.conv1 = ops.Conv2d(width, width, 3, padding=1)
        self.conv2 = ops.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))
        return out


class PatchAutoencoder(nn.Module):
    """Linear maps of square patches that start as their principal components, then convolutions.

    A patch is r x r pixels, r the config's `reduction`. Refiners work on patches and on quarters of
    them, and undo the seams between them. Latents have unit variance on average over channels; one
    scale for all of them keeps what matters to the eye large, so that colours are denoised before
    details.
    """

    def __init__(self, config: VAEConfig, ops: Any = nn) -> None:
        super().__init__()
        c, width, blocks = config.latent_channels, config.refiner_width, config.refiner_blocks
        self.config, self.patch, self.fine = config, config.reduction, config.reduction // 2
        whole, fine = 3 * self.patch**2, 3 * self.fine**2
        self.to_latent = ops.Linear(whole, c)
        self.to_patch = ops.Linear(c, whole)
        self.encoder_in = ops.Conv2d(fine, width, 3, padding=1)
        self.encoder = nn.ModuleList([Refiner(width, ops) for _ in range(blocks)])
        self.encoder_out = ops.Conv2d(width, c, 2, stride=2)
        self.latent_in = ops.Conv2d(c, width * 2, 3, padding=1)
        self.latent = nn.ModuleList([Refiner(width * 2, ops) for _ in range(blocks)])
        self.decoder_in = ops.Conv2d(fine + width // 2, width, 3, padding=1)
        self.decoder = nn.ModuleList([Refiner(width, ops) for _ in range(blocks)])
        self.decoder_out = ops.Conv2d(width, fine, 3, padding=1)

    def encode(self, images: Tensor) -> Tensor:
        """`images [b 3 h w]` in 0..1 (h, w multiples of r) -> latents `[b c h/r w/r]`."""
        x = images * 2 - 1
        linear = self.to_latent(F.pixel_unshuffle(x, self.patch).movedim(1, -1)).movedim(-1, 1)
        y = self.encoder_in(F.pixel_unshuffle(x, self.fine))
        for refiner in self.encoder:
            y = refiner(y)
        latents: Tensor = linear + self.encoder_out(y)
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """`latents [b c h w]` -> images `[b 3 r*h r*w]` in 0..1."""
        linear = F.pixel_shuffle(self.to_patch(latents.movedim(1, -1)).movedim(-1, 1), self.patch)
        y = self.latent_in(latents)
        for refiner in self.latent:
            y = refiner(y)
        y = torch.cat([F.pixel_unshuffle(linear, self.fine), F.pixel_shuffle(y, 2)], dim=1)
        y = self.decoder_in(y)
        for refiner in self.decoder:
            y = refiner(y)
        x = linear + F.pixel_shuffle(self.decoder_out(y), self.fine)
        return (x / 2 + 0.5).clamp(0, 1)

    def shifted_latents(self, latents: Tensor, fineness: int = 4) -> Tensor:
        """Latents of the decoded picture cut into patches at every offset of a patch / `fineness`.

        `latents [b c h w]` -> `[b c fineness*h fineness*w]`: the entry at (y, x) is the patch that
        begins y, x times r / fineness pixels from the corner. Beyond its edge the picture goes on
        as it ends.
        """
        pictures, step = self.decode(latents), self.patch // fineness
        h, w = pictures.shape[-2:]
        wide = F.pad(pictures, (0, self.patch, 0, self.patch), mode="replicate")
        offsets = range(0, self.patch, step)
        moved = torch.stack([wide[..., y : y + h, x : x + w] for y in offsets for x in offsets])
        shifted = self.encode(rearrange(moved, "n b c h w -> (n b) c h w"))
        return rearrange(shifted, "(dy dx b) c h w -> b c (h dy) (w dx)", dy=fineness, dx=fineness)

    @torch.no_grad()
    def fit_pca(self, images: Tensor) -> None:
        """Start training: principal components of `images [b 3 h w]`, refiners silent.

        Latents then have unit variance on average over channels.

        Raises:
            ValueError: the pictures are too few or too alike for that many components.
        """
        patches = rearrange(F.pixel_unshuffle(images * 2 - 1, self.patch), "b d h w -> (b h w) d")
        mean = patches.mean(dim=0)
        _, vectors = torch.linalg.eigh(torch.cov(patches.T))
        basis = vectors.flip(1).T[: self.config.latent_channels]
        spread = ((patches - mean) @ basis.T).std(dim=0)
        if not spread.min() > 1e-4:
            raise ValueError(
                f"{len(images)} pictures do not vary in {self.config.latent_channels} directions"
            )
        scale = spread.square().mean().sqrt()
        self.to_latent.weight.copy_(basis / scale)
        self.to_latent.bias.copy_(-(basis / scale) @ mean)
        self.to_patch.weight.copy_((basis * scale).T)
        self.to_patch.bias.copy_(mean)
        for silent in (self.encoder_out, self.decoder_out):
            nn.init.zeros_(silent.weight)
            nn.init.zeros_(silent.bias)
        for module in self.modules():
            if isinstance(module, Refiner):
                nn.init.zeros_(module.conv2.weight)
                nn.init.zeros_(module.conv2.bias)


class DiffusersAutoencoder(nn.Module):
    """Stable Diffusion's AutoencoderKL behind the same two methods; parameter names unchanged.

    Raises:
        InputError: diffusers is not installed.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        try:
            from diffusers import AutoencoderKL
        except ImportError as error:
            raise InputError("This model needs diffusers: pip install diffusers.") from error

        self.config = config
        levels = len(config.channels)
        self.kl = AutoencoderKL(
            block_out_channels=config.channels,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            layers_per_block=2,
            latent_channels=config.latent_channels,
        )

    def encode(self, images: Tensor) -> Tensor:
        """`images [b 3 h w]` in 0..1 -> the mode of the latents `[b c h/8 w/8]`, scaled."""
        latents: Tensor = self.kl.encode(images * 2 - 1).latent_dist.mode()
        return latents * self.config.scale

    def decode(self, latents: Tensor) -> Tensor:
        """`latents [b c h w]`, scaled -> images `[b 3 8h 8w]` in 0..1."""
        images: Tensor = self.kl.decode(latents / self.config.scale).sample
        return (images / 2 + 0.5).clamp(0, 1)


def build_vae(config: VAEConfig, ops: Any = nn) -> PatchAutoencoder | DiffusersAutoencoder:
    """The autoencoder that `config.kind` names."""
    if config.kind == "patch":
        return PatchAutoencoder(config, ops)
    return DiffusersAutoencoder(config)
