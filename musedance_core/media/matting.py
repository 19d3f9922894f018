"""Mattes of dancers: alpha, and colours without the background's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..dance.fill import fill_holes
from ..dance.guided_filter import apply_guide, guided_coefficients
from ..geometry import least_squares, pixel_centres, quadratic_terms


@dataclass(frozen=True)
class MattingThresholds:
    """Thresholds for finding a dancer in front of a plain background. Colours are in 0..1."""

    # Largest difference of a plain background from smooth colours, and the share of the border
    # within it.
    plain: float = 0.08
    plain_share: float = 0.9
    # Rounds of fitting smooth colours.
    rounds: int = 4
    # Pixels that the fit looks at, at most.
    samples: int = 20_000
    # Smallest colour step at the dancer's outline; a smaller one is a glow or a shadow.
    outline_step: float = 0.16
    # Smallest and largest share of the picture that a dancer covers.
    smallest_dancer: float = 0.004
    largest_dancer: float = 0.7
    # Pixels on either side of the outline in which colours mix, for a picture of 512 pixels.
    mixed: float = 1.5
    # Steepness of the outline of a mask that a network predicted.
    sharpness: float = 3.0
    # Of the guided filter: longer side and window's radius in pixels, and the variance of colours
    # that counts as noise.
    guide_side: int = 320
    guide_radius: int = 8
    guide_noise: float = 1e-3


MATTING = MattingThresholds()


def plain_matte(picture: Tensor) -> Tensor | None:
    """The dancer in front of a plain background as straight RGBA, `[4 h w]`.

    A background is plain if a quadratic polynomial fits its colours along the border, and what does
    not fit it has a sharp outline.

    Args:
        picture: `[3 h w]` in 0..1.

    Returns:
        The matte, or None if the background is not plain or nothing stands in front of it.
    """
    from scipy.ndimage import binary_dilation, binary_erosion, label

    h, w = picture.shape[-2:]
    smooth = smooth_background(picture)
    if smooth is None:
        return None
    residual = (picture - smooth).abs().amax(dim=0)

    # The background is what fits and is connected with the border; holes inside the dancer stay.
    regions, _ = label((residual < MATTING.plain).numpy())
    border = border_of(h, w).numpy()
    outside = torch.from_numpy((regions > 0) & np.isin(regions, np.unique(regions[border])))
    hidden = ~outside
    covered = float(hidden.float().mean())
    if not MATTING.smallest_dancer <= covered <= MATTING.largest_dancer:
        return None
    # Soft edges are as many pixels wide as colours mix.
    width = max(1, round(MATTING.mixed * max(h, w) / 512))
    outline = hidden & torch.from_numpy(binary_dilation(outside.numpy()))
    step = F.max_pool2d(residual[None], 4 * width + 1, stride=1, padding=2 * width)[0]
    if step[outline].median() < MATTING.outline_step:
        return None

    # Along the outline, colours are mixtures of the dancer's next to it and the background's.
    inner = torch.from_numpy(binary_erosion(hidden.numpy(), iterations=width))
    band = torch.from_numpy(binary_dilation(hidden.numpy(), iterations=width)) & ~inner
    own = fill_holes(picture, inner.float())
    way = own - smooth
    alpha = ((picture - smooth) * way).sum(dim=0) / way.square().sum(dim=0).clamp_min(1e-3)
    alpha = torch.where(band, alpha.clamp(0, 1), inner.float())
    colours = torch.where(band, own, picture)
    return torch.cat([colours, alpha[None]])


def subject_alpha(picture: Tensor, parts: Tensor) -> Tensor:
    """Alpha `[h w]` of the dancer in `picture [3 h w]`, from coarse weights `[p y x]` of its parts
    and snapped to the edges of the picture by a guided filter."""
    h, w = picture.shape[-2:]
    scale = min(1.0, MATTING.guide_side / max(h, w))
    size = (max(2, round(h * scale)), max(2, round(w * scale)))
    coarse = parts.sum(dim=0).clamp(0, 1)[None, None]
    mask = F.interpolate(coarse, size, mode="bilinear", align_corners=False)[0]
    guide = F.interpolate(picture[None], size, mode="area")[0]
    radius, noise = MATTING.guide_radius, MATTING.guide_noise
    alpha = apply_guide(guided_coefficients(guide, mask, radius, noise)[0], picture)
    return ((alpha - 0.5) * MATTING.sharpness + 0.5).clamp(0, 1)


def smooth_background(picture: Tensor) -> Tensor | None:
    """A quadratic polynomial that fits the colours of `picture [3 h w]` along its border, of the
    same shape, or None if none does."""
    h, w = picture.shape[-2:]
    basis = quadratic_terms(pixel_centres(h, w))
    places = border_of(h, w).flatten().nonzero()[:, 0]
    places = places[:: max(1, len(places) // MATTING.samples)]
    colours, terms = rearrange(picture, "c h w -> (h w) c")[places], basis[places].to(picture)
    plain = torch.ones(len(places), dtype=torch.bool)
    for _ in range(MATTING.rounds):
        fit = least_squares(terms[plain], colours[plain])
        residual = (colours - terms @ fit).abs().amax(dim=1)
        plain = residual < MATTING.plain
        if plain.float().mean() < MATTING.plain_share:
            return None
    smooth = rearrange(basis.to(picture) @ fit, "(h w) c -> c h w", h=h)
    return smooth.clamp(0, 1)


def border_of(h: int, w: int) -> Tensor:
    """The outermost pixels of a picture, where a dancer is rare, as bool `[h w]`."""
    border = torch.ones(h, w, dtype=torch.bool)
    edge = max(1, min(h, w) // 16)
    border[edge:-edge, edge:-edge] = False
    return border
