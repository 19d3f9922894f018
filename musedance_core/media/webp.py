"""Animated WebP files, frame by frame.

Pillow's own writer of animations holds every frame in memory, and FFmpeg's leaves remains of
earlier frames in smooth areas. Here Pillow compresses single pictures, and this module puts them
into one file, as the WebP container specification describes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

QUALITY = {"quality": 90, "method": 2}
"""Of lossy compression, whose loss is hardly visible; alpha is without loss."""
PIXEL_CHUNKS = (b"ALPH", b"VP8 ", b"VP8L")
"""Chunks of a WebP file that hold pixels."""
ANIMATION, ALPHA = 0x02, 0x10
"""Flags of the file."""
REPLACE = 0x02
"""Flag of a frame that is not mixed with the one before."""
HEADER = 12
"""Bytes before the first chunk of a file."""


@dataclass(frozen=True)
class _Frame:
    """A compressed frame and its milliseconds."""

    data: bytes
    duration: int


def write_webp(file: BinaryIO, images: Iterable[np.ndarray], starts: Iterator[int]) -> None:
    """Write images as an animation that repeats for ever.

    Args:
        file: where to write; it can seek.
        images: uint8 `[h w 3]`, or `[h w 4]` with straight alpha, all of one size.
        starts: milliseconds at which each image starts, and then that of the end.
    """
    size, flags = (0, 0), ANIMATION
    waiting: _Frame | None = None
    start = next(starts)
    for image in images:
        end = next(starts)
        frame = _Frame(_compress(image), end - start)
        start = end
        if waiting is None:
            size = (image.shape[1], image.shape[0])
            flags |= ALPHA if image.shape[2] == 4 else 0
            file.write(_header(size, flags, 0))
        elif frame.data == waiting.data:  # a still frame lasts longer
            frame = replace(frame, duration=waiting.duration + frame.duration)
        else:
            file.write(_frame_chunk(waiting, size))
        waiting = frame
    if waiting is not None:
        file.write(_frame_chunk(waiting, size))
        length = file.tell()
        file.seek(0)
        file.write(_header(size, flags, length))


def _compress(image: np.ndarray) -> bytes:
    """The chunks of pixels of one image."""
    data = BytesIO()
    Image.fromarray(image).save(data, format="WEBP", **QUALITY)
    chunks, found, at = data.getvalue(), b"", HEADER
    while at < len(chunks):
        name, length = struct.unpack_from("<4sI", chunks, at)
        end = at + 8 + length + length % 2
        if name in PIXEL_CHUNKS:
            found += chunks[at:end]
        at = end
    return found


def _header(size: tuple[int, int], flags: int, length: int) -> bytes:
    """The beginning of a file of `length` bytes: canvas, and loops without end."""
    canvas = bytes([flags, 0, 0, 0]) + _three_bytes(size[0] - 1) + _three_bytes(size[1] - 1)
    body = b"WEBP" + _chunk(b"VP8X", canvas) + _chunk(b"ANIM", bytes(6))
    return b"RIFF" + struct.pack("<I", max(0, length - 8)) + body


def _frame_chunk(frame: _Frame, size: tuple[int, int]) -> bytes:
    """A frame that covers the canvas."""
    numbers = (0, 0, size[0] - 1, size[1] - 1, frame.duration)
    place = b"".join(_three_bytes(number) for number in numbers)
    return _chunk(b"ANMF", place + bytes([REPLACE]) + frame.data)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")
