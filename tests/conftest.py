"""A tiny model, its tokenizer, and a file of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.config import MuseDanceConfig
from musedance_core.models import MuseDance
from musedance_core.presets import preset
from musedance_core.tokenizer import Tokenizer, train_tokenizer

STICKER = preset("sticker")
PROVENANCE = {
    "trained": True,
    "stages": [{"part": "vae", "command": "python train/vae.py x.yaml", "steps": 7, "minutes": 2}],
}


@pytest.fixture(scope="session")
def config() -> MuseDanceConfig:
    return replace(
        STICKER,
        clip=replace(STICKER.clip, size=32, frames=6),
        unet=replace(STICKER.unet, latent_channels=4, channels=(32, 48), heads=2, text_width=32),
        dynamics=replace(STICKER.dynamics, token_width=32, heads=2),
        mask=replace(STICKER.mask, channels=(8, 8, 16, 16)),
        vae=replace(STICKER.vae, latent_channels=4, refiner_width=16, refiner_blocks=1),
        text=replace(STICKER.text, vocab_size=300, width=32, layers=1, heads=2),
        music=replace(STICKER.music, width=32, layers=1, heads=2),
    )


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(["the sticker hops", "it sways to the left"], 300)


@pytest.fixture(scope="session")
def model(config: MuseDanceConfig) -> MuseDance:
    """Weights as after training: nothing is zero."""
    torch.manual_seed(0)
    model = MuseDance(config).eval().requires_grad_(False)
    for p in model.parameters():
        p.copy_(torch.randn(p.shape) * 0.05)
    return model


@pytest.fixture(scope="session")
def written(
    model: MuseDance, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The model in a file at full precision; tests must not write to it."""
    path = tmp_path_factory.mktemp("written") / "tiny.safetensors"
    save_checkpoint(path, model, tokenizer, PROVENANCE, dtype=None)
    return path
