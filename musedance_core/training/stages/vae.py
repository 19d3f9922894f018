"""Training of the `sticker` patch autoencoder, from the PCA of patches or a trained one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoint.format import read_header
from ...errors import InputError
from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ...models.vae import PatchAutoencoder
from ..config import TrainConfig
from ..data.sources import WorldPictures
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource, Stage, match_names

PCA_PICTURES = 400
PCA_BATCH = 100
PCA_FIRST_INDEX = 10_000_000
"""Training samples have lower indices."""


@dataclass(frozen=True)
class ReconstructionLoss:
    """Weights of the autoencoder's loss."""

    latent_noise: float = 0.05
    """Standard deviation of noise on the latents, since denoised latents are not exact either."""
    squared_error: float = 5.0
    """Weight of the squared error relative to the absolute one."""
    dancer: float = 4.0
    """Weight of the dancer's pixels relative to the background, which is mostly smooth."""
    latent_statistics: float = 0.1
    """Weight of the latents' deviation from mean 0 and standard deviation 1."""


LOSS = ReconstructionLoss()


class VaeStage(Stage):
    """L1 and L2 error of the reconstruction from slightly noisy latents."""

    model: MuseDance
    part = "vae"
    trainable = ("vae.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config = tokenizer, config

    def source(self, split: str) -> SampleSource:
        return WorldPictures(self.model.config, self.config.data, self.tokenizer, split)

    def initialise(self) -> None:
        """
        Raises:
            InputError: the preset's autoencoder is another one.
        """
        autoencoder = self.model.vae
        if not isinstance(autoencoder, PatchAutoencoder):
            raise InputError(
                f"The stage vae trains the patch autoencoder, not that of {self.config.preset}."
            )
        if not self.continues_training():
            autoencoder.fit_pca(self.pca_pictures().to(self.device))

    def pca_pictures(self) -> Tensor:
        """Returns the pictures `[n 3 h w]` whose patches give the PCA."""
        source = self.source("train")
        first = range(PCA_FIRST_INDEX, PCA_FIRST_INDEX + PCA_PICTURES, PCA_BATCH)
        return torch.cat([source(list(range(i, i + PCA_BATCH)))["pictures"] for i in first])

    def continues_training(self) -> bool:
        """Returns whether `init` has a trained autoencoder that `fresh` does not reset."""
        names = list(self.model.state_dict())
        if "vae.to_latent.weight" in match_names(names, self.config.fresh, "fresh"):
            return False
        if not self.config.init:
            return False
        stages = read_header(Path(self.config.init)).provenance.get("stages", [])
        return any(stage["part"] == "vae" for stage in stages)

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        pictures = batch["pictures"]
        latents = self.model.vae.encode(pictures)
        noise = rng.normal(*latents.shape[1:]).to(latents)
        error = self.model.vae.decode(latents + LOSS.latent_noise * noise) - pictures
        drift = latents.mean(dim=(0, 2, 3)).square().mean() + (latents.std() - 1) ** 2
        dancer = (batch["part_map"] > 0)[:, None].to(error)
        weight = 1 + (LOSS.dancer - 1) * dancer
        pixels = error.abs() + LOSS.squared_error * error.square()
        return (weight / weight.mean() * pixels).mean() + LOSS.latent_statistics * drift

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns PSNR in dB of whole pictures and of dancers; mean and deviation of latents."""
        latents = self.model.vae.encode(batch["pictures"])
        error = (self.model.vae.decode(latents) - batch["pictures"]).square().mean(dim=1)
        return {
            "psnr": -10 * torch.log10(error.mean()).item(),
            "psnr_dancer": -10 * torch.log10(error[batch["part_map"] > 0].mean()).item(),
            "latent_mean": latents.mean().item(),
            "latent_std": latents.std().item(),
        }
