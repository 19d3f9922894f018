"""Shot detection: the frames at which a video cuts from one shot to the next.

Neighbouring frames are compared by their colour histograms and by the mean colours of a coarse
grid. At a cut, the difference stands out from the motion around it, and every frame shortly before
the cut differs from every frame shortly after it. A flash fails the second test: the shot before it
goes on after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from einops import rearrange, reduce


@dataclass(frozen=True)
class ShotThresholds:
    """Thresholds of shot detection. Differences of frames are in 0..1, as `frame_difference`."""

    cell_side: int = 16  # pixels of a thumbnail along the side of a grid cell
    colour_levels: int = 4  # histogram bins a colour channel
    min_difference: float = 0.12  # no cut changes a frame less than this
    min_prominence: float = 3.0  # a cut is this many times the median difference around it
    context_frames: int = 6  # frames on either side that this median is taken over
    flash_frames: int = 3  # frames on either side that must all differ: longer than a flash
    guard_frames: int = 2  # frames left out on either side of a cut: compression blends them


THRESHOLDS = ShotThresholds()


def detect_shots(thumbs: np.ndarray) -> list[range]:
    """Frame numbers of each shot, without the frames next to a cut.

    Args:
        thumbs: the video's frames, uint8 `[f h w 3]`.
    """
    guard = THRESHOLDS.guard_frames
    edges = [0, *detect_cuts(thumbs), len(thumbs)]
    shots = [
        range(begin + guard * (begin > 0), end - guard * (end < len(thumbs)))
        for begin, end in pairwise(edges)
    ]
    return [shot for shot in shots if len(shot)]


def detect_cuts(thumbs: np.ndarray) -> list[int]:
    """Numbers of the frames that start a new shot, in rising order.

    Args:
        thumbs: the video's frames, uint8 `[f h w 3]`.
    """
    if len(thumbs) < 2:
        return []
    cells, histograms = colour_features(thumbs)
    steps = np.array(
        [frame_difference(cells, histograms, k, k + 1) for k in range(len(thumbs) - 1)]
    )
    cuts = []
    for k, step in enumerate(steps):
        # A cut is a local maximum that stands out from the motion around it.
        context = THRESHOLDS.context_frames
        around = np.r_[steps[max(k - context, 0) : k], steps[k + 1 : k + 1 + context]]
        usual = float(np.median(around)) if len(around) else 0.0
        lowest = max(THRESHOLDS.min_difference, THRESHOLDS.min_prominence * usual)
        if step < lowest or step < steps[k - 1 : k + 2].max(initial=0):
            continue
        # After a flash the same shot goes on, so some frame after it equals some frame before it.
        before = range(max(k + 1 - THRESHOLDS.flash_frames, 0), k + 1)
        after = range(k + 1, min(k + 1 + THRESHOLDS.flash_frames, len(thumbs)))
        nearest = min(frame_difference(cells, histograms, i, j) for i in before for j in after)
        if nearest >= max(THRESHOLDS.min_difference, step / 2):
            cuts.append(k + 1)
    return cuts


def colour_features(thumbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colours of a coarse grid `[f n 3]` in 0..1, and colour histograms `[f bins]` that sum
    to 1.

    Args:
        thumbs: frames, uint8 `[f h w 3]`.
    """
    side, levels = THRESHOLDS.cell_side, THRESHOLDS.colour_levels
    rows, columns = (max(1, length // side) for length in thumbs.shape[1:3])
    height, width = thumbs.shape[1] // rows * rows, thumbs.shape[2] // columns * columns
    cells, counts = [], []
    for thumb in thumbs:  # one by one: an hour of thumbnails takes gigabytes as floats
        cells.append(
            reduce(
                thumb[:height, :width].astype(np.float32) / 255,
                "(h rows) (w columns) c -> (h w) c",
                "mean",
                rows=rows,
                columns=columns,
            )
        )
        red, green, blue = rearrange(thumb // (256 // levels), "h w c -> c (h w)")
        counts.append(np.bincount((red * levels + green) * levels + blue, minlength=levels**3))
    return np.stack(cells), np.stack(counts) / (thumbs.shape[1] * thumbs.shape[2])


def frame_difference(cells: np.ndarray, histograms: np.ndarray, i: int, j: int) -> float:
    """Difference of frames i and j in 0..1: geometric mean of histogram and grid differences.

    A lamp changes the histogram alone and a dancer the grid alone; a cut changes both.
    """
    by_colour = float(np.abs(histograms[i] - histograms[j]).sum()) / 2
    by_place = float(np.abs(cells[i] - cells[j]).mean())
    return math.sqrt(by_colour * by_place)
