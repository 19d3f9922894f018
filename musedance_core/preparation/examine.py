"""Is a stretch of a source a clip? Its crop, or the reason why not, with the figure measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .crop import PixelBox, crop_around
from .cuts import describe
from .log import Unusable
from .options import ASPECTS, ClipOptions
from .subject import Box, changes, everywhere, moving, region, subjects

REPEATED = 0.1
PLAIN = 0.02
CHANGED = 0.4
CAMERA = 0.3


def examine(
    thumbs: np.ndarray,
    numbers: np.ndarray,
    ids: np.ndarray | None,
    size: tuple[int, int],
    options: ClipOptions,
) -> PixelBox:
    """The crop around the only subject of a stretch.

    Args:
        thumbs: its frames, small, uint8 `[f h w 3]`.
        numbers: which frames of the source they are `[f]`.
        ids: their part ids `[f h w]`, None where unknown.
        size: of the source's frames (width, height).

    Raises:
        Unusable: the reason why it is no clip.
    """
    _check_frames(thumbs, numbers)
    steps = changes(thumbs)
    whole = everywhere(steps)
    if whole.mean() > CAMERA:
        raise Unusable(f"camera: the border moves in {whole.mean():.0%} of the frames")
    subject = _only_by_motion(steps[~whole].mean(axis=0)) if ids is None else _only_by_parts(ids)
    crop = crop_around(subject, size, ASPECTS[options.aspect])
    motion = motion_within(thumbs, crop)
    if motion < options.min_motion:
        raise Unusable(f"still: motion {motion:.4f} is below {options.min_motion}")
    if motion > options.max_motion:
        raise Unusable(f"restless: motion {motion:.4f} is above {options.max_motion}")
    if max(crop.width, crop.height) < options.size / 2:
        raise Unusable(
            f"small: the subject and its surroundings are {crop.width} x {crop.height} pixels"
        )
    return crop


def motion_within(thumbs: np.ndarray, crop: PixelBox) -> float:
    """Mean absolute difference, 0..1, of neighbouring frames inside the crop."""
    height, width = thumbs.shape[1:3]
    left, top, right, bottom = crop.shares
    rows = slice(int(top * height), max(round(bottom * height), int(top * height) + 1))
    columns = slice(int(left * width), max(round(right * width), int(left * width) + 1))
    return mean_motion(thumbs[:, rows, columns])


def mean_motion(frames: np.ndarray) -> float:
    """Mean absolute difference, 0..1, of neighbouring frames uint8 `[f h w 3]`."""
    steps = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)]
    return float(np.mean(steps)) / 255


def _check_frames(thumbs: np.ndarray, numbers: np.ndarray) -> None:
    """Refuse frames that repeat, show nothing, or fade into others."""
    different = len(np.unique(numbers))
    if different < len(numbers) * (1 - REPEATED):
        raise Unusable(f"stutter: only {different} of {len(numbers)} frames differ")
    plain = [frame.std(axis=(0, 1)).mean() / 255 for frame in thumbs]
    if min(plain) < PLAIN:
        raise Unusable(f"blank: frame {int(np.argmin(plain))} shows nothing")
    _, colours = describe(thumbs)
    quarter = max(1, len(thumbs) // 4)
    change = np.abs(colours[:quarter].mean(axis=0) - colours[-quarter:].mean(axis=0)).sum() / 2
    if change > CHANGED:
        raise Unusable(f"transition: {change:.0%} of the colours change")


def _only_by_motion(energies: np.ndarray) -> Box:
    mask = moving(energies)
    subject = region(mask)
    if subject is None:
        raise Unusable(f"still: no pixel moves by more than {energies.max():.4f}")
    found = subjects(mask)
    if len(found) > 1:
        raise Unusable(f"several subjects: {len(found)} separate regions move")
    return subject


def _only_by_parts(ids: np.ndarray) -> Box:
    counts = [len(subjects(frame > 0)) for frame in ids if frame.any()]
    if counts and np.median(counts) > 1:
        raise Unusable(f"several subjects: {int(np.median(counts))} of them have parts")
    subject = region(np.any(ids > 0, axis=0))
    if subject is None:
        raise Unusable("no parts: the part maps are empty")
    return subject
