"""The command line: `musedance animate | beats | rig | ... | train`.

Heavy libraries are imported when a command runs, so that `musedance --help` answers at once. Bad
input ends in one sentence on stderr and exit code 2, before anything is written.
"""

from __future__ import annotations

import gc
import io
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ..errors import InputError, lacks_memory
from .command import Command
from .parser import build_parser
from .signals import Terminated, unwinding_on_signals

__all__ = ["build_parser", "main", "run_process"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done; 1 `prepare` found no usable clip; 2 bad input, a full disk or too
        little memory; 130 Ctrl+C; 141 nobody reads the output; 143 SIGTERM (128 + the signal).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files need not be text: bytes that cannot be printed are escaped, as on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = build_parser().parse_args(words)
    arguments.command_line = shlex.join(["musedance", *words])
    command: Command[Any] = arguments.command
    if command.shares_machine:
        # Where another program needs the cores, a video takes eight times as long if the threads of
        # torch spin, as they do by default. Torch reads this when it is imported.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with unwinding_on_signals():
            code = command.execute(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except InputError as error:
        return _fail(str(error))
    except OSError as error:  # a full disk, a folder without permission to write
        where = "" if error.filename is None else f": {error.filename}"
        return _fail(f"{error.strerror or error}{where}")
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        return _fail(f"There is not enough memory: {command.memory_hint}.")
    except KeyboardInterrupt as stop:
        return _fail(command.interrupted, stop.exit_code if isinstance(stop, Terminated) else 130)
    return code


def run_process() -> NoReturn:
    """Run the command of this process, and end it with the exit code of `main`."""
    code = main()
    # Python looks for garbage when it ends, which takes half a second among torch's objects.
    gc.freeze()
    sys.exit(code)


def _fail(sentence: str, code: int = 2) -> int:
    """Print one sentence on stderr; returns the exit code."""
    print(f"musedance: {sentence}", file=sys.stderr)
    return code
