"""The background behind a figure.

It goes on smoothly, and so does its pattern: stripes, tiles, the line of a floor. The hole is
filled with the picture itself, shifted so that it agrees with what surrounds the hole, and levelled
so that no border shows. Where no shift predicts the surroundings better than their smooth
continuation does, nothing is copied.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.fft import irfft2, rfft2

from .fill import fill_holes, grow

GROWTH = 0.012
"""Width of the rim around a figure, in long sides of the picture, whose pixels are not trusted:
they hold a fringe of the figure."""
LEAST_GROWTH = 2
"""The least width of that rim in pixels."""


@dataclass(frozen=True)
class PatternSettings:
    """Lengths are in long sides of the picture."""

    ring: float = 0.025
    """Width of the surroundings with which a shift has to agree."""
    work_side: int = 160
    """Long side in pixels at which shifts are looked for."""
    inside: float = 0.1
    """Weight of what a shift shows in the hole, where the smooth continuation is expected."""
    better: float = 0.4
    """Largest squared error in the surroundings, over that of their smooth continuation."""
    least: float = 0.01
    """Error of the smooth continuation up to which there is no pattern."""
    rounds: int = 6
    """Shifts that one hole is filled with at most."""
    covered: float = 0.1
    """Least share of the hole that a shift has to fill."""


SETTINGS = PatternSettings()


def fill_background(picture: Tensor, figure_alpha: Tensor, trend: Tensor | None = None) -> Tensor:
    """The picture `[3 h w]` with the surroundings of a figure continued over it.

    Args:
        picture: in 0..1.
        figure_alpha: the figure, `[h w]` in 0..1.
        trend: `[3 h w]`, which the background follows all over, if that is known; only its
            differences from it are continued.
    """
    rim = max(LEAST_GROWTH, round(GROWTH * max(figure_alpha.shape)))
    hidden = grow((figure_alpha > 1 / 255).float(), rim)
    if bool(hidden.all()):
        # Of a figure that fills the picture, the border is the best guess at what is behind it.
        hidden[[0, -1]] = hidden[:, [0, -1]] = 0
    if trend is None:
        return continue_pattern(picture, hidden, fill_holes(picture, 1 - hidden))
    return (trend + fill_holes(picture - trend, 1 - hidden)).clamp(0, 1)


def continue_pattern(picture: Tensor, hidden: Tensor, smooth: Tensor) -> Tensor:
    """`smooth` with the pattern of the picture, where it has one.

    Args:
        picture: `[3 h w]` in 0..1.
        hidden: what to fill, `[h w]`, 0 or 1.
        smooth: the picture with a smooth continuation there, `[3 h w]`.
    """
    h, w = hidden.shape
    scale = min(1.0, SETTINGS.work_side / max(h, w))
    size = (max(1, round(h * scale)), max(1, round(w * scale)))
    radius = max(2, round(SETTINGS.ring * max(h, w)))

    def reduced(values: Tensor) -> Tensor:
        return F.interpolate(values[None], size, mode="area")[0]

    result = smooth
    for _ in range(SETTINGS.rounds):
        ring = grow(hidden, radius) - hidden
        # The surroundings as a smooth continuation from farther away has them.
        expected = fill_holes(result, 1 - hidden - ring)
        plain = _error(result, expected, ring)
        if plain < SETTINGS.least**2:
            break
        limit = SETTINGS.better * plain
        known = reduced(1 - hidden[None])[0].floor()
        around = reduced(ring[None])[0] * known
        coarse = _best_shift(reduced(result), known, around, limit)
        if coarse is None:
            break
        shift, error = _refined(result, hidden, ring, coarse, scale)
        if error > limit:
            break
        moved, seen = _shifted(result, shift), _shifted(1 - hidden[None], shift)[0]
        # Levels differ slowly from here to there; edges that are off by a pixel do not matter.
        usable = (1 - hidden) * seen
        off = _blurred((result - moved) * usable, radius)
        weight = _blurred(usable[None], radius)
        level = fill_holes(off / weight.clamp_min(1e-6), ring * usable)
        # The pixels filled now help to fill the rest.
        copied = hidden * seen
        hidden = hidden - copied
        result = torch.where(copied > 0, (moved + level).clamp(0, 1), result)
        result = fill_holes(result, 1 - hidden)
    return result


def _best_shift(
    picture: Tensor, known: Tensor, ring: Tensor, limit: float
) -> tuple[int, int] | None:
    """Rows and columns by which the shifted picture agrees best, but for its level, with the
    surroundings `ring` of what is not `known`, where the picture is smooth, and covers most of
    that; None where none covers enough.

    A shift that covers nothing counts like a squared error of `limit`.
    """
    h, w = known.shape
    size = (2 * h, 2 * w)
    hole = 1 - known

    def spectrum(x: Tensor) -> Tensor:
        result: Tensor = rfft2(x, s=size)
        return result

    # Sums of a(p) b(p + shift) over all pixels are products of spectra.
    seen, squared = spectrum(known), spectrum(known * picture.square().sum(0))
    colours = spectrum(known * picture)

    def compare(where: Tensor) -> tuple[Tensor, Tensor]:
        """Variance of picture(p) - picture(p + shift) over those pixels p of `where` whose shifted
        ones are known, and their share."""
        weight, weighed = spectrum(where).conj(), spectrum(where * picture).conj()
        squares = spectrum(where * picture.square().sum(0)).conj() * seen + weight * squared
        squares = irfft2(squares - 2 * (weighed * colours).sum(0), s=size)
        count = irfft2(weight * seen, s=size)
        mean = irfft2(weighed * seen - weight * colours, s=size) / count.clamp_min(1)
        variance = squares / count.clamp_min(1) - mean.square().sum(0)
        return variance.clamp_min(0), count / where.sum().clamp_min(1)

    error, agreeing = compare(ring)
    inside, cover = compare(hole)
    score = error + SETTINGS.inside * inside + limit * (1 - cover)
    score[(cover < SETTINGS.covered) | (agreeing < 0.3)] = torch.inf
    if not bool(score.isfinite().any()):
        return None
    row, column = divmod(int(score.argmin()), size[1])
    return (row + h) % size[0] - h, (column + w) % size[1] - w


def _refined(
    picture: Tensor, hidden: Tensor, ring: Tensor, coarse: tuple[int, int], scale: float
) -> tuple[tuple[int, int], float]:
    """The shift at full size near a coarse one that agrees best but for its level, and the variance
    of the difference."""
    reach = 0 if scale == 1 else round(1 / scale) + 1
    middle = [round(n / scale) for n in coarse]
    rows, columns = ring.nonzero(as_tuple=True)
    # A sample of the pixels is enough.
    step = max(1, len(rows) // 2000)
    rows, columns = rows[::step], columns[::step]
    h, w = hidden.shape
    best, least = (0, 0), float("inf")
    for dy in range(middle[0] - reach, middle[0] + reach + 1):
        for dx in range(middle[1] - reach, middle[1] + reach + 1):
            y, x = rows + dy, columns + dx
            inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
            y, x = y.clamp(0, h - 1), x.clamp(0, w - 1)
            usable = inside & (hidden[y, x] == 0)
            if int(usable.sum()) < 0.3 * len(rows):
                continue
            off = (picture[:, rows, columns] - picture[:, y, x])[:, usable]
            error = float(off.var(dim=1, correction=0).sum())
            if error < least:
                best, least = (dy, dx), error
    return best, least


def _shifted(values: Tensor, shift: tuple[int, int]) -> Tensor:
    """`values [c h w]` at p + `shift`, 0 beyond the picture."""
    h, w = values.shape[-2:]
    result = torch.zeros_like(values)
    to_y, to_x = (slice(max(0, -n), min(s, s - n)) for n, s in zip(shift, (h, w), strict=True))
    of_y, of_x = (slice(max(0, n), min(s, s + n)) for n, s in zip(shift, (h, w), strict=True))
    result[:, to_y, to_x] = values[:, of_y, of_x]
    return result


def _error(a: Tensor, b: Tensor, where: Tensor) -> float:
    """Mean squared distance of colours `[3 h w]` `where [h w]` is 1."""
    return float(((a - b).square().sum(0) * where).sum() / where.sum().clamp_min(1))


def _blurred(values: Tensor, radius: int) -> Tensor:
    return F.avg_pool2d(values[None], 2 * radius + 1, 1, radius)[0]
