"""Fixtures: a tiny model, its tokenizer and checkpoint, a person, videos of known motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.config import ChoreographerConfig, MuseDanceConfig, RigConfig
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import BONES, INDEX, STANDING
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer, train_tokenizer
from musedance_core.presets import preset

STICKER = preset("sticker")
SIDE = 32
BACKGROUND = 0.2

Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]
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
        rig=RigConfig(size=32, channels=(8, 16), heads=2),
        choreographer=ChoreographerConfig(width=32, layers=1, heads=2, previous=2),
    )


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(["the sticker hops", "it sways to the left"], 300)


@pytest.fixture(scope="session")
def model(config: MuseDanceConfig) -> MuseDance:
    """A model with random weights, none of them zero, as after training."""
    model = MuseDance(config).eval().requires_grad_(False)
    torch.manual_seed(0)
    for p in model.parameters():
        p.copy_(torch.randn(p.shape) * 0.05)
    return model


@pytest.fixture(scope="session")
def written(
    model: MuseDance, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A checkpoint of the model at full precision; tests must not write to it."""
    path = tmp_path_factory.mktemp("written") / "tiny.safetensors"
    save_checkpoint(path, model, tokenizer, PROVENANCE, dtype=None)
    return path


@pytest.fixture(scope="session")
def person() -> tuple[Image.Image, Rig]:
    """A sticker of 96 x 128 pixels: a person with arms spread, and its true joints."""
    shares = STANDING.clone()
    for side, sign in (("right", -1), ("left", 1)):
        shares[INDEX[f"{side}_elbow"]] = torch.tensor([sign * 0.24, 0.74])
        shares[INDEX[f"{side}_wrist"]] = torch.tensor([sign * 0.36, 0.66])
    joints = torch.stack([48 + 100 * shares[:, 0], 118 - 100 * shares[:, 1]], dim=-1)
    picture = Image.new("RGBA", (96, 128))
    draw = ImageDraw.Draw(picture)

    def bone(start: int, end: int, width: int, colour: str) -> None:
        (x, y), (to_x, to_y) = joints[start].tolist(), joints[end].tolist()
        draw.line((x, y, to_x, to_y), fill=colour, width=width)
        for cx, cy in ((x, y), (to_x, to_y)):
            r = width / 2
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=colour)

    for name, (start, end) in BONES.items():
        bone(start, end, 7, "peru" if "arm" in name else "navy")
    bone(INDEX["neck"], INDEX["head_top"], 16, "peru")
    bone(INDEX["pelvis"], INDEX["neck"], 18, "crimson")
    return picture, Rig(picture.size, joints, torch.ones(len(joints)))


def _draw(edge: np.ndarray) -> Tensor:
    columns = torch.arange(SIDE)[None]
    left = torch.from_numpy(np.asarray(edge, dtype=np.float64))[:, None]
    share = (columns + 1 - left).clamp(0, 1) * (left + 8 - columns).clamp(0, 1)
    frames = torch.full((len(edge), 3, SIDE, SIDE), BACKGROUND)
    frames[:, :, 12:20] += (0.9 - BACKGROUND) * share[:, None, None, :].float()
    return frames


def _swing(times: np.ndarray, period: float, first: float) -> np.ndarray:
    return np.asarray(12 - 7 * np.cos(np.pi * (times - first) / period))


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Renders frames `[f 3 32 32]` of a bright square from its left edge `[f]` in pixels.

    Edges are antialiased, so motion by a fraction of a pixel shows.
    """
    return _draw


@pytest.fixture(scope="session")
def swing() -> Swing:
    """Edge positions at `times`: one swing per beat, at rest on beats `first` + k * `period`."""
    return _swing
