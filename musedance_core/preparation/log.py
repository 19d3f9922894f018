"""What the builder left out, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """A part of a source, or all of it, that did not become a clip.

    Attributes:
        source: the video, as the data set names it.
        start: seconds of the source where the rejected part starts; 0 where all of it is rejected.
        reason: a short kind, then what was measured: "still: motion 0.0004 is below 0.002".
    """

    source: str
    start: float
    reason: str

    @property
    def kind(self) -> str:
        """What rejections are counted by: the reason up to its colon."""
        return self.reason.split(":", 1)[0]


class Unusable(Exception):
    """A source or a part of it cannot become clips; the message is a `Rejection.reason`."""
