"""`musedance train STAGE`: one stage of training, or the judges of evaluation."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..evaluation.judges.options import NETWORKS, JudgesTraining
from . import argtypes
from .command import Command, Parser, Subcommands, fill

SUMMARY = "train one stage of a model"
DESCRIPTION = """\
Train one stage of a model, or the judges that score generated clips of the sticker world.

For several processes or GPUs, launch the script of the same name in a checkout instead:
`accelerate launch train/stage2.py CONFIG ...`. train/README.md is the guide.
"""
STAGE_DESCRIPTION = """\
Train {about}.

The result is output_dir/model.safetensors. An interrupted run goes on where it stopped when the
same command is run again.

CONFIG is a YAML file, and key=value replaces one of its values. In a checkout of the repository a
file of train/configs can be named from anywhere, as {example}; an installed
package holds no configs, so copy one from the repository.
"""
STAGES: Mapping[str, str] = {
    "beats": "the beat tracker's network on scores with exact beats",
    "text": "the text encoder on captions",
    "music": "the music encoder on exact labels",
    "vae": "the patch autoencoder",
    "stage1": "denoiser, ReferenceNet and mask encoder on single frames",
    "choreographer": "the choreographer on the world's dances, as poses (small models)",
    "stage2": "the music, beat and motion modules on clips",
    "rig": "the network that finds joints and parts in a picture (small models)",
}
CONFIGS = Path(__file__).parents[2] / "train" / "configs"
"""The configs of a checkout; an installed package has none."""


@dataclass(frozen=True)
class TrainOptions:
    """The stage, its YAML file, and `key=value` texts that replace values of the file."""

    stage: str
    config: str
    overrides: tuple[str, ...]


def add_to(commands: Subcommands[Parser]) -> None:
    """Add `train` with its stages to the list of commands of a parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "train", help=SUMMARY, description=DESCRIPTION, formatter_class=raw
    )
    stages = parser.add_subparsers(title="stages", metavar="STAGE", required=True)
    for stage, about in STAGES.items():
        _stage_command(stage, about).add_to(stages)
    JUDGES.add_to(stages)


def _stage_command(stage: str, about: str) -> Command[TrainOptions]:
    with_smoke = ("beats", "stage1", "choreographer", "stage2", "rig")
    preset = "smoke" if stage in with_smoke else "sticker"
    return Command(
        stage,
        f"train {about}",
        STAGE_DESCRIPTION.format(about=about, example=f"{preset}/{stage}.yaml"),
        _add_config,
        partial(_options, stage),
        run,
        interrupted="Stopped; run again to go on.",
        shares_machine=False,
        memory_hint="close other programs, or try a smaller batch with a larger accumulate",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a YAML file, or one of train/configs")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="such as optim.lr=1e-4")


def _options(stage: str, arguments: argparse.Namespace) -> TrainOptions:
    return TrainOptions(stage, find_config(arguments.config), tuple(arguments.overrides))


def find_config(name: str) -> str:
    """The path `name` itself, or that file of a checkout's train/configs where there is none."""
    in_checkout = CONFIGS / name
    return str(in_checkout) if not Path(name).is_file() and in_checkout.is_file() else name


def run(options: TrainOptions) -> int:
    """Train; returns 128 + the signal's number where SIGTERM ended the run early.

    Raises:
        InputError: the config or something that it names cannot be used, or training diverged.
    """
    from ..training.config_file import load_config
    from ..training.entry import STAGES as runs

    signal = runs[options.stage](load_config(options.config, options.overrides))
    return 0 if signal is None else 128 + signal


def _add_judges(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    defaults = JudgesTraining(Path(), "")
    add("output", metavar="OUTPUT.safetensors", type=Path, help="the file to write")
    add("--name", required=True, help="a name that no other judges have")
    add(
        "--networks",
        nargs="+",
        choices=NETWORKS,
        default=NETWORKS,
        help="train these (default: all), and take the others from --base",
    )
    add("--base", type=Path, metavar="FILE", help="judges with the networks that are not trained")
    add("--seed", type=argtypes.seed, default=defaults.seed, help="of data and order")
    numbers: tuple[tuple[str, str], ...] = (
        ("threads", "CPU threads"),
        ("clips", "for training"),
        ("dancers", "for training"),
        ("test_clips", "for the figures"),
        ("test_dancers", "for the figures"),
        ("motion_steps", "of the motion encoder"),
        ("motion_batch", "clips a step"),
        ("identity_steps", "of the embedder"),
        ("identity_batch", "blocks of 16 dancers a step"),
        ("dances", "for the recognition of moves"),
        ("dance_steps", "of the judge of poses"),
    )
    for name, about in numbers:
        add(
            f"--{name.replace('_', '-')}",
            type=argtypes.whole(16, 10**6) if name.endswith("dancers") else argtypes.count,
            default=getattr(defaults, name),
            metavar="N",
            help=f"{about} (default: %(default)s)",
        )


def _judges_options(arguments: argparse.Namespace) -> JudgesTraining:
    networks = tuple(arguments.networks)
    return fill(JudgesTraining, arguments, networks=networks, command=arguments.command_line)


def run_judges(options: JudgesTraining) -> int:
    """Train the judges, measure them and write them.

    Raises:
        InputError: the target or the base cannot be used.
    """
    from ..evaluation.judges.training import train_judges

    train_judges(options)
    return 0


JUDGES: Command[Any] = Command(
    "judges",
    "train the judges of the sticker world",
    "Train the judges that score generated clips, and measure them on unseen truth.\n\n"
    "The seed fixes data and order. Each network is measured on the test split, and written with\n"
    "its figures in the file's metadata, as soon as it is trained.",
    _add_judges,
    _judges_options,
    run_judges,
    shares_machine=False,
    memory_hint="close other programs, or use fewer --clips",
)
