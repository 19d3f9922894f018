"""Consistency over time: identity, background, flicker and seams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

Embed = Callable[[Tensor], Tensor]
"""Maps pictures `[n 3 h w]` in 0..1 to embeddings `[n d]`."""

CHANGED = 0.1
"""Difference from the reference, in any channel, above which a pixel counts as changed."""
MARGIN = 16
"""The changed region is dilated by the picture's shorter side over this."""
SMALLEST_REGION = 0.02
"""Share of the picture that a background needs to be measured."""


def background_region(frames: Tensor, reference: Tensor) -> Tensor:
    """Returns the pixels of the background, `[h w]` bool.

    These are the pixels where `frames [f 3 h w]` never differ from `reference [3 h w]` by more than
    `CHANGED`, less a margin around the others. Pass ground-truth frames where available: a
    background that drifts in the video itself would hide its own drift.
    """
    change = torch.zeros(reference.shape[-2:])
    for frame in frames:
        change = torch.maximum(change, (frame - reference).abs().amax(dim=0))
    reach = max(1, min(change.shape) // MARGIN)
    region = rearrange((change > CHANGED).float(), "h w -> 1 1 h w")
    across = F.max_pool2d(region, (1, 2 * reach + 1), stride=1, padding=(0, reach))
    grown = F.max_pool2d(across, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
    return rearrange(grown, "1 1 h w -> h w") == 0


def large_enough(region: Tensor) -> bool:
    """Returns True if a region `[h w]` is large enough to measure the background."""
    return float(region.float().mean()) >= SMALLEST_REGION


def background_error(frames: Tensor, reference: Tensor, region: Tensor) -> float:
    """Mean absolute difference from the reference inside `region`, in grey levels of 255.

    The region is `[h w]`, or `[f h w]` where it differs between frames; it is not empty.
    """
    total, count = 0.0, 0
    for frame, pixels in zip(frames, region.expand(len(frames), -1, -1), strict=True):
        errors = (frame - reference).abs().mean(dim=0)[pixels]
        total, count = total + float(errors.double().sum()), count + len(errors)
    return total / count * 255


def flicker(frames: Tensor, region: Tensor) -> float:
    """Frame-to-frame noise inside `region`, in grey levels of 255; 0 for a static video.

    It is the standard deviation of white noise with the same second difference in time, so
    alternation counts and a steady fade does not. Where the region `[f h w]` differs between
    frames, pixels count that are in it for three frames.
    """
    regions = region.expand(len(frames), -1, -1)
    total, count = 0.0, 0
    for i in range(len(frames) - 2):
        pixels = regions[i] & regions[i + 1] & regions[i + 2]
        power = (frames[i] - 2 * frames[i + 1] + frames[i + 2]).square().mean(dim=0)[pixels]
        total, count = total + float(power.double().sum()), count + len(power)
    return float(np.sqrt(total / max(1, count) / 6)) * 255


def seam_jump(energy: np.ndarray, segment: int) -> float | None:
    """Frame difference at the seams over the median elsewhere; 1 means invisible seams.

    energy `[f-1]` is the motion energy, entry i between frames i and i + 1; a seam lies between
    frames k * segment - 1 and k * segment. None for a single segment or a static video.
    """
    at_seam = np.zeros(len(energy), dtype=bool)
    at_seam[segment - 1 :: segment] = True
    usual = float(np.median(energy[~at_seam]))
    return float(energy[at_seam].mean()) / usual if at_seam.any() and usual > 0 else None


def similarity(embed: Embed, frames: Tensor, reference: Tensor) -> Tensor:
    """Cosine similarity `[f]` between each frame's embedding and the reference picture's."""
    whole = torch.cat([rearrange(reference, "c h w -> 1 c h w"), frames])
    vectors = F.normalize(embed(whole).float(), dim=-1)
    return vectors[1:] @ vectors[0]


def drift(similar: Tensor, segment: int) -> float | None:
    """Mean of `similar [f]` over the last whole segment over that of the first, or None."""
    whole = len(similar) // segment
    if whole < 2:
        return None
    first = float(similar[:segment].mean())
    last = float(similar[(whole - 1) * segment : whole * segment].mean())
    return last / first if first > 0 else None
