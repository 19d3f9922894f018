"""A tiny model and fixed batches, so that training tests take seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile
from torch import Tensor

from musedance_core.config import MuseDanceConfig
from musedance_core.dataset.format import ClipRecord, write_metadata
from musedance_core.dataset.reading import content_hash
from musedance_core.media.video import write_video
from musedance_core.models import MuseDance, init_weights
from musedance_core.models.initialise import copy_unet_to_reference
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, LossConfig, OptimConfig, TrainConfig
from musedance_core.training.stages.base import Batch

FRAMES, SIZE = 6, 32
KEEP_ALL = LossConfig(drop_text=0.0, drop_reference=0.0, drop_all=0.0, drop_map=0.0)


@pytest.fixture
def config(config: MuseDanceConfig) -> MuseDanceConfig:
    """The tiny model with a single level."""
    return replace(config, unet=replace(config.unet, channels=(32,), attention=(True,)))


@pytest.fixture
def model(config: MuseDanceConfig) -> MuseDance:
    """Fresh weights, with an autoencoder that works."""
    torch.manual_seed(0)
    model = MuseDance(config)
    init_weights(model)
    copy_unet_to_reference(model.unet, model.reference)
    pictures = moving_square().flatten(0, 1).repeat(4, 1, 1, 1)
    model.vae.fit_pca(pictures + torch.rand(pictures.shape) / 9)
    return model


def moving_square() -> Tensor:
    """A bright square that moves over a dark gradient, `[1 f 3 h w]`."""
    rows = torch.linspace(0.1, 0.4, SIZE)[:, None].expand(SIZE, SIZE)
    frames = rows.repeat(1, FRAMES, 3, 1, 1)
    for k in range(FRAMES):
        frames[0, k, 0, 10:22, 3 * k : 3 * k + 12] = 0.9
        frames[0, k, 1, 10:22, 3 * k : 3 * k + 12] = 0.7
    return frames


@pytest.fixture
def clip(tokenizer: Tokenizer) -> Batch:
    """A batch for either stage that holds one clip."""
    frames = moving_square()
    generator = torch.Generator().manual_seed(5)
    count = torch.arange(FRAMES)[None] / 3.0
    part_map = (frames[:, 0, 0] > 0.8).long() * 25
    return {
        "frames": frames,
        "previous": frames[:, :1].repeat(1, 2, 1, 1, 1),
        "reference": frames[:, 0],
        "target": frames[:, 2],
        "planned": frames + 0.05 * torch.randn(frames.shape, generator=generator),
        "coverage": (frames[:, :, :1] > 0.8).float(),
        "part_map": part_map,
        "has_map": torch.tensor([True]),
        "mel": torch.randn(1, 1024, 64, generator=generator) - 5,
        "beat_ids": (count % 1 == 0).long(),
        "beat_count": count,
        "ids": tokenizer.encode(["the sticker hops"]),
    }


@pytest.fixture
def run_config(tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        output_dir=str(tmp_path / "run"),
        batch=1,
        max_steps=6,
        checkpoint_every=3,
        log_every=3,
        evaluate_every=100,
        evaluate_batch=0,
        trackers=(),
        loss=KEEP_ALL,
        optim=OptimConfig(lr=2e-3, warmup=10, schedule="constant", ema=0.9, weight_decay=0.0),
        data=DataConfig(workers=0),
    )


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven clips of ten frames from four songs, five of them to train on."""
    folder = tmp_path_factory.mktemp("dataset")
    for name in ("clips", "tracks", "maps"):
        (folder / name).mkdir()
    splits = ["train"] * 5 + ["validation", "test"]
    write_metadata(folder, [recorded(folder, i, split) for i, split in enumerate(splits)])
    return folder


def recorded(folder: Path, number: int, split: str) -> ClipRecord:
    """One clip with its track; even ones have part maps. Clips 0 and 1 share a song."""
    rng = np.random.default_rng(number)
    source = max(number - 1, 0)
    shades = torch.linspace(0.1, 0.9, 10)[:, None, None, None].expand(10, 3, SIZE, SIZE)
    frames = shades * torch.from_numpy(rng.uniform(0.3, 1, (1, 3, 1, 1))).float()
    write_video(folder / f"clips/{number}.mp4", [frames], 12)
    sound = np.random.default_rng(source).normal(0, 3000, 16_000 * 4).astype(np.int16)
    for name in (f"clips/{number}.wav", f"tracks/{source}.wav"):
        wavfile.write(folder / name, 16_000, sound)
    if number % 2 == 0:
        ids = np.zeros((10, SIZE, SIZE), np.uint8)
        ids[:, 8:24, 8:24] = 1 + number
        np.savez_compressed(folder / f"maps/{number}.npz", ids=ids)
    return ClipRecord(
        file_name=f"clips/{number}.mp4",
        audio=f"clips/{number}.wav",
        track=f"tracks/{source}.wav",
        start=0.5 + 0.25 * number,
        frames=10,
        fps=12,
        width=SIZE,
        height=SIZE,
        text=f"it hops {number} times",
        source=f"video-{source}.mp4",
        track_id=f"song-{source}",
        split=split,
        tempo=120.0,
        beats=tuple(0.1 + 0.5 * k for k in range(8)),
        downbeats=(0.1, 2.1),
        part_maps=f"maps/{number}.npz" if number % 2 == 0 else "",
        motion=0.1,
        subject=(0.0, 0.0, 1.0, 1.0),
        content=content_hash(folder / f"clips/{number}.mp4", folder / f"tracks/{source}.wav"),
    )


@pytest.fixture
def enliven() -> Callable[[MuseDance], None]:
    """Makes a model as it is after stage 1: no layer of the spatial half is zero any more."""
    return _enlivened


def _enlivened(model: MuseDance) -> None:
    torch.manual_seed(3)
    for name, p in model.named_parameters():
        if name.startswith(("unet", "reference", "mask")) and not any(
            part in name for part in (".music.", ".beat.", ".motion.")
        ):
            p.data.add_(torch.randn_like(p) * 0.02)
