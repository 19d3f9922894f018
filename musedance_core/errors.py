"""The one exception for input that cannot be used."""

from __future__ import annotations

import reprlib


class InputError(ValueError):
    """Input from the user that cannot be used. Its message is one sentence with file and value.

    The command line prints the message and exits with code 2; a ComfyUI node shows it as it is.
    """


def brief(value: object) -> str:
    """The `repr` of a value for a message; long ones lack their middle."""
    return _BRIEF.repr(value)


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80
