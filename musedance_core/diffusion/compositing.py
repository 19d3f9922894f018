"""Compositing: the picture's own pixels in decoded frames, at rest or warped as planned.

An autoencoder reproduces no picture exactly, and a small denoiser makes it softer still and
slightly different in every frame: backgrounds lose texture and flicker, the dancer loses its edges.
Where a frame resembles the picture as the autoencoder reproduces it, the picture itself is shown
instead. The paper has no such step. The thresholds were chosen on validation clips (see the model
card).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry import least_squares, pixel_centres, quadratic_terms, source_points, warp_images
from .segment import Reference


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of compositing. Colour differences are in 0..1, averaged over 3 x 3 pixels."""

    # A frame shows the picture up to the first difference, and does not from the second on.
    same: float = 0.05
    different: float = 0.2
    # Relative margin by which the warped picture must be nearer to be used alone. In a tie the
    # picture at rest is used, or its texture would follow the dancer.
    clearly_nearer: float = 0.25
    # Factor of the difference to the picture at rest where only background is possible.
    background_factor: float = 0.1
    # Pixels around the dancer that move with it.
    margin: int = 1
    # Mean relative margin from which a pixel belongs to a dancer without part map.
    vote: float = 0.1


@dataclass(frozen=True)
class DetectionThresholds:
    """Thresholds for detecting a dancer without part map on a smooth or plain background."""

    # Range of a colour within 3 x 3 pixels from which there is an edge.
    edge: float = 0.12
    # Share of the picture's border that must be free of edges.
    calm_border: float = 0.75
    # Share of the motion that the edges must enclose.
    enclosed_motion: float = 0.35
    # Largest difference of a plain background from smooth colours, and the share within it.
    plain: float = 0.08
    plain_share: float = 0.9
    # Rounds of fitting smooth colours.
    rounds: int = 4
    # Smallest colour step at the dancer's outline; a smaller one is a glow or a shadow.
    outline_step: float = 0.16
    # Largest share of the picture that a dancer covers.
    largest_dancer: float = 0.7


THRESHOLDS, DETECTION = Thresholds(), DetectionThresholds()
TINY = 1e-3
"""Avoids division by zero in relative differences."""


class Autoencoder(Protocol):
    """Encodes pictures `[b 3 h w]` in 0..1 to latents `[b c h w]`, scaled, and decodes them to
    float32 pictures; accepts any device and dtype."""

    def encode(self, pictures: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


def restore_picture(frames: Tensor, reference: Reference, warp: Tensor, vae: Autoencoder) -> Tensor:
    """Composites the decoded `frames [f 3 h w]` of a whole segment; see `composite`.

    The part map of `reference` marks the dancer; `warp [f 2 6]` is the segment's; `vae` decoded the
    frames.
    """

    def reproduce(pictures: Tensor) -> Tensor:
        return vae.decode(vae.encode(pictures)).to(pictures)

    frames = frames.float().cpu()
    part_map = reference.part_map
    dancer = None if part_map is None else part_map.cpu() > 0
    picture = reference.pixels.to(frames)
    return composite(frames, picture, warp.to(frames), reproduce, dancer)


def composite(
    frames: Tensor,
    picture: Tensor,
    warp: Tensor,
    reproduce: Callable[[Tensor], Tensor],
    dancer: Tensor | None = None,
) -> Tensor:
    """Returns the frames with the picture's own pixels, `[f 3 h w]`.

    Each pixel takes the nearer of the picture at rest and the warped picture, as far as it
    resembles it; pixels that resemble neither keep the decoded colour. Only the dancer moves, and a
    plain background appears where the dancer was. Without a part map the dancer is detected.

    Args:
        frames: decoded, `[f 3 h w]` in 0..1.
        picture: `[3 h w]` in 0..1.
        warp: the planned warp of the picture in each frame, `[f 2 6]`.
        reproduce: passes pictures `[n 3 h w]` through the autoencoder.
        dancer: bool `[h w]`, the dancer's pixels in the picture; None or all False if unknown.
    """
    if dancer is not None and not dancer.any():
        dancer = None

    # Frames are compared with the picture as the autoencoder reproduces it, at rest and warped.
    rest, warped = reproduce(picture[None]), warp_images(picture[None], warp[None])
    to_warped = _difference(frames, reproduce(warp_images(rest, warp[None])))

    # The dancer: from the part map, or detected on a plain or smooth background, or, on a busy one,
    # the pixels that most frames show warped.
    background = plain_background(picture, dancer)
    if dancer is None and background is not None:
        dancer = background.hidden
    known = dancer is not None
    if dancer is None:
        preference = _preference(_difference(frames, rest), to_warped)
        dancer = _enclosed_dancer(picture, _votes(preference, warp))
        known = dancer is not None
        if dancer is None:
            dancer = _votes(preference - THRESHOLDS.vote, warp) > 0

    # Only the dancer moves. A plain background continues where it stood at rest.
    grown = _dilate(dancer, THRESHOLDS.margin)[None, None].to(frames)
    may_move = warp_images(grown, warp[None])
    still = picture
    if background is not None:
        inside = may_move > 0.999  # not on the outline: no trace of the dancer at rest
        rest = torch.where(inside, rest, reproduce(background.colours[None]))
        still = torch.where(inside, picture, background.colours)
    to_rest = _difference(frames, rest)
    if known:
        behind = (1 - may_move) * (1 if background is not None else 1 - grown)
        to_rest = to_rest * (1 - (1 - THRESHOLDS.background_factor) * behind)

    # Blend in the nearer picture, as far as the frame resembles it.
    nearer = _preference(to_rest, to_warped) / THRESHOLDS.clearly_nearer
    moving = nearer.clamp(0, 1) * may_move
    still_share = (1 - moving) * _similarity(to_rest)
    warped_share = moving * _similarity(to_warped)
    return frames + still_share * (still - frames) + warped_share * (warped - frames)


def _difference(frames: Tensor, other: Tensor) -> Tensor:
    """Returns the largest difference over colours, averaged over 3 x 3 pixels, `[f 1 h w]`."""
    difference = (frames - other).abs().amax(dim=1, keepdim=True)
    return F.avg_pool2d(difference, 3, stride=1, padding=1, count_include_pad=False)


def _preference(to_rest: Tensor, to_warped: Tensor) -> Tensor:
    """Returns -1 where a frame shows the picture at rest, 1 where it shows the warped picture."""
    return (to_rest - to_warped) / (to_rest + to_warped + TINY)


def _votes(preference: Tensor, warp: Tensor) -> Tensor:
    """Returns a map of the picture, `[h w]`, positive where frames show it warped, not at rest.

    Every pixel of every frame votes, with its `preference [f 1 h w]`, for the place in the picture
    that `warp [f 2 6]` takes it from.
    """
    h, w = preference.shape[-2:]
    sources = (source_points(warp, pixel_centres(h, w, warp.device)) + 1) / 2
    column, row = (sources * sources.new_tensor((w, h))).floor().long().unbind(-1)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    place = (row * w + column)[inside]
    votes = preference.new_zeros(h * w).index_add(0, place, preference.flatten(1)[inside])
    return F.avg_pool2d(votes.view(1, h, w), 3, stride=1, padding=1)[0]


def _enclosed_dancer(picture: Tensor, votes: Tensor) -> Tensor | None:
    """Detects a dancer on a smooth background: the moving pixels that edges enclose, bool `[h w]`.

    None if the picture's border has edges, or if most of the motion by `votes [h w]` is outside:
    then the outline has a gap.
    """
    spread = F.max_pool2d(picture, 3, stride=1, padding=1)
    spread = (spread + F.max_pool2d(-picture, 3, stride=1, padding=1)).amax(dim=0)
    border, smooth = _border(picture), spread < DETECTION.edge
    background = ~_unreachable(smooth & border, smooth)
    dancer = ~_dilate(background, 1) & (votes > 0)  # an edge shows one pixel away
    motion = votes.clamp(min=0)
    inside = (motion * _dilate(dancer, THRESHOLDS.margin)).sum() / motion.sum().clamp(min=TINY)
    calm = background[border].float().mean() >= DETECTION.calm_border
    return dancer if calm and inside >= DETECTION.enclosed_motion else None


def _similarity(difference: Tensor) -> Tensor:
    """Returns 1 up to a difference of `same`, 0 from `different` on, linear between."""
    same, different = THRESHOLDS.same, THRESHOLDS.different
    return ((different - difference) / (different - same)).clamp(0, 1)


@dataclass(frozen=True)
class PlainBackground:
    """A background of smooth colours.

    Attributes:
        hidden: bool `[h w]`, True where something stands in front of it.
        colours: `[3 h w]` in 0..1, the picture's, continued smoothly behind `hidden`.
    """

    hidden: Tensor
    colours: Tensor


def plain_background(picture: Tensor, dancer: Tensor | None = None) -> PlainBackground | None:
    """Finds the plain background of `picture [3 h w]` in 0..1.

    A background is plain if a quadratic polynomial fits its colours around the dancer, bool `[h
    w]`. Without `dancer`, the polynomial must fit the border, and the dancer must have a sharp
    outline.

    Returns:
        The background, or None if it is not plain or nothing stands in front of it.
    """
    h, w = picture.shape[-2:]
    around = _border(picture) if dancer is None else ~_dilate(dancer, THRESHOLDS.margin)
    if not around.any():
        return None

    # Fit, drop outliers, and fit again.
    basis = quadratic_terms(pixel_centres(h, w, picture.device)).reshape(h, w, -1).to(picture)
    plain = around
    for _ in range(DETECTION.rounds):
        fit = least_squares(basis[plain], picture[:, plain].mT)
        smooth = (basis @ fit).movedim(-1, 0)
        residual = (picture - smooth).abs().amax(dim=0)
        plain = around & (residual < DETECTION.plain)
        if plain.sum() < DETECTION.plain_share * around.sum():
            return None

    hidden = _unreachable(plain, residual < DETECTION.plain) if dancer is None else dancer
    if not 0 < hidden.float().mean() <= DETECTION.largest_dancer:
        return None
    outline = hidden & _dilate(~hidden, 1)
    if dancer is None and residual[outline].median() < DETECTION.outline_step:
        return None
    colours = torch.where(_dilate(hidden, THRESHOLDS.margin), smooth.clamp(0, 1), picture)
    return PlainBackground(hidden, colours)


def _border(picture: Tensor) -> Tensor:
    """Returns the border of a picture `[3 h w]`, where a dancer is rare, as bool `[h w]`."""
    h, w = picture.shape[-2:]
    border = torch.ones(h, w, dtype=torch.bool, device=picture.device)
    edge = max(1, min(h, w) // 16)
    border[edge:-edge, edge:-edge] = False
    return border


def _unreachable(start: Tensor, passable: Tensor) -> Tensor:
    """Returns the pixels that cannot be reached from `start` over `passable`, all bool `[h w]`."""
    reached, more = start, True
    while more:
        grown = _dilate(reached, 1) & passable
        more, reached = bool((grown != reached).any()), grown
    return ~reached


def _dilate(region: Tensor, pixels: int) -> Tensor:
    """Dilates a region, bool `[h w]`."""
    return F.max_pool2d(region[None].float(), 2 * pixels + 1, stride=1, padding=pixels)[0] > 0
