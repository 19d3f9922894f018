"""The form that all commands share: texts, arguments, and options as a typed value."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, NoReturn, TypeVar

from . import argtypes

DTYPES = ("float32", "bfloat16", "float16")

Value = TypeVar("Value")


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error as one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


Subcommands = argparse._SubParsersAction


@dataclass(frozen=True)
class Command(Generic[Value]):
    """One command of `musedance`.

    Attributes:
        name, summary, description: its name, its line in the list of commands, and its help.
        add_arguments: adds its arguments to a parser.
        options: makes a frozen dataclass of the parsed arguments.
        run: does the work and returns the exit code.
        interrupted: printed when Ctrl+C or a signal ends it.
        memory_hint: what helps when memory runs out.
        shares_machine: whether its threads sleep while they wait for each other, for the sake of
            other programs; those of trainings spin, which is a little faster.
    """

    name: str
    summary: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    options: Callable[[argparse.Namespace], Value]
    run: Callable[[Value], int]
    interrupted: str = "Stopped before it was done."
    memory_hint: str = "close other programs, or try --dtype bfloat16 or --device cpu"
    shares_machine: bool = True

    def add_to(self, commands: Subcommands[Parser]) -> None:
        """Add the command to the list of commands of a parser."""
        parser = commands.add_parser(
            self.name,
            help=self.summary,
            description=self.description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(parser)
        parser.set_defaults(command=self)

    def execute(self, namespace: argparse.Namespace) -> int:
        """Run with the parsed arguments; returns the exit code.

        Raises:
            InputError: an argument, or a file that one names, cannot be used.
        """
        return self.run(self.options(namespace))


def fill(kind: type[Value], namespace: argparse.Namespace, **values: Any) -> Value:
    """A dataclass `kind` whose fields are arguments of the same names, except for `values`."""
    names = [f.name for f in fields(kind) if f.name not in values]  # type: ignore[arg-type]
    return kind(**{name: getattr(namespace, name) for name in names}, **values)


def add_audio_track(parser: argparse.ArgumentParser) -> None:
    """The option that chooses one of several sound tracks."""
    parser.add_argument(
        "--audio-track",
        type=argtypes.track,
        metavar="N",
        help="the sound track of a file with several, counted from 1 (default: the first that is "
        "not silent)",
    )


def add_precision(group: argparse._ActionsContainer) -> None:
    """The number format of the computation, and permission to use an untrained model."""
    group.add_argument(
        "--dtype",
        default="float32",
        choices=DTYPES,
        metavar="T",
        help="float32, bfloat16 or float16 (default: float32)",
    )
    group.add_argument(
        "--allow-untrained", action="store_true", help="sample a model never trained to dance"
    )


def add_device(group: argparse._ActionsContainer) -> None:
    """The device to compute on."""
    group.add_argument(
        "--device",
        default="auto",
        metavar="D",
        help="cpu, cuda, cuda:1, mps (default: cuda where there is one, else cpu)",
    )


def add_steps(group: argparse._ActionsContainer) -> None:
    """Denoising steps and guidance; None means the model's own."""
    group.add_argument(
        "--steps",
        type=argtypes.steps,
        metavar="N",
        help="denoising steps (default: the model's own)",
    )
    group.add_argument(
        "--guidance",
        type=argtypes.guidance,
        metavar="G",
        help="how strictly to follow sentence, song and picture (default: the model's)",
    )
