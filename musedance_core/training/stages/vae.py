"""The patch autoencoder of `sticker`: starts at the PCA of patches, then learns to refine.

One that `init` brings trained goes on from where it is."""

from __future__ import annotations

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
from .base import Batch, SampleSource, Stage, matching

PCA_PICTURES = 2000
PCA_CHUNK = 100
PCA_STREAM = 10_000_000
LATENT_NOISE = 0.05
SPREAD_WEIGHT = 0.1
DANCER_WEIGHT = 4.0


class VaeStage(Stage):
    """L1 + MSE of the round trip through slightly noisy latents, which keep their mean and size.

    Dancers weigh more than what is around them, which is mostly smooth.
    """

    part = "vae"
    trainable = ("vae.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config = tokenizer, config

    def source(self, split: str) -> SampleSource:
        return WorldPictures(self.model.config, self.config.data, self.tokenizer, split)

    def sample(self) -> Tensor:
        """A few thousand training pictures."""
        source = self.source("train")
        first = range(PCA_STREAM, PCA_STREAM + PCA_PICTURES, PCA_CHUNK)
        return torch.cat([source(list(range(i, i + PCA_CHUNK)))["pictures"] for i in first])

    def prepare(self) -> None:
        autoencoder = self.model.vae
        if not isinstance(autoencoder, PatchAutoencoder):
            raise InputError("train/vae.py trains the patch autoencoder; the preset has another.")
        if not self.goes_on():
            autoencoder.fit_pca(self.sample().to(self.device))

    def goes_on(self) -> bool:
        """Whether `init` has an autoencoder that was trained, and it is to be kept."""
        names = list(self.model.state_dict())
        if "vae.to_latent.weight" in matching(names, self.config.fresh, "fresh"):
            return False
        if not self.config.init:
            return False
        stages = read_header(Path(self.config.init)).provenance.get("stages", [])
        return any(stage["part"] == "vae" for stage in stages)

    def forward(self, batch: Batch, draws: StepRandom) -> Tensor:
        pictures = batch["pictures"]
        latents = self.model.vae.encode(pictures)
        noise = draws.normal(*latents.shape[1:]).to(latents)
        error = self.model.vae.decode(latents + LATENT_NOISE * noise) - pictures
        drift = latents.mean(dim=(0, 2, 3)).square().mean() + (latents.std() - 1) ** 2
        dancer = (batch["part_map"] > 0)[:, None].to(error)
        weight = 1 + (DANCER_WEIGHT - 1) * dancer
        loss = (weight / weight.mean() * (error.abs() + 5 * error.square())).mean()
        return loss + SPREAD_WEIGHT * drift

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Round-trip PSNR in dB, that of dancers alone, and mean and spread of the latents."""
        latents = self.model.vae.encode(batch["pictures"])
        error = (self.model.vae.decode(latents) - batch["pictures"]).square().mean(dim=1)
        return {
            "psnr": -10 * torch.log10(error.mean()).item(),
            "psnr_dancer": -10 * torch.log10(error[batch["part_map"] > 0].mean()).item(),
            "latent_mean": latents.mean().item(),
            "latent_std": latents.std().item(),
        }
