"""Shadows under the feet of figures, as stickers and emoji have them: they are of no limb."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..dance.skeleton import PART_INDEX

SIZES = {
    "wide": (0.35, 0.75),  # half width, in widths of the figure near the ground
    "flat": (0.08, 0.3),  # height over width
    "gap": (-0.03, 0.05),  # way below the figure, in its heights
    "opacity": (0.35, 1.0),
    "grey": (0.0, 0.5),
}
FEET = 0.12
"""Height of what is near the ground, in heights of the figure."""


def add_ground_shadow(
    picture: np.ndarray, parts: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws a shadow below a figure.

    Args:
        picture: straight RGBA `[h w 4]` in 0..1.
        parts: `[h w]`, 0 for air, else 1 + the index in `PARTS`.
        rng: chooses size, place and tone.

    Returns:
        Copies of both. The shadow has the trunk's label where nothing is in front of it. A figure
        without room below it stays as it is.
    """
    h, w = parts.shape
    wide, flat, gap, opacity, grey = (float(rng.uniform(*SIZES[name])) for name in SIZES)
    soft = float(rng.uniform(0, 0.02)) * h if rng.random() < 0.5 else 0.0
    rows, columns = np.nonzero(parts)
    if not len(rows):
        return picture.copy(), parts.copy()
    bottom, height = rows.max() + 1, rows.max() + 1 - rows.min()
    feet = columns[rows >= bottom - FEET * height]
    rx = wide * max(feet.max() + 1 - feet.min(), 0.2 * height)
    ry = max(1.5, flat * rx)
    centre = (float(feet.min() + feet.max() + 1) / 2, bottom + gap * height + ry)
    if centre[1] + ry > h:
        return picture.copy(), parts.copy()
    y, x = np.mgrid[:h, :w] + 0.5
    away = np.hypot((x - centre[0]) / rx, (y - centre[1]) / ry)
    cover = ((1 - away) * ry + 0.5).clip(0, 1)
    if soft:
        cover = ndimage.gaussian_filter(cover, soft)
    alpha = opacity * cover
    above = picture[..., 3]
    both = above + (1 - above) * alpha
    result = picture.copy()
    share = (above / np.maximum(both, 1e-6))[..., None]
    result[..., :3] = picture[..., :3] * share + grey * (1 - share)
    result[..., 3] = both
    shown = (parts == 0) & (alpha >= 0.5)
    return result, np.where(shown, 1 + PART_INDEX["torso"], parts).astype(parts.dtype)
