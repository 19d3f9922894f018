"""Checks of files to write, made before the work begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError


def check_target(target: str, suffixes: Sequence[str], inputs: Sequence[str | None]) -> None:
    """Refuse a file that could not be written in the end, or that is one of the `inputs`.

    Raises:
        InputError: one sentence with the name of the file.
    """
    path = Path(target)
    if path.is_dir():
        raise InputError(f"{target} is a directory; give the name of a file to write.")
    if path.suffix.lower() not in suffixes:
        raise InputError(f"The name {target} must end in {' or '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} of {path.name} does not exist.")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"The folder {path.parent} of {path.name} cannot be written to.")
    for name in inputs:
        if name is not None and path.resolve() == Path(name).resolve():
            raise InputError(f"{target} would overwrite {name}, which is also an input.")
