"""`musedance inspect`: the contents of a checkpoint."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from .command import Command, fill

DESCRIPTION = """\
Print a checkpoint's preset, the size of each part, its noise schedule, and how it was trained.
"""


@dataclass(frozen=True)
class InspectOptions:
    """The arguments; `file` None means the embedded model."""

    file: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a checkpoint (default: the embedded model)"
    )


def run(options: InspectOptions) -> int:
    """Print the description.

    Raises:
        InputError: the file is not a checkpoint of a known kind.
    """
    from ..checkpoint.inspect import describe
    from ..pipeline import DEFAULT_CHECKPOINT

    print(describe(options.file or DEFAULT_CHECKPOINT))
    return 0


COMMAND = Command(
    "inspect",
    "describe a checkpoint",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(InspectOptions, arguments),
    run,
)
