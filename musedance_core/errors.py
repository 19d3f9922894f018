"""The one exception for input that cannot be used; errors that are a lack of memory."""

from __future__ import annotations

import re
import reprlib

OUT_OF_MEMORY = re.compile("out of memory|not enough memory|can't allocate memory")
"""Torch's words on CUDA, on Apple's GPUs and on the CPU."""


class InputError(ValueError):
    """Input from the user that cannot be used. Its message is one sentence with file and value.

    The command line prints the message and exits with code 2; a ComfyUI node shows it as it is.
    """


def lacks_memory(error: RuntimeError | MemoryError) -> bool:
    """True for an error of torch or of Python that says that memory ran short."""
    return isinstance(error, MemoryError) or OUT_OF_MEMORY.search(str(error)) is not None


def brief(value: object) -> str:
    """The `repr` of a value for a message; long ones lack their middle."""
    return _BRIEF.repr(value)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80
