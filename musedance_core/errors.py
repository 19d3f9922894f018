"""The one exception that means "what you gave us cannot be used"."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from the user. Its message is one sentence naming the file and the value.

    The command line prints the message and exits with code 2; a ComfyUI node shows it as is.
    """
