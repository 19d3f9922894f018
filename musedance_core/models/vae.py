"""The autoencoders: Stable Diffusion's, and a small one on patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import VAEConfig
from ..errors import InputError

PIXELS_PER_BATCH = 8 * 640**2
"""Bound of the memory of a call; Stable Diffusion's autoencoder takes gigabytes for this many."""


def run_in_batches(run: Callable[[Tensor], Tensor], inputs: Tensor, size: int) -> Tensor:
    """Apply `run`, an autoencoder's `encode` or `decode`, to `inputs [b c h w]` in batches that
    bound the memory, for pictures of `size` x `size` pixels."""
    batches = torch.split(inputs, max(1, PIXELS_PER_BATCH // size**2))
    return torch.cat([run(batch) for batch in batches])


class Refiner(nn.Module):
    """Residual convolutional block whose output starts at zero."""

    def __init__(self, width: int, ops: Any = nn) -> None:
        super().__init__()
        self.norm = ops.GroupNorm(8, width)
        self.conv1 = ops.Conv2d(width, width, 3, padding=1)
        self.conv2 = ops.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`x [b width h w]` -> the same shape."""
        out: Tensor = x + self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))
        return out


class PatchAutoencoder(nn.Module):
    """Principal components of square patches, corrected by small convolutional networks.

    A patch is r x r pixels, r the config's `reduction`. The networks work on patches and on
    quarters of patches and remove the seams. Latents have unit variance on average over the
    channels. All channels share one scale, so large components, such as colours, stay large and
    are denoised before details.
    """

    def __init__(self, config: VAEConfig, ops: Any = nn) -> None:
        super().__init__()
        c, width, blocks = config.latent_channels, config.refiner_width, config.refiner_blocks
        # `fine` is the side of a quarter patch, the resolution of the pixel-side networks.
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
        patches = rearrange(F.pixel_unshuffle(x, self.patch), "b d h w -> b h w d")
        linear = rearrange(self.to_latent(patches), "b h w c -> b c h w")
        y = self.encoder_in(F.pixel_unshuffle(x, self.fine))
        for refiner in self.encoder:
            y = refiner(y)
        latents: Tensor = linear + self.encoder_out(y)
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """`latents [b c h w]` -> images `[b 3 r*h r*w]` in 0..1."""
        patches = self.to_patch(rearrange(latents, "b c h w -> b h w c"))
        linear = F.pixel_shuffle(rearrange(patches, "b h w d -> b d h w"), self.patch)
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
        """Latents of the decoded picture at offsets of `1 / fineness` of a patch.

        `latents [b c h w]` -> `[b c fineness*h fineness*w]`. The entry at (y, x) encodes the patch
        whose corner lies y and x times r / fineness pixels from the picture's. Beyond its edge the
        picture repeats its last pixels.
        """
        pictures, step = self.decode(latents), self.patch // fineness
        h, w = pictures.shape[-2:]
        padded = F.pad(pictures, (0, self.patch, 0, self.patch), mode="replicate")
        offsets = range(0, self.patch, step)
        shifted = torch.stack([padded[..., y : y + h, x : x + w] for y in offsets for x in offsets])
        encoded = self.encode(rearrange(shifted, "n b c h w -> (n b) c h w"))
        return rearrange(encoded, "(dy dx b) c h w -> b c (h dy) (w dx)", dy=fineness, dx=fineness)

    @torch.no_grad()
    def fit_pca(self, images: Tensor) -> None:
        """Initialise with the principal components of `images [b 3 h w]`.

        The convolutional networks start at zero output, and latents have unit variance on average
        over the channels.

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
        for output in (self.encoder_out, self.decoder_out):
            nn.init.zeros_(output.weight)
            nn.init.zeros_(output.bias)
        for module in self.modules():
            if isinstance(module, Refiner):
                nn.init.zeros_(module.conv2.weight)
                nn.init.zeros_(module.conv2.bias)


class DiffusersAutoencoder(nn.Module):
    """Stable Diffusion's AutoencoderKL with the same two methods and its own parameter names.

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
        """`images [b 3 h w]` in 0..1 -> scaled latents `[b c h/8 w/8]`, the mode of the
        posterior."""
        latents: Tensor = self.kl.encode(images * 2 - 1).latent_dist.mode()
        return latents * self.config.scale

    def decode(self, latents: Tensor) -> Tensor:
        """Scaled `latents [b c h w]` -> images `[b 3 8h 8w]` in 0..1."""
        images: Tensor = self.kl.decode(latents / self.config.scale).sample
        return (images / 2 + 0.5).clamp(0, 1)


def build_vae(config: VAEConfig, ops: Any = nn) -> PatchAutoencoder | DiffusersAutoencoder:
    """Build the autoencoder of `config.kind`, "patch" or "kl"."""
    if config.kind == "patch":
        return PatchAutoencoder(config, ops)
    return DiffusersAutoencoder(config)
