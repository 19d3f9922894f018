"""Reading sound and video files with PyAV: opening, decoding, and a steady clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESTART = 0.5
"""Seconds by which time stamps must fall back to mean that the clock starts anew."""
LONGEST_GAP = 600.0
"""Seconds of a longer gap, which is a clock that was set anew as well."""


def open_media(path: str | Path) -> Any:
    """Open a sound or video file for reading, as a PyAV container.

    Titles and other tags may be in any encoding.

    Raises:
        av.FFmpegError: the file cannot be opened, or holds no media.
    """
    import av

    # Up to version 18 PyAV fails at tags that are not UTF-8 unless their errors are ignored.
    strict = hasattr(av.container.Container, "metadata_errors")
    return av.open(str(path), **({"metadata_errors": "ignore"} if strict else {}))


def media_start(container: Any) -> float:
    """Seconds on the container's clock at which playing begins.

    A start below 0 counts as 0: before FFmpeg 8.1 it is the codec's priming, which decoders drop.
    """
    return max(container.start_time or 0, 0) / 1_000_000


def decode_stream(container: Any, stream: Any, strict: bool = False) -> Iterator[Any]:
    """Every frame of `stream` that can be decoded.

    A damaged packet is skipped, and a damaged end is an end, unless `strict`.

    Raises:
        av.FFmpegError: the stream cannot be decoded, or is damaged where `strict`.
    """
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):
            return  # PyAV fails so at the end of a file where a stream began after it was opened
        except av.FFmpegError:
            if strict:
                raise
            return
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            if strict:
                raise


class StreamClock:
    """Seconds from the beginning of playing, from the time stamps of one stream.

    The stamps of joined files, such as chained Ogg or MPEG-TS, fall back in the middle: there the
    next part begins where the one before ends.
    """

    def __init__(self, start: float) -> None:
        """`start` is where playing begins on the container's clock (`media_start`)."""
        self._start = start
        self._latest: float | None = None

    def seconds(self, stamp: float | None, end: float) -> float:
        """Seconds at which a frame begins.

        Args:
            stamp: its time stamp in seconds, None where it has none.
            end: seconds at which the frame before ends.
        """
        if stamp is None:
            return end
        falls_back = self._latest is not None and stamp < self._latest - RESTART
        if falls_back or stamp - self._start > end + LONGEST_GAP:
            self._start = stamp - end
            self._latest = None
        self._latest = stamp if self._latest is None else max(stamp, self._latest)
        return stamp - self._start
