"""Captions for all clips of a data set: looked up in a file, or asked for, clip by clip."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from einops import rearrange
from tqdm import tqdm

from ...dataset.format import ClipRecord
from ...media.video import read_video
from .captioner import Captioner, CaptionError

EVERY = 10
"""A caption is asked for with every tenth frame of the clip (section 4.1)."""


def look_up(captions: Mapping[str, str], clips: Sequence[ClipRecord]) -> list[str]:
    """The caption of each clip: its own, else its source's, else ""."""
    return [next((captions[n] for n in _names(c) if n in captions), "") for c in clips]


def ask(captioner: Captioner, dataset: Path, clips: Sequence[ClipRecord]) -> Iterator[str]:
    """What the captioner says, one clip after the other; "" where it gives no usable sentence,
    which is told.

    Raises:
        InputError: as the captioner, or a clip cannot be read.
    """
    for clip in tqdm(clips, desc="captions", unit="clip"):
        try:
            yield captioner(clip.key, shown_frames(dataset, clip))
        except CaptionError as error:
            tqdm.write(f"no caption: {error}", file=sys.stderr)
            yield ""


def shown_frames(dataset: Path, clip: ClipRecord) -> list[np.ndarray]:
    """The frames, uint8 `[h w 3]`, that a captioner is shown of a clip."""
    frames, _ = read_video(dataset / clip.file_name)
    pixels = rearrange(frames[::EVERY] * 255, "f c h w -> f h w c").round().byte()
    return [frame.contiguous().numpy() for frame in pixels]


def _names(clip: ClipRecord) -> list[str]:
    """What a captions file may call the clip, the most exact first."""
    file, source = PurePosixPath(clip.file_name), PurePosixPath(clip.source)
    return [
        str(file),
        file.name,
        file.stem,
        str(source),
        str(source.with_suffix("")),
        source.name,
        source.stem,
    ]
