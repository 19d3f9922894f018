"""The files of a clip and of its track, each written atomically."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..audio.waveform import Waveform
from ..dataset.format import SOUND_RATE
from ..files import atomic_path
from ..media.video import write_video

CHUNK = 8
"""Frames converted to floats at a time."""


def write_frames(path: Path, frames: np.ndarray, fps: int) -> None:
    """Write an H.264 video without sound.

    Args:
        frames: uint8 `[f h w 3]`, h and w even.
    """

    def chunks() -> Iterator[Tensor]:
        for i in range(0, len(frames), CHUNK):
            pixels = torch.from_numpy(frames[i : i + CHUNK]).float() / 255
            yield rearrange(pixels, "f h w c -> f c h w")

    write_video(path, chunks(), fps)


def write_sound(path: Path, wave: Waveform) -> None:
    """Write 16-bit PCM; samples beyond full scale are clipped.

    Raises:
        ValueError: `wave` is not mono at 16 kHz.
    """
    from scipy.io import wavfile

    if wave.sample_rate != SOUND_RATE or len(wave.samples) != 1:
        raise ValueError(
            f"wave must be mono at 16 kHz, got {wave.samples.shape} at {wave.sample_rate} Hz"
        )
    integers = (wave.samples[0] * 32768).round().clip(-32768, 32767).astype(np.int16)
    with atomic_path(path) as temporary:
        wavfile.write(temporary, SOUND_RATE, integers)


def write_part_maps(path: Path, ids: np.ndarray) -> None:
    """Write part ids uint8 `[f h w]`, compressed."""
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, ids=ids)
