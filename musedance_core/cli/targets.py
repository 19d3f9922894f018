"""Checks of files to write, made before the work begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..files import require_new_folder, require_target
from ..media.colours import TRANSPARENT


def check_output(target: str, inputs: Sequence[str | None]) -> None:
    """Refuse a video or a folder of pictures that could not be written in the end.

    Raises:
        InputError: one sentence with its name.
    """
    from ..media.output import SUFFIXES
    from ..media.png_sequence import is_folder

    if not is_folder(target):
        check_target(target, SUFFIXES, inputs)
        return
    folder = require_new_folder(target)
    if not os.access(folder.parent, os.W_OK):
        raise InputError(f"The folder {folder.parent} of {folder.name} cannot be written to.")


def require_background_fits(background: object, target: str) -> None:
    """Refuse a transparent background for a format that has none.

    Args:
        background: what `argtypes.background` returns, or None.
        target: the video to write.

    Raises:
        InputError: one sentence with the formats that can be transparent.
    """
    from ..media.output import TRANSPARENT_SUFFIXES
    from ..media.png_sequence import is_folder

    opaque = Path(target).suffix.lower() not in TRANSPARENT_SUFFIXES and not is_folder(target)
    if background == TRANSPARENT and opaque:
        raise InputError(
            f"--background {TRANSPARENT} is for {', '.join(TRANSPARENT_SUFFIXES)} and folders, not "
            f"for {target}."
        )


def check_target(target: str, suffixes: Sequence[str], inputs: Sequence[str | None]) -> None:
    """Refuse a file that could not be written in the end, or that is one of the `inputs`.

    Raises:
        InputError: one sentence with the name of the file.
    """
    if not target:
        raise InputError("The name '' of a file to write is empty.")
    path = Path(target)
    if not path.is_dir() and path.suffix.lower() not in suffixes:
        raise InputError(f"The name {target} must end in {' or '.join(suffixes)}.")
    replaced = require_target(path)
    if not os.access(replaced.parent, os.W_OK):
        raise InputError(f"The folder {replaced.parent} of {replaced.name} cannot be written to.")
    for name in inputs:
        # Unlike Path.resolve, realpath raises nothing where links form a loop.
        if name is not None and os.path.realpath(path) == os.path.realpath(name):
            raise InputError(f"{target} would overwrite {name}, which is also an input.")
