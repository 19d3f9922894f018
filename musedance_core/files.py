"""Files on disk: sound and video opened, and writing that never leaves half a file behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import InputError


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it is renamed onto `target`.

    The temporary file keeps the target's suffix, so writers that look at the ending work. It is
    removed when the body raises.

    Raises:
        InputError: `target` is a directory, its folder does not exist, or it cannot be replaced.
    """
    target = Path(target)
    if target.is_dir():
        raise InputError(f"{target} is a directory; give the name of a file to write.")
    if not target.parent.is_dir():
        raise InputError(f"The folder {target.parent} of {target.name} does not exist.")
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o644)
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    try:
        os.replace(temporary, target)
    except OSError as error:  # on Windows: another program has it open
        raise InputError(
            f"{target} cannot be replaced: {error.strerror}. What was made is in {temporary}."
        ) from error


def open_media(path: str | Path) -> Any:
    """Open a sound or video file for reading, as a PyAV container.

    Titles and other tags may be in any encoding.

    Raises:
        av.FFmpegError: the file cannot be opened, or holds no media.
    """
    import av

    # Up to version 18 PyAV fails at tags that are not UTF-8 unless told to ignore their errors.
    strict = hasattr(av.container.Container, "metadata_errors")
    return av.open(str(path), **({"metadata_errors": "ignore"} if strict else {}))


def media_start(container: Any) -> float:
    """Seconds on the container's clock at which playing begins.

    A start below 0 counts as 0: before FFmpeg 8.1 it is the codec's priming, which decoders drop.
    """
    return max(container.start_time or 0, 0) / 1_000_000
