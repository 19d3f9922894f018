"""Records of input that gave no clip: rejected source videos and parts of them, unused files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """A part of a source video, or all of it, that did not become a clip.

    Attributes:
        source: the source video's name in the data set.
        start: seconds of the source at which the rejected part starts; 0 if all of it is rejected.
        reason: a short kind, a colon, then the measured figure:
            "still: motion 0.0004 is below 0.002".
    """

    source: str
    start: float
    reason: str

    @property
    def kind(self) -> str:
        """The reason up to its colon; rejections are counted by it."""
        return self.reason.split(":", 1)[0]


@dataclass(frozen=True)
class UnusedInput:
    """A file, a folder or a line of a file that the user gave and that no clip uses.

    Attributes:
        kind: "other file", "repeated line", "caption" or "part maps"; they are counted by it.
        name: the file, or the name in the line.
        reason: why no clip uses it, as the end of a sentence that starts with the name.
    """

    kind: str
    name: str
    reason: str


class UnusableVideo(Exception):
    """A source video, or a part of it, cannot become clips; the message is `Rejection.reason`."""
