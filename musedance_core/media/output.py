"""The file formats of a video: which ending has sound, transparency, or repeats for ever."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from ..audio.waveform import Waveform
from ..errors import InputError
from .animated import ANIMATED_SUFFIXES, write_animated
from .png_sequence import is_folder, write_png_sequence
from .video import VIDEO_SUFFIXES, write_video

SUFFIXES = VIDEO_SUFFIXES + ANIMATED_SUFFIXES
TRANSPARENT_SUFFIXES = (".webm", *ANIMATED_SUFFIXES)
"""Formats of transparent videos, besides a folder of PNG pictures."""


def write_output(
    target: str | Path,
    chunks: Iterable[Tensor],
    fps: float,
    sound: Waveform | None = None,
    start: float = 0.0,
) -> None:
    """Write frames in the format that the name of `target` selects, atomically.

    Args:
        target: .mp4, .mov, .m4v, .mkv or .webm with sound; .gif, .webp or .png, animated, without;
            a folder, its name with a slash at the end or there already, for PNG pictures.
        chunks: float frames `[f 3 h w]` in 0..1, one segment after the other; or `[f 4 h w]` with
            straight alpha, where the format allows it.
        fps: frames per second.
        sound: the whole song, or None for a silent video.
        start: seconds of the song at which the video starts.

    Raises:
        InputError: another ending, frames that the format cannot hold, or a target that cannot be
            written.
    """
    suffix = Path(target).suffix.lower()
    if is_folder(target):
        write_png_sequence(target, chunks)
    elif suffix in ANIMATED_SUFFIXES:
        write_animated(target, chunks, fps)
    elif suffix in VIDEO_SUFFIXES:
        write_video(target, chunks, fps, sound, start)
    else:
        raise InputError(
            f"The name {target} must end in {' or '.join(SUFFIXES)}, or in a slash for a folder of "
            "PNG pictures."
        )
