"""Captions from a file: JSON lines with the name of a clip or of a source video, and a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...dataset.format import ClipRecord
from ...errors import InputError
from ..rejections import UnusedInput
from ..sources import SourceVideo


@dataclass(frozen=True)
class CaptionFile:
    """The content of a captions file.

    Attributes:
        texts: captions by the name of a clip or of a source video.
        repeated: names of the lines that say the same as an earlier line.
    """

    texts: Mapping[str, str]
    repeated: tuple[str, ...] = ()

    def captions(self, clips: Sequence[ClipRecord]) -> list[str]:
        """The caption of each clip: its own, else that of its source, else ""."""
        return [self.texts.get(self._name_of(clip) or "", "") for clip in clips]

    def unused(
        self, clips: Sequence[ClipRecord], sources: Sequence[SourceVideo]
    ) -> list[UnusedInput]:
        """The lines that are the caption of no clip, with the reasons.

        Args:
            clips: all clips of the data set.
            sources: all source videos, also those without a clip.
        """
        used = {self._name_of(clip) for clip in clips}
        # A name that a clip has, but not the one it is captioned by.
        shadowed = {name for clip in clips for name in _clip_names(clip)} - used
        videos = {name for source in sources for name in _source_names(source.name)}
        unused = [UnusedInput("caption", name, "repeats an earlier line") for name in self.repeated]
        for name in self.texts:
            if name in used:
                continue
            if name in shadowed:
                reason = "matches only clips that have captions under more exact names"
            elif name in videos:
                reason = "matches a video without clips"
            else:
                reason = _missing_clip(name, sources) or "matches no clip and no video"
            unused.append(UnusedInput("caption", name, reason))
        return unused

    def _name_of(self, clip: ClipRecord) -> str | None:
        """The most exact name under which the file has a caption of the clip."""
        return next((name for name in _clip_names(clip) if name in self.texts), None)


def read_captions(path: str | Path) -> CaptionFile:
    """Read a captions file.

    Each line is a JSON object with "file_name" and "text"; other keys and empty lines are allowed.

    Raises:
        InputError: there is no such file, a line is something else, or two lines give different
            captions to one name.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file of captions at {path}.")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error
    texts: dict[str, str] = {}
    repeated = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        name, text = _parse_line(line, where)
        if name not in texts:
            texts[name] = text
        elif texts[name] == text:
            repeated.append(name)
        else:
            raise InputError(f"{where}: {name} has another caption already.")
    return CaptionFile(texts, tuple(repeated))


def _parse_line(line: str, where: str) -> tuple[str, str]:
    """The name and the caption in a line; `where` is the line's place for error messages."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"{where} must be an object with file_name and text.")
    name, text = values.get("file_name"), values.get("text")
    for key, value in (("file_name", name), ("text", text)):
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: {key} must be a text that is not empty, got {value!r}.")
        if re.search(r"[\ud800-\udfff]", value):  # half a surrogate pair cannot be written
            raise InputError(f"{where}: {key} must be Unicode text, got {value!r}.")
    return str(name), " ".join(str(text).split())


def _clip_names(clip: ClipRecord) -> list[str]:
    """The names a captions file may have for the clip, the most exact first."""
    file = PurePosixPath(clip.file_name)
    return [str(file), file.name, file.stem, *_source_names(clip.source)]


def _source_names(source: str) -> list[str]:
    """The names a captions file may have for a source video, the most exact first."""
    path = PurePosixPath(source)
    return [str(path), str(path.with_suffix("")), path.name, path.stem]


def _missing_clip(name: str, sources: Sequence[SourceVideo]) -> str | None:
    """The reason if the name is that of a clip of an existing source, else None."""
    key = PurePosixPath(name).name
    source = next((source for source in sources if key.startswith(f"{source.key}-")), None)
    return None if source is None else f"is not among the clips of {source.name}"
