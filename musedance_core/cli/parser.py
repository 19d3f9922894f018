"""The parser of the whole command line."""

from __future__ import annotations

from ..version import __version__
from . import animate, beats, convert, evaluate, inspect, pose, prepare, rig, train
from .command import Parser


def build_parser() -> Parser:
    """All commands with their arguments."""
    parser = Parser(
        prog="musedance", description="One picture, a song and a sentence become a dance video."
    )
    parser.add_argument("--version", action="version", version=f"musedance {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    animate.COMMAND.add_to(commands)
    beats.COMMAND.add_to(commands)
    rig.COMMAND.add_to(commands)
    pose.COMMAND.add_to(commands)
    inspect.COMMAND.add_to(commands)
    evaluate.COMMAND.add_to(commands)
    convert.COMMAND.add_to(commands)
    prepare.COMMAND.add_to(commands)
    train.add_to(commands)
    return parser
