"""Body-part ids of part maps and the palette that colours them."""

from __future__ import annotations

import colorsys

import torch
from einops import rearrange
from torch import Tensor

from .errors import InputError

SUBJECT = 25
"""Id of the subject without a part: all that a plain mask can tell. 0 is the background, 1 to 24
are DensePose's parts."""

FAR_COLOUR, MOST_FAR_COLOURS = 0.15, 0.1
"""Distance in RGB from the palette, and the share of pixels beyond it, of maps that are none.
Compression and blending at the borders of parts stay below."""


def palette() -> Tensor:
    """Colours `[26 3]` in 0..1 by id: background black, 24 hues, subject white."""
    hues = [colorsys.hsv_to_rgb(i / 24, 0.9 if i % 2 else 0.55, 0.95) for i in range(24)]
    return torch.tensor([(0.0, 0.0, 0.0), *hues, (1.0, 1.0, 1.0)])


def require_part_colours(colours: Tensor, name: str) -> None:
    """Raises InputError where too many pixels of a map `[3 h w]` in 0..1, called `name`, are far
    from every colour of the palette, as those of a photo are."""
    pixels = rearrange(colours, "c h w -> (h w) c")
    distances = torch.cdist(pixels, palette().to(colours)).amin(dim=1)
    share = float((distances > FAR_COLOUR).float().mean())
    if share > MOST_FAR_COLOURS:
        raise InputError(
            f"{name} has other colours than a map of body parts in {share:.0%} of its pixels: it "
            f"must use the pack's palette."
        )


def part_ids(colours: Tensor) -> Tensor:
    """Ids `[h w]` of a coloured part map `[3 h w]` in 0..1, by the nearest palette colour."""
    distances = torch.cdist(rearrange(colours, "c h w -> (h w) c"), palette().to(colours))
    return rearrange(distances.argmin(dim=1), "(h w) -> h w", h=colours.shape[1])
