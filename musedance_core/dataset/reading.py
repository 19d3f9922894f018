"""Reading a data set's clips: frames and part maps by frame number, fitted to a square, and sound.

A clip is fitted like an opaque picture (`media.images`): scaled to fit, uncropped, the rest of the
square filled. All frames get the filling of the clip's first frame, whichever of them are read, so
that the margins do not flicker.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
import wave
import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..audio.waveform import Waveform
from ..errors import InputError
from ..files import is_file
from ..media.frames import video_frames
from ..media.images import Placement, fit, place
from ..parts import SUBJECT
from ..streams import open_media
from .format import ClipRecord


def read_frames(
    folder: str | Path, record: ClipRecord, indices: Sequence[int], size: int
) -> Tensor:
    """Frames `[n 3 size size]` in 0..1 of a clip.

    The file is decoded from its beginning, so every number is exactly that frame.

    Args:
        folder: folder of the data set.
        record: the clip.
        indices: frame numbers, in any order.
        size: side of the square in pixels.

    Raises:
        InputError: the file is missing or damaged, or has another size or fewer frames than the
            record.
        ValueError: an index is outside the clip.
    """
    path = _existing(folder, record.file_name)
    _check_indices(record, indices)
    requested = set(indices)
    # The first frame is always read: it gives the filling of the margins.
    pictures: dict[int, Image.Image] = {}
    for number, picture in _decoded(path, record):
        if number in requested or number == 0:
            pictures[number] = picture
        if number == max(requested, default=0):
            break
    missing = sorted(requested - set(pictures))
    if missing or 0 not in pictures:
        raise InputError(f"{path} ends before frame {max(missing, default=0)} of {record.frames}.")
    placement = _placement(record, size)
    first = fit(pictures[0], placement)
    fitted = {number: fit(picture, placement) for number, picture in pictures.items()}
    # The margins are those of the first frame, so that they do not flicker.
    frames = [torch.where(_inside(placement), fitted[i], first) for i in indices]
    return torch.stack(frames) if frames else torch.zeros(0, 3, size, size)


def read_part_maps(
    folder: str | Path, record: ClipRecord, indices: Sequence[int], size: int
) -> Tensor | None:
    """Part ids int64 `[n size size]` in 0..25, placed like the frames of `read_frames`; None if
    the clip has no part maps.

    Raises:
        InputError: the file is missing or damaged, or its number of frames or its ids are wrong.
        ValueError: an index is outside the clip.
    """
    if not record.part_maps:
        return None
    path = _existing(folder, record.part_maps)
    _check_indices(record, indices)
    ids = read_arrays(path, ["ids"])["ids"]
    if ids.dtype != np.uint8 or ids.ndim != 3 or len(ids) != record.frames or ids.size == 0:
        raise InputError(
            f"{path} must hold uint8 ids for {record.frames} frames, not {ids.dtype} {ids.shape}."
        )
    chosen = ids[list(indices)]
    if chosen.size and chosen.max() > SUBJECT:
        raise InputError(f"{path} holds part id {chosen.max()}; ids are 0 to {SUBJECT}.")
    placement = _placement(record, size)
    (width, height), (left, top) = placement.size, placement.corner
    rows, columns = _nearest(ids.shape[1], height), _nearest(ids.shape[2], width)
    # Part maps may be smaller than the frames; each pixel gets the id of the nearest one.
    placed = torch.zeros(len(chosen), size, size, dtype=torch.int64)
    scaled = chosen[:, rows[:, None], columns[None, :]]
    placed[:, top : top + height, left : left + width] = torch.from_numpy(scaled).long()
    return placed


def read_track(folder: str | Path, record: ClipRecord) -> Waveform:
    """The whole sound `[1 n]` of the source video that a clip was cut from.

    Raises:
        InputError: as `read_sound`, or the sound ends before the clip does.
    """
    sound = read_sound(Path(folder) / record.track)
    end = record.start + record.frames / record.fps
    if sound.seconds < end - 0.001:
        raise InputError(
            f"{Path(folder) / record.track} lasts {sound.seconds:.2f} s, "
            f"but the clip {record.key} ends at {end:.2f} s."
        )
    return sound


def read_sound(path: str | Path) -> Waveform:
    """A 16-bit PCM WAV file as `[channels n]` in -1..1, without a decoding library.

    Raises:
        InputError: the file is missing, damaged, cut short, or holds other samples.
    """
    path = _existing(path)
    try:
        with path.open("rb") as file, wave.open(file) as sound:
            channels, width, rate, frames, _, _ = sound.getparams()
            data = sound.readframes(frames)
    except (wave.Error, OSError, EOFError, RuntimeError) as error:
        reason = str(error) or "it ends too early"
        raise InputError(f"{path} cannot be read as 16-bit PCM sound: {reason}.") from error
    if width != 2 or rate < 1:
        raise InputError(f"{path} holds {8 * width} bits at {rate} Hz; it must be 16-bit PCM.")
    if len(data) != frames * channels * width:
        raise InputError(f"{path} ends before its {frames} samples.")
    by_channel = rearrange(np.frombuffer(data, "<i2"), "(n c) -> c n", c=channels)
    return Waveform(np.ascontiguousarray(by_channel).astype(np.float32) / 32768, rate)


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays of an NPZ file by name; their checksums are verified before they are parsed.

    Raises:
        InputError: the file is damaged, or lacks one of them.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with ZipFile(path) as file:
            for name in names:
                data = BytesIO(file.read(f"{name}.npy"))
                arrays[name] = np.lib.format.read_array(data, allow_pickle=False)
    except (ValueError, TypeError, KeyError, OSError, EOFError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as arrays: {error}.") from error
    except (SyntaxError, TokenError, MemoryError) as error:  # the header's Python literal
        raise InputError(f"{path} has an array header that cannot be read: {error}.") from error
    except (BadZipFile, zlib.error, lzma.LZMAError, struct.error) as error:
        raise InputError(f"{path} is damaged: {error}.") from error
    return arrays


def content_hash(video: str | Path, track: str | Path) -> str:
    """SHA-256 (hexadecimal) of a video file and a track.

    Raises:
        InputError: one of them is missing.
    """
    digests = [hashlib.sha256(_existing(path).read_bytes()).digest() for path in (video, track)]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _existing(*parts: str | Path) -> Path:
    path = Path(*parts)
    if not is_file(path):
        raise InputError(f"The data set lacks the file {path}.")
    return path


def _check_indices(record: ClipRecord, indices: Sequence[int]) -> None:
    outside = [i for i in indices if not 0 <= i < record.frames]
    if outside:
        raise ValueError(f"{record.key} has {record.frames} frames, there is no {outside[0]}")


def _decoded(path: Path, record: ClipRecord) -> Iterator[tuple[int, Image.Image]]:
    """Frames of a clip with their numbers, from the first on."""
    import av

    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no pictures.")
            stream: Any = container.streams.video[0]
            if stream.frames not in (0, record.frames):
                raise InputError(f"{path} has {stream.frames} frames, not {record.frames}.")
            for number, frame in enumerate(video_frames(container, strict=True)):
                width, height = frame.size
                if (width, height) != (record.width, record.height):
                    raise InputError(
                        f"{path} is {width} x {height} pixels, "
                        f"not {record.width} x {record.height}."
                    )
                yield number, Image.fromarray(frame.pixels())
    except av.FFmpegError as error:
        raise InputError(f"{path} cannot be read as a video: {error.strerror}.") from error


def _placement(record: ClipRecord, size: int) -> Placement:
    """The placement of a clip's frames in the square."""
    return place(Image.new("RGB", (record.width, record.height)), size)


def _inside(placement: Placement) -> Tensor:
    """Bool `[1 s s]`: true inside the picture, false in the margins."""
    (width, height), (left, top) = placement.size, placement.corner
    inside = torch.zeros(1, placement.side, placement.side, dtype=torch.bool)
    inside[:, top : top + height, left : left + width] = True
    return inside


def _nearest(old: int, new: int) -> np.ndarray:
    """For each of `new` cells, the one of `old` cells with the nearest centre."""
    return ((np.arange(new) + 0.5) * old / new).astype(np.int64)
