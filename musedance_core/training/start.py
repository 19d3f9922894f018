"""The model a stage starts from, and the file it leaves."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..checkpoint.format import load_checkpoint, save_checkpoint
from ..models import MuseDance, init_weights
from ..models.initialise import copy_unet_to_reference
from ..tokenizer import Tokenizer, train_tokenizer
from ..world.captions import caption
from ..world.choreography import random_dance
from .config import TrainConfig

TOKENIZER_SENTENCES = 20_000


@dataclass(frozen=True)
class Start:
    """A model with its tokenizer and the stages it went through."""

    model: MuseDance
    tokenizer: Tokenizer
    stages: list[dict[str, Any]] = field(default_factory=list)


def start(config: TrainConfig) -> Start:
    """The `init` checkpoint, or fresh weights with a tokenizer trained on captions."""
    torch.manual_seed(config.seed)
    if config.init:
        loaded = load_checkpoint(Path(config.init), device="cpu", dtype=torch.float32)
        stages = list(loaded.provenance.get("stages", []))
        return Start(loaded.model, loaded.tokenizer, stages)
    model = MuseDance(config.model_config())
    init_weights(model)
    copy_unet_to_reference(model.unet, model.reference)
    rng = np.random.default_rng(config.seed)
    sentences = [caption(random_dance(rng), rng) for _ in range(TOKENIZER_SENTENCES)]
    return Start(model, train_tokenizer(sentences, model.config.text.vocab_size))


def hardware() -> str:
    """What a run ran on, in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}"


def write_model(start: Start, part: str, config: TrainConfig, steps: int, minutes: float) -> Path:
    """Write `output_dir/model.safetensors`, with this stage appended to the provenance."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    stage = {
        "part": part,
        "command": " ".join(["python", *sys.argv]),
        "steps": steps,
        "batch": config.batch * world,
        "seed": config.seed,
        "hardware": hardware(),
        "minutes": round(minutes, 1),
    }
    if config.note:
        stage["note"] = config.note
    provenance = {"trained": part == "stage2", "stages": [*start.stages, stage]}
    path = Path(config.output_dir) / "model.safetensors"
    save_checkpoint(path, start.model, start.tokenizer, provenance)
    return path
