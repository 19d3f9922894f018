"""The entry point of training: from a stage's config to a running `Trainer`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

from torch import Tensor

from ..models import MuseDance
from ..models.tokenizer import Tokenizer
from .config import TrainConfig
from .runtime.initial_model import load_initial_model, write_model
from .runtime.loop import Trainer
from .runtime.validation import ValidationClips
from .stages.base import Stage
from .stages.choreographer import ChoreographerStage
from .stages.diffusion import DiffusionStage
from .stages.music import MusicStage
from .stages.rig import RigStage
from .stages.stage1 import Stage1
from .stages.stage2 import Stage2
from .stages.text import TextStage
from .stages.vae import VaeStage

MakeStage = Callable[[MuseDance, Tokenizer, TrainConfig], Stage]

STAGES: Mapping[str, MakeStage] = {
    "text": TextStage,
    "music": MusicStage,
    "vae": VaeStage,
    "stage1": Stage1,
    "choreographer": ChoreographerStage,
    "stage2": Stage2,
    "rig": RigStage,
}
"""The stages by the names that the command line uses."""


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
