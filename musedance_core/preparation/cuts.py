"""Where a video changes from one shot to the next.

Two neighbouring frames are compared by their colours' histograms and by their pixels. A cut stands
out from the motion around it, and all frames close after it differ from all close before it; about
a flash they do not.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from einops import rearrange, reduce

CELLS = 16
BINS = 4
AROUND = 6
CLOSE = 3
LOWEST, OUTSTANDING = 0.12, 3.0
GUARD = 2
"""Frames left out at a cut, on either side: compression blends them."""


def shots(thumbs: np.ndarray) -> list[range]:
    """Frame numbers of each shot of `thumbs` uint8 `[f h w 3]`, without those next to a cut."""
    edges = [0, *find_cuts(thumbs), len(thumbs)]
    found = []
    for begin, end in pairwise(edges):
        kept = range(begin + GUARD * (begin > 0), end - GUARD * (end < len(thumbs)))
        if len(kept):
            found.append(kept)
    return found


def find_cuts(thumbs: np.ndarray) -> list[int]:
    """Numbers of the frames that start a new shot, rising."""
    if len(thumbs) < 2:
        return []
    cells, colours = describe(thumbs)
    step = np.array([_distance(cells, colours, k, k + 1) for k in range(len(thumbs) - 1)])
    cuts = []
    for k, value in enumerate(step):
        around = np.r_[step[max(k - AROUND, 0) : k], step[k + 1 : k + 1 + AROUND]]
        usual = float(np.median(around)) if len(around) else 0.0
        if value < max(LOWEST, OUTSTANDING * usual) or value < step[k - 1 : k + 2].max(initial=0):
            continue
        before = range(max(k + 1 - CLOSE, 0), k + 1)
        after = range(k + 1, min(k + 1 + CLOSE, len(thumbs)))
        nearest = min(_distance(cells, colours, i, j) for i in before for j in after)
        if nearest >= max(LOWEST, value / 2):
            cuts.append(k + 1)
    return cuts


def describe(thumbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colours of a coarse grid `[f n 3]`, and colour histograms `[f bins]` that sum to 1."""
    rows, columns = (max(1, side // CELLS) for side in thumbs.shape[1:3])
    height, width = thumbs.shape[1] // rows * rows, thumbs.shape[2] // columns * columns
    cells, counts = [], []
    for thumb in thumbs:  # one by one: an hour of them takes gigabytes in floats
        cells.append(
            reduce(
                thumb[:height, :width].astype(np.float32) / 255,
                "(h rows) (w columns) c -> (h w) c",
                "mean",
                rows=rows,
                columns=columns,
            )
        )
        red, green, blue = rearrange(thumb // (256 // BINS), "h w c -> c (h w)")
        counts.append(np.bincount((red * BINS + green) * BINS + blue, minlength=BINS**3))
    return np.stack(cells), np.stack(counts) / (thumbs.shape[1] * thumbs.shape[2])


def _distance(cells: np.ndarray, colours: np.ndarray, i: int, j: int) -> float:
    """How different frames i and j are, 0..1, by their colours and by where these are.

    It is the geometric mean: a lamp changes the colours alone, a dancer the places alone.
    """
    by_colour = float(np.abs(colours[i] - colours[j]).sum()) / 2
    by_place = float(np.abs(cells[i] - cells[j]).mean())
    return math.sqrt(by_colour * by_place)
