"""`musedance convert`: public weights become one file of the preset sd15."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .command import Command, fill
from .targets import check_target

DESCRIPTION = """\
Combine public weights in one file of the preset sd15: Stable Diffusion 1.5, AST and, optionally,
AnimateDiff's motion modules. Nothing is downloaded, and pickles are read as plain weights only. The
result is the starting point of training; it cannot dance yet.
"""


@dataclass(frozen=True)
class ConvertOptions:
    """The arguments: paths of the weights, and the file to write."""

    stable_diffusion: str
    ast: str
    animatediff: str | None
    tokenizer: str | None
    out: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--stable-diffusion",
        required=True,
        metavar="PATH",
        help="Stable Diffusion 1.5: a folder in diffusers' layout, or one file",
    )
    add("--ast", required=True, metavar="PATH", help="AST for AudioSet, in transformers' layout")
    add("--animatediff", metavar="FILE", help="motion modules (default: they start untrained)")
    add(
        "--tokenizer",
        metavar="FOLDER",
        help="CLIP's vocab.json and merges.txt (default: those of --stable-diffusion)",
    )
    add("--out", required=True, metavar="FILE.safetensors", help="the file to write")


def run(options: ConvertOptions) -> int:
    """Write the file.

    Raises:
        InputError: weights are missing or do not fit, or the file cannot be written.
    """
    from ..checkpoint.sd15 import assemble_sd15

    # Refused before gigabytes are read.
    sources = (
        options.stable_diffusion,
        options.ast,
        options.animatediff,
        options.tokenizer,
    )
    check_target(options.out, (".safetensors",), sources)
    for source in sources:
        if source is not None and not Path(source).exists():
            raise InputError(f"There is no file or folder at {source}.")
    assemble_sd15(
        options.out,
        options.stable_diffusion,
        options.ast,
        options.animatediff,
        options.tokenizer,
    )
    print(f"{options.out}: a starting point for training. It was never trained to dance.")
    return 0


COMMAND = Command(
    "convert",
    "combine public weights in an sd15 model",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(ConvertOptions, arguments),
    run,
    memory_hint="close other programs",
)
