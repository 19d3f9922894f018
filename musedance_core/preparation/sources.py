"""Source videos of a data set: those in a folder, or those that a text file lists."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import is_file
from .rejections import UnusedInput

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".3gp", ".flv", ".ogv", ".wmv"}
)


@dataclass(frozen=True)
class SourceVideo:
    """A source video.

    Attributes:
        name: its path relative to the folder of videos or of the list; the file name alone for a
            listed file outside that folder.
        path: the file.
    """

    name: str
    path: Path

    @property
    def key(self) -> str:
        """Stem of the video's clips and other files: readable, and different for every name."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", str(Path(self.name).with_suffix(""))).strip("-")
        return f"{readable[:40]}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class SourceVideos:
    """The source videos in natural order, and the files and lines that are not used.

    Attributes:
        videos: the source videos.
        ignored: names of the files that are not videos.
        repeated: lines of the list that name a file again.
    """

    videos: tuple[SourceVideo, ...]
    ignored: tuple[str, ...]
    repeated: tuple[str, ...] = ()

    def unused(self) -> list[UnusedInput]:
        """The files and lines that are not used, with the reasons."""
        reason = "is not a video by the ending of its name"
        return [
            *(UnusedInput("other file", name, reason) for name in self.ignored),
            *(UnusedInput("repeated line", line, "is listed before") for line in self.repeated),
        ]


def find_sources(videos: str | Path, dataset: str | Path) -> SourceVideos:
    """The videos in the folder or the list `videos`, without the files of `dataset`.

    Raises:
        InputError: there is no such folder or list, a listed file is missing, two videos have one
            name, a name cannot be written as text, or there is no video.
    """
    videos = Path(videos)
    repeated: list[str] = []
    if videos.is_dir():
        files = [
            SourceVideo(path.relative_to(videos).as_posix(), path)
            for path in _files_below(videos, Path(dataset))
        ]
    elif videos.is_file() and videos.suffix.lower() == ".txt":
        files, repeated = _listed_files(videos)
    else:
        raise InputError(f"{videos} is neither a folder of videos nor a .txt list of them.")
    sources = [source for source in files if source.path.suffix.lower() in SUFFIXES]
    if not sources:
        raise InputError(
            f"There is no video in {videos}: its {len(files)} files are of other kinds."
        )
    for source in sources:
        try:
            source.name.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"The name {source.name!r} in {videos} is not valid text: rename the file."
            ) from error
    sources.sort(key=lambda source: _natural_key(source.name))
    ignored = sorted(
        (source.name for source in files if source.path.suffix.lower() not in SUFFIXES),
        key=_natural_key,
    )
    return SourceVideos(tuple(sources), tuple(ignored), tuple(repeated))


def _files_below(folder: Path, dataset: Path) -> Iterator[Path]:
    """All files below `folder` except hidden ones and those of the data set.

    A link to a folder is not followed, and counts as a file.
    """
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_file = path.is_file() or path.is_symlink()
        if is_file and not hidden and dataset.resolve() not in path.resolve().parents:
            yield path


def _listed_files(videos: Path) -> tuple[list[SourceVideo], list[str]]:
    """The files of a list, under names that hold on another machine too; and repeated lines."""
    files: dict[str, SourceVideo] = {}
    repeated: list[str] = []
    folder = Path(os.path.abspath(videos.parent))
    for line in _lines(videos):
        path = videos.parent / line
        if not is_file(path):
            raise InputError(f"{videos} lists {line}, but there is no such file.")
        absolute = Path(os.path.abspath(path))  # links stay: their names are the user's
        inside = absolute.is_relative_to(folder)
        name = absolute.relative_to(folder).as_posix() if inside else absolute.name
        if name not in files:
            files[name] = SourceVideo(name, path)
        elif os.path.abspath(files[name].path) == str(absolute):
            repeated.append(line)
        else:
            raise InputError(
                f"{videos} lists two files that are both named {name}: {files[name].path}, {path}."
            )
    return list(files.values()), repeated


def _lines(path: Path) -> list[str]:
    """The lines of a list except empty ones and comments, which begin with #."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file of paths, one a line.") from error
    return [line for line in lines if line and not line.startswith("#")]


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sorting key by which 9 comes before 10, and 10 before a."""
    pieces = re.findall(r"\d+|\D+", name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces]
