"""The one exception for input that cannot be used."""

from __future__ import annotations


class InputError(ValueError):
    """Input from the user that cannot be used. Its message is one sentence with file and value.

    The command line prints the message and exits with code 2; a ComfyUI node shows it as it is.
    """
