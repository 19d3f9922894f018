"""What the scripts in `train/` share: read the config, build the stage, run the loop."""

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
from .runtime.loop import Progress, Trainer
from .runtime.start import start, write_model
from .runtime.validation import ValidationClips
from .stages.base import Stage
from .stages.diffusion import DiffusionStage

MakeStage = Callable[[MuseDance, Tokenizer, TrainConfig], Stage]


def train(make: MakeStage, config: TrainConfig) -> Progress:
    """Run one stage; `output_dir/model.safetensors` holds the result.

    Raises:
        InputError: something given cannot be used, or the run cannot go on.
    """
    begin = start(config)
    stage = make(begin.model, begin.tokenizer, config)

    def export(steps: int, minutes: float, originals: Mapping[str, Tensor]) -> None:
        write_model(begin, stage.part, config, steps, minutes, originals)

    validate = None
    if isinstance(stage, DiffusionStage) and config.validate_clips:
        validate = ValidationClips(begin.model, begin.tokenizer, config)
    trainer = Trainer(stage, config, export, validate)
    if config.init:
        for line in begin.handover.lines(config.init):
            trainer.journal.say(line)
    return trainer.run()


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
