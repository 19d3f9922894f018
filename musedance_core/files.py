"""Writing files and folders so that they are complete or not there at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from .errors import InputError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk: no space, no quota, a file larger than the limit."""
NEARLY_FULL = 1 << 20
"""Bytes of free space below which a failed write without an error number lacked space."""
WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
LONGEST_STEM = 40
"""Characters of the target's name in a temporary name, which file systems limit to 255 bytes."""


def is_file(path: Path) -> bool:
    """True if there is a file at `path`; False for a path that the system does not allow."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL in it
        return False


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it replaces `target`.

    The temporary file is called `.NAME.HOST-PID-RANDOM.partial.SUFFIX`, with the suffix of the
    target for writers that go by it. It is removed when the body raises; the next write to the same
    target removes one that a killed process left. A symbolic link stays, and the file that it names
    is replaced. The new file has the rights of the old one, or else those that new files have.

    Raises:
        InputError: `target` is no regular file or write-protected, its folder does not exist or
            cannot be written to, the disk is full, or the target cannot be replaced.
    """
    named, target = target, require_target(target)

    temporary = _temporary_file(target, named)
    try:
        rights = stat.S_IMODE((target if target.exists() else temporary).stat().st_mode)
        yield temporary
        temporary.chmod(rights)
    except BaseException as error:
        full = isinstance(error, Exception) and _lacks_space(error, target.parent)
        temporary.unlink(missing_ok=True)
        if full:
            raise InputError(f"There is not enough space on the disk to write {named}.") from error
        raise
    try:
        os.replace(temporary, target)
    except OSError as error:  # on Windows: another program has it open
        rescued = _visible_copy(temporary, target)
        raise InputError(
            f"{named} cannot be replaced: {error.strerror}. The new file is {rescued}."
        ) from error


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; on success it becomes `target`, with all its files.

    An empty folder that is there stays, as somebody may be at work in it, and gets the files.
    The temporary folder is called `.NAME.HOST-PID-RANDOM.partial`, and is removed as the temporary
    file of `atomic_path` is.

    Raises:
        InputError: `target` is a file or a folder with something in it, the folder around it does
            not exist or cannot be written to, or the disk is full.
    """
    named, target = target, require_new_folder(target)

    prefix = f".{target.name[:LONGEST_STEM]}.{_host()}-"
    _remove_leftovers(target.parent, prefix, "")
    temporary = target.parent / f"{prefix}{os.getpid()}-{token_hex(4)}.partial"
    try:
        temporary.mkdir()
    except OSError as error:
        raise InputError(f"{named} cannot be written: {error.strerror}.") from error
    try:
        yield temporary
    except BaseException as error:
        full = isinstance(error, Exception) and _lacks_space(error, target.parent)
        shutil.rmtree(temporary, ignore_errors=True)
        if full:
            raise InputError(f"There is not enough space on the disk to write {named}.") from error
        raise
    try:
        _fill_folder(target, temporary)
    except OSError as error:  # somebody has put something there
        rescued = _visible_copy(temporary, target)
        raise InputError(
            f"{named} cannot be replaced: {error.strerror}. The new folder is {rescued}."
        ) from error


def _fill_folder(target: Path, temporary: Path) -> None:
    """Rename a folder to `target`; one that is there, and empty, gets its files instead."""
    if not target.is_dir():
        temporary.rename(target)
        return
    if any(target.iterdir()):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    for path in sorted(temporary.iterdir()):
        path.rename(target / path.name)
    temporary.rmdir()


def require_new_folder(named: str | Path) -> Path:
    """The folder that writing a folder to `named` would make, which a symbolic link may rename.

    Raises:
        InputError: it is a file or not empty, or the folder around it does not exist.
    """
    target = Path(os.path.realpath(named))
    try:
        if target.is_dir():
            if any(target.iterdir()):
                raise InputError(f"The folder {named} is not empty: give a new or an empty one.")
        elif target.exists():
            raise InputError(f"{named} is a file; give the name of a folder to write.")
        elif not target.parent.is_dir():
            raise InputError(f"The folder {target.parent} of {target.name} does not exist.")
    except OSError as error:
        raise InputError(f"{named} cannot be written: {error.strerror}.") from error
    return target


def require_target(named: str | Path) -> Path:
    """The file that writing to `named` would replace, which is another one for a symbolic link.

    Raises:
        InputError: it is no regular file, its folder does not exist, or its name is impossible.
    """
    target = Path(named)
    if os.path.islink(target):
        target = Path(os.path.realpath(target))
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not target.parent.is_dir():
            raise InputError(
                f"The folder {target.parent} of {target.name} does not exist."
            ) from None
    except OSError as error:
        raise InputError(f"{named} cannot be written: {error.strerror}.") from error
    else:
        if stat.S_ISDIR(mode):
            raise InputError(f"{named} is a directory; give the name of a file to write.")
        if not stat.S_ISREG(mode):
            raise InputError(f"{named} is no regular file; give the name of a file to write.")
        if not (mode & WRITABLE and os.access(target, os.W_OK)):
            raise InputError(f"{named} is write-protected.")
    return target


def _temporary_file(target: Path, named: str | Path) -> Path:
    """Create the temporary file of `target`, and remove those that killed processes left."""
    prefix = f".{target.stem[:LONGEST_STEM]}.{_host()}-"
    _remove_leftovers(target.parent, prefix, target.suffix)
    name = f"{prefix}{os.getpid()}-{token_hex(4)}.partial{target.suffix}"
    temporary = target.parent / name
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise InputError(f"{named} cannot be written: {error.strerror}.") from error
    return temporary


def _host() -> str:
    """This machine as eight hex digits: process numbers of another one mean nothing here."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def remove_leftovers(folder: str | Path) -> None:
    """Remove the temporary files and folders in `folder` that killed processes left."""
    _remove_matching(Path(folder), rf"\..*\.{_host()}-(\d{{1,9}})-\w+\.partial(\.[^.]*)?")


def _remove_leftovers(folder: Path, prefix: str, suffix: str) -> None:
    """Remove temporary files of the same target whose processes are dead."""
    escaped = re.escape(prefix), re.escape(suffix)
    _remove_matching(folder, rf"{escaped[0]}(\d{{1,9}})-\w+\.partial{escaped[1]}")


def _remove_matching(folder: Path, expression: str) -> None:
    """Remove what has a name that matches; the first group is a process, which must be dead."""
    if os.name == "nt":  # there is no harmless way there to ask whether a process lives
        return
    pattern = re.compile(expression)
    with os.scandir(folder) as entries:
        matches = [match for entry in entries if (match := pattern.fullmatch(entry.name))]
    for match in matches:
        leftover = folder / match[0]
        if _is_alive(int(match[1])):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """True for a process that has ended and that its parent has not waited for, on Linux.

    The workers of a killed process stay so where no init process collects them, as in containers.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The state follows the name, which is in brackets and may hold brackets itself.
    return stat.rpartition(")")[2].split()[:1] == ["Z"]


def _lacks_space(error: Exception, folder: Path) -> bool:
    """True if a write to `folder` failed with `error` because the disk is full."""
    if isinstance(error, InputError):
        return False
    number = getattr(error, "errno", None)
    if number is not None:
        return number in NO_SPACE
    # torch and safetensors raise errors without a number, and the disk is still full then.
    return shutil.disk_usage(folder).free < NEARLY_FULL


def _visible_copy(temporary: Path, target: Path) -> Path:
    """Give a file or folder that cannot take its target's place a free name; returns that."""
    number = 1
    while (path := target.with_name(f"{target.stem}-{number}{target.suffix}")).exists():
        number += 1
    return temporary.rename(path)
