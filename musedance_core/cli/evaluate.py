"""`musedance evaluate`: figures and a report of videos or checkpoints."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

from ..diffusion.sampler_names import SAMPLER_NAMES
from ..evaluation.options import EvaluationOptions, Sampling
from . import argtypes
from .command import Command, add_device, add_precision, add_steps, fill

DESCRIPTION = """\
Score dances; every PATH becomes one row of the tables.

A folder of videos, made by any system, is compared with the videos of the same names in --truth,
and with the beats in --beats or those tracked in its own sound. A checkpoint first generates clips
that it never saw: of the procedural world, or of a data set made by `musedance prepare`. The
figures go to OUT/results.json and results.md, and OUT/index.html shows every clip beside its truth.
docs/evaluation.md explains every figure.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a folder of videos, or a checkpoint")
    add("--out", required=True, metavar="FOLDER", help="the folder to write the report to")
    add(
        "--label",
        dest="labels",
        action="append",
        default=[],
        metavar="NAME",
        help="the row's name; once per PATH",
    )
    videos = parser.add_argument_group("folders of videos")
    videos.add_argument("--truth", metavar="FOLDER", help="the true videos, of the same names")
    videos.add_argument(
        "--beats",
        metavar="FILE_OR_FOLDER",
        help="beats as `musedance beats --out` writes them, in seconds from a video's start: "
        "one file for all videos, or a folder with one of each video's name (default: tracked)",
    )
    videos.add_argument(
        "--world",
        action="store_true",
        help="they are clips of the sticker world, so its judges score them too",
    )
    _add_sampling(parser.add_argument_group("checkpoints"))
    backbones = parser.add_argument_group("user-supplied networks, as TorchScript")
    for name, figure in (("lpips", "LPIPS"), ("fvd", "FVD"), ("identity", "identity")):
        backbones.add_argument(f"--{name}", metavar="FILE", help=f"for {figure}")
    add_device(parser)


def _add_sampling(group: argparse._ArgumentGroup) -> None:
    """Options for sampling a checkpoint."""
    add = group.add_argument
    add("--dataset", metavar="FOLDER", help="use its clips instead of the procedural world's")
    splits = ("train", "validation", "test")
    add(
        "--split",
        default="test",
        choices=splits,
        metavar="S",
        help="split of the world or the data set (default: test)",
    )
    add(
        "--clips",
        type=argtypes.count,
        default=10,
        metavar="N",
        help="number of clips (default: 10)",
    )
    add(
        "--seconds",
        type=argtypes.above_zero,
        metavar="S",
        help="length of the world's clips (default: one segment)",
    )
    add("--seed", type=argtypes.seed, default=0, metavar="N", help="random seed (default: 0)")
    add("--sampler", choices=SAMPLER_NAMES, metavar="NAME", help="(default: the model's)")
    add_steps(group)
    add_precision(group)


def options(arguments: argparse.Namespace) -> EvaluationOptions:
    """The parsed arguments as the evaluation takes them."""
    return fill(
        EvaluationOptions,
        arguments,
        paths=tuple(arguments.paths),
        labels=tuple(arguments.labels),
        sampling=fill(Sampling, arguments),
        command=arguments.command_line,
    )


def run(options: EvaluationOptions) -> int:
    """Score every path and write the report.

    Raises:
        InputError: a path or an option cannot be used.
    """
    from ..diffusion.resident import pick_device
    from ..evaluation.harness import evaluate

    for row in evaluate(replace(options, device=str(pick_device(options.device)))):
        print(f"{row.label}: {len(row.clips)} clips of {row.source}")
    print(f"{os.path.join(options.out, 'index.html')}, results.md and results.json are written.")
    return 0


COMMAND = Command(
    "evaluate", "score videos or a checkpoint", DESCRIPTION, add_arguments, options, run
)
