"""Shared by all measurements: arguments, the device, models with random weights, inputs."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image

from musedance_core.audio.beats import regular_grid
from musedance_core.config import MuseDanceConfig
from musedance_core.diffusion.segment import SegmentInput, SongFeatures
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.parts import SUBJECT
from musedance_core.presets import preset

from .findings import Findings

STICKER = "assets/sticker-chick.png"
BPM = 120.0
MEL_RATE = 100


@dataclass(frozen=True)
class Job:
    """One measurement: where to write, how long it may take, at what size, and where to compute."""

    findings: Findings
    seconds: float
    toy: bool
    out: Path

    @property
    def device(self) -> torch.device:
        """The GPU; the CPU where there is none, which only a toy run accepts."""
        if torch.cuda.is_available():
            return torch.device("cuda")
        if not self.toy:
            raise InputError("This machine has no CUDA device; --toy runs on a CPU.")
        return torch.device("cpu")


def job(part: str, parser: argparse.ArgumentParser | None = None) -> tuple[Job, argparse.Namespace]:
    """The job that the command line asks for, and the arguments of `parser`."""
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--toy", action="store_true")
    args = parser.parse_args()
    # Products in single precision stay in single precision.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return Job(Findings(args.out, part), args.seconds, args.toy, args.out), args


def sd15_config(toy: bool) -> MuseDanceConfig:
    """`sd15`, or the same plan with narrow layers and small pictures."""
    config = preset("sd15")
    if not toy:
        return config
    return replace(
        config,
        clip=replace(config.clip, size=128, frames=6),
        unet=replace(config.unet, channels=(32, 64, 64, 64), norm_groups=16),
        vae=replace(config.vae, channels=(32, 32, 32, 32)),
        text=replace(config.text, layers=1),
        music=replace(config.music, layers=1),
    )


def with_frames(config: MuseDanceConfig, frames: int) -> MuseDanceConfig:
    """The same model for clips of `frames` frames."""
    return replace(config, clip=replace(config.clip, frames=frames))


def random_model(config: MuseDanceConfig, device: torch.device, dtype: torch.dtype) -> MuseDance:
    """Random weights, made on `device`; without an autoencoder where diffusers is missing.

    Torch's own initialisation, under which no weight is zero: zeros are faster than real weights.
    """
    torch.manual_seed(0)
    with torch.device(device):
        try:
            model = MuseDance(config)
        except InputError:
            model = MuseDance(config, autoencoder=False)
    return model.to(device=device, dtype=dtype).eval().requires_grad_(False)


def chick(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A sticker on white, `[3 size size]` in 0..1, and its part map `[size size]`."""
    with Image.open(STICKER) as file:
        sticker = file.convert("RGBA").resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(sticker)).float() / 255
    colours, alpha = rearrange(pixels, "h w c -> c h w").split((3, 1))
    return colours * alpha + 1 - alpha, (alpha[0] > 0.5).long() * SUBJECT


def segment_input(model: MuseDance, seconds: float, text: torch.Tensor) -> SegmentInput:
    """The chick, as latents where the model has the small autoencoder and as noise otherwise; a
    random song with regular beats."""
    config, like = model.config, next(model.unet.parameters())
    side = config.clip.size // config.vae.reduction
    generator = torch.Generator().manual_seed(1)
    picture, part_map = chick(config.clip.size)
    if config.vae.kind == "patch":
        with torch.no_grad():
            reference = model.vae.encode(picture[None].to(like))
    else:
        shape = (1, config.unet.latent_channels, side, side)
        reference = torch.randn(shape, generator=generator).to(like)
    mel = torch.randn(math.ceil(seconds) * MEL_RATE, config.music.mel_bins, generator=generator)
    return SegmentInput(
        reference=reference,
        previous=reference.expand(config.clip.previous, -1, -1, -1),
        text=text,
        song=SongFeatures(mel * 3 - 4, regular_grid(BPM, 0.1, seconds)),
        part_map=part_map[None].to(like.device),
    )


def token_ids(config: MuseDanceConfig, b: int) -> torch.Tensor:
    """Random token ids `[b 77]`."""
    generator = torch.Generator().manual_seed(2)
    shape = (b, config.text.max_tokens)
    return torch.randint(config.text.vocab_size - 2, shape, generator=generator)


def training_batch(config: MuseDanceConfig, b: int, frames: int) -> dict[str, torch.Tensor]:
    """A batch of stage 2 with cached latents, as from a data set with `cache: true`."""
    generator = torch.Generator().manual_seed(3)
    side, size = config.clip.size // config.vae.reduction, config.clip.size
    picture = (config.unet.latent_channels, side, side)
    count = torch.arange(frames)[None].repeat(b, 1) * BPM / 60 / config.clip.fps
    part_map = chick(size)[1].repeat(b, 1, 1)
    return {
        "frames_latents": torch.randn(b, frames, *picture, generator=generator),
        "previous_latents": torch.randn(b, config.clip.previous, *picture, generator=generator),
        "reference_latents": torch.randn(b, *picture, generator=generator),
        "target_latents": torch.randn(b, *picture, generator=generator),
        "part_map": part_map,
        "has_map": torch.ones(b, dtype=torch.bool),
        "mel": torch.randn(b, config.music.length, config.music.mel_bins, generator=generator),
        "beat_ids": (count % 1 == 0).long(),
        "beat_count": count,
        "ids": token_ids(config, b),
    }
