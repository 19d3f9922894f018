"""The entry point of the training scripts: from a stage's config to a running `Trainer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from ..errors import InputError
from ..models import MuseDance
from ..models.tokenizer import Tokenizer
from .config import TrainConfig
from .config_file import load_config
from .runtime.initial_model import load_initial_model, write_model
from .runtime.loop import Progress, Trainer
from .runtime.validation import ValidationClips
from .stages.base import Stage
from .stages.diffusion import DiffusionStage

MakeStage = Callable[[MuseDance, Tokenizer, TrainConfig], Stage]


def train(make: MakeStage, config: TrainConfig) -> Progress:
    """Trains one stage; the result is `output_dir/model.safetensors`.

    Raises:
        InputError: a file or value of the config cannot be used, or the run cannot go on.
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
    return trainer.train()


def main(make: MakeStage, doc: str, argv: Sequence[str] | None = None) -> None:
    """`SCRIPT CONFIG.yaml key=value ...`; exits with code 2 on bad input, 130 on Ctrl+C."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="a YAML file of train/configs")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="e.g. optim.lr=1e-4")
    arguments = parser.parse_args(argv)
    try:
        train(make, load_config(arguments.config, arguments.overrides))
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
