"""The entry point of training: from a stage's config to a running `Trainer`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ..audio.beat_network import BeatNetwork, load_beat_network, save_beat_network
from ..models import MuseDance
from ..models.tokenizer import Tokenizer
from .config import TrainConfig
from .runtime.initial_model import load_initial_model, write_model
from .runtime.loop import MODEL, Trainer
from .runtime.provenance import stage_provenance
from .runtime.validation import ValidationClips
from .stages.base import Stage
from .stages.beats import BeatStage
from .stages.choreographer import ChoreographerStage
from .stages.diffusion import DiffusionStage
from .stages.music import MusicStage
from .stages.rig import RigStage
from .stages.stage1 import Stage1
from .stages.stage2 import Stage2
from .stages.text import TextStage
from .stages.vae import VaeStage

MakeStage = Callable[[MuseDance, Tokenizer, TrainConfig], Stage]


def train(make: MakeStage, config: TrainConfig) -> signal.Signals | None:
    """Trains one stage; the result is `output_dir/model.safetensors`.

    Returns:
        SIGTERM if it ended the run early, once the last step is saved; else None.

    Raises:
        InputError: a file or value of the config cannot be used, or the run cannot go on.
        KeyboardInterrupt: after Ctrl+C, once the last step is saved.
    """
    initial = load_initial_model(config)
    stage = make(initial.model, initial.tokenizer, config)

    def export(steps: int, minutes: float, originals: Mapping[str, Tensor]) -> None:
        write_model(initial, stage.part, config, steps, minutes, originals)

    validate = None
    if isinstance(stage, DiffusionStage) and config.validate_clips:
        validate = ValidationClips(initial.model, initial.tokenizer, config)
    trainer = Trainer(stage, config, export, validate)
    if config.init:
        for line in initial.report.lines(config.init):
            trainer.logger.info(line)
    trainer.train()
    return signal.SIGTERM if trainer.stop.terminated else None


def train_beats(config: TrainConfig) -> signal.Signals | None:
    """Trains the beat tracker's network, which is no part of a dance model, as `train` does.

    Raises:
        InputError: a file or value of the config cannot be used, or the run cannot go on.
        KeyboardInterrupt: after Ctrl+C, once the last step is saved.
    """
    torch.manual_seed(config.seed)
    network = load_beat_network(config.init) if config.init else BeatNetwork()

    def export(steps: int, minutes: float, originals: Mapping[str, Tensor]) -> None:
        entry = stage_provenance(BeatStage.part, config, steps, minutes)
        save_beat_network(Path(config.output_dir) / MODEL, network, entry)

    trainer = Trainer(BeatStage(network, config), config, export)
    trainer.train()
    return signal.SIGTERM if trainer.stop.terminated else None


Train = Callable[[TrainConfig], signal.Signals | None]

STAGES: Mapping[str, Train] = {
    "beats": train_beats,
    "text": partial(train, TextStage),
    "music": partial(train, MusicStage),
    "vae": partial(train, VaeStage),
    "stage1": partial(train, Stage1),
    "choreographer": partial(train, ChoreographerStage),
    "stage2": partial(train, Stage2),
    "rig": partial(train, RigStage),
}
"""The stages by the names that the command line uses."""
