"""The videos a data set is made from: a folder, walked through, or a text file that lists them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".3gp", ".flv", ".ogv", ".wmv"}
)


@dataclass(frozen=True)
class SourceVideo:
    """A video: `name` is its path as seen from the folder of all, or from the list's; a listed file
    that lies elsewhere is named by its last part."""

    name: str
    path: Path

    @property
    def key(self) -> str:
        """A file name for what is made from it: readable, and one source's alone."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", str(Path(self.name).with_suffix(""))).strip("-")
        return f"{readable[:40]}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class SourceVideos:
    """The videos in natural order, and how many other files or lines there were."""

    videos: tuple[SourceVideo, ...]
    ignored: int


def find_sources(videos: str | Path, dataset: str | Path) -> SourceVideos:
    """The videos in the folder or the list `videos`; what lies in `dataset` is none of them.

    Raises:
        InputError: there is no such folder or list, a listed file is missing, two have one name, a
            name is no text, or there is no video.
    """
    videos = Path(videos)
    if videos.is_dir():
        found = [
            SourceVideo(p.relative_to(videos).as_posix(), p) for p in _walk(videos, Path(dataset))
        ]
    elif videos.is_file() and videos.suffix.lower() == ".txt":
        found = _listed(videos)
    else:
        raise InputError(f"{videos} is neither a folder of videos nor a .txt list of them.")
    kept = [source for source in found if source.path.suffix.lower() in SUFFIXES]
    if not kept:
        raise InputError(
            f"There is no video in {videos}: its {len(found)} files are of other kinds."
        )
    for source in kept:
        try:
            source.name.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"The name {source.name!r} in {videos} is no text: rename the file."
            ) from error
    kept.sort(key=lambda source: _natural(source.name))
    return SourceVideos(tuple(kept), len(found) - len(kept))


def _walk(folder: Path, dataset: Path) -> Iterator[Path]:
    """All files below `folder` but hidden ones and those of the data set."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and dataset.resolve() not in path.resolve().parents:
            yield path


def _listed(videos: Path) -> list[SourceVideo]:
    """The files of a list, under names that hold on another machine too."""
    found: dict[str, SourceVideo] = {}
    for line in _lines(videos):
        path = videos.parent / line
        if not path.is_file():
            raise InputError(f"{videos} lists {line}, but there is no such file.")
        whole = Path(os.path.abspath(path))
        folder = Path(os.path.abspath(videos.parent))
        name = whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else whole.name
        other = found.setdefault(name, SourceVideo(name, path)).path
        if os.path.abspath(other) != str(whole):
            raise InputError(
                f"{videos} lists two files that are both named {name}: {other}, {path}."
            )
    return list(found.values())


def _lines(path: Path) -> list[str]:
    """The lines of a list, each once; empty ones and those after # are notes."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file of paths, one a line.") from error
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A sorting key by which 9 comes before 10, and 10 before a."""
    pieces = re.findall(r"\d+|\D+", name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces]
