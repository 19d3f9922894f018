"""The picture's own pixels, where a frame shows the picture, at rest or moved as planned.

An autoencoder hands back no picture as it was, and a small denoiser draws it softer still and a
little differently in every frame: backgrounds lose their grain and flicker, dancers lose their
edges. But where a frame is like the picture as the autoencoder draws it, it is the picture that
belongs there. None of this is in the paper.
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

ALIKE, OTHER = 0.05, 0.2
"""Differences in a colour, of 1, on average around a pixel: up to the first it shows the picture,
from the second on it does not. The figures that decided are told beside the weights."""
CLEAR, TINY = 0.25, 1e-3
"""By which share of both distances the moved picture must be nearer to be taken alone; where both
are as near it is the picture at rest, or its grain would follow the dancer."""
GROWN = 1
"""Pixels around the dancer that move along."""
BEHIND = 0.1
"""What a difference counts where only the background can be."""
DOUBT = 0.1
"""By which share of both distances a place must on average be nearer to the moved picture to be
part of a dancer nobody told of."""
EDGE, CALM, WITHIN = 0.12, 0.75, 0.35
"""How much a colour differs within 3 x 3 pixels where there is an edge, how much of a picture's
margin is without, and how much of what frames show moved must lie within edges for them to be a
dancer's."""

PLAIN, ROUNDS, MOSTLY = 0.08, 4, 0.9
"""How far from smooth colours a plain background may be, how often they are fitted, and how much of
what surely is background must be so near."""
ABRUPT, MOST_DANCER = 0.16, 0.7
"""How unlike the background a dancer's rim is at least, or it is a glow or a shade; and how much of
the picture a dancer hides at most."""


class Autoencoder(Protocol):
    """Pictures `[b 3 h w]` in 0..1 to latents `[b c h w]` as the denoiser takes them, and back to
    float32 pictures, on any device and in any dtype."""

    def encode(self, pictures: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


def restore_picture(frames: Tensor, reference: Reference, warp: Tensor, vae: Autoencoder) -> Tensor:
    """`composite` for decoded `frames [f 3 h w]` of a whole segment, whose dancer is where the part
    map of `reference` has parts; `warp [f 2 6]` is the segment's, `vae` what decoded the frames."""

    def redraw(pictures: Tensor) -> Tensor:
        return vae.decode(vae.encode(pictures)).to(pictures)

    frames = frames.float().cpu()
    part_map = reference.part_map
    dancer = None if part_map is None else part_map.cpu() > 0
    picture = reference.pixels.to(frames)
    return composite(frames, picture, warp.to(frames), redraw, dancer)


def composite(
    frames: Tensor,
    picture: Tensor,
    warp: Tensor,
    redraw: Callable[[Tensor], Tensor],
    dancer: Tensor | None = None,
) -> Tensor:
    """Frames with the picture's own pixels in them, `[f 3 h w]`.

    Every pixel goes to the nearer of two, the picture at rest and the picture moved, as far as it
    is like that; what is like neither stays as it was drawn. Where it is known who dances, nothing
    else of the picture moves, and a plain background shows where the dancer was. Where it is not,
    only what most frames show moved may move, and before a smooth background, only what has an
    outline.

    Args:
        frames: decoded, `[f 3 h w]` in 0..1.
        picture: `[3 h w]` in 0..1.
        warp: by what the picture was planned to move in each frame, `[f 2 6]`.
        redraw: pictures `[n 3 h w]`, encoded and decoded again.
        dancer: bool `[h w]`, where in the picture the dancer is; None, or nowhere, takes what
            stands before a plain background, or if there is none, guesses from the frames and the
            picture's edges.
    """
    if dancer is not None and not dancer.any():
        dancer = None
    drawn, moved = redraw(picture[None]), warp_images(picture[None], warp[None])
    from_moved = _apart(frames, redraw(warp_images(drawn, warp[None])))
    background, still = plain_background(picture, dancer), picture
    if dancer is None and background is not None:
        dancer = background.hidden
    known = dancer is not None
    if dancer is None:
        signs = _nearer_to_moved(_apart(frames, drawn), from_moved)
        dancer = _outlined(picture, _votes(signs, warp))
        known = dancer is not None
        if dancer is None:
            dancer = _votes(signs - DOUBT, warp) > 0
    grown = _grown(dancer, GROWN)[None, None].to(frames)
    may_move = warp_images(grown, warp[None])
    if background is not None:
        inside = may_move > 0.999  # on the rim no trace of the dancer at rest
        drawn = torch.where(inside, drawn, redraw(background.colours[None]))
        still = torch.where(inside, picture, background.colours)
    from_still = _apart(frames, drawn)
    if known:
        behind = (1 - may_move) * (1 if background is not None else 1 - grown)
        from_still = from_still * (1 - (1 - BEHIND) * behind)
    to_moved = (_nearer_to_moved(from_still, from_moved) / CLEAR).clamp(0, 1) * may_move
    still_share = (1 - to_moved) * _likeness(from_still)
    moved_share = to_moved * _likeness(from_moved)
    return frames + still_share * (still - frames) + moved_share * (moved - frames)


def _apart(frames: Tensor, drawn: Tensor) -> Tensor:
    """The largest difference in a colour, on average of 3 x 3 pixels, `[f 1 h w]`."""
    apart = (frames - drawn).abs().amax(dim=1, keepdim=True)
    return F.avg_pool2d(apart, 3, stride=1, padding=1, count_include_pad=False)


def _nearer_to_moved(from_still: Tensor, from_moved: Tensor) -> Tensor:
    """-1 where a frame shows the picture at rest, 1 where it shows the picture moved."""
    return (from_still - from_moved) / (from_still + from_moved + TINY)


def _votes(signs: Tensor, warp: Tensor) -> Tensor:
    """Above 0 where in the picture that lies, `[h w]`, which frames show moved rather than at rest.

    Every pixel of every frame votes, by `signs [f 1 h w]`, for the place in the picture it would
    come from by `warp [f 2 6]`.
    """
    h, w = signs.shape[-2:]
    came = (source_points(warp, pixel_centres(h, w, warp.device)) + 1) / 2
    column, row = (came * came.new_tensor((w, h))).floor().long().unbind(-1)
    inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
    place = (row * w + column)[inside]
    votes = signs.new_zeros(h * w).index_add(0, place, signs.flatten(1)[inside])
    return F.avg_pool2d(votes.view(1, h, w), 3, stride=1, padding=1)[0]


def _outlined(picture: Tensor, votes: Tensor) -> Tensor | None:
    """The dancer, bool `[h w]`, where it stands before a background without abrupt edges: what they
    enclose and moves by `votes [h w]`.

    None where the picture's margin has edges, and where most of what moves is not enclosed: then
    they have a gap.
    """
    spread = F.max_pool2d(picture, 3, stride=1, padding=1)
    spread = (spread + F.max_pool2d(-picture, 3, stride=1, padding=1)).amax(dim=0)
    margin, smooth = _margin(picture), spread < EDGE
    background = ~_enclosed(smooth & margin, smooth)
    dancer = ~_grown(background, 1) & (votes > 0)  # an edge is seen from a pixel away
    moves = votes.clamp(min=0)
    inside = (moves * _grown(dancer, GROWN)).sum() / moves.sum().clamp(min=TINY)
    found = background[margin].float().mean() >= CALM and inside >= WITHIN
    return dancer if found else None


def _likeness(apart: Tensor) -> Tensor:
    """1 up to a difference of `ALIKE`, 0 from `OTHER` on, and a ramp between."""
    return ((OTHER - apart) / (OTHER - ALIKE)).clamp(0, 1)


@dataclass(frozen=True)
class PlainBackground:
    """A background without anything in it.

    `hidden`, bool `[h w]`, says where something stands before it; `colours [3 h w]` in 0..1 are the
    picture's, and where it is hidden, what it goes on as.
    """

    hidden: Tensor
    colours: Tensor


def plain_background(picture: Tensor, dancer: Tensor | None = None) -> PlainBackground | None:
    """The background of `picture [3 h w]` in 0..1, or None where it is not plain, or nothing stands
    before it.

    Plain are smooth colours (polynomials of degree two) all around the dancer, bool `[h w]`. Where
    that is not known, they fill the picture's margin, and end abruptly at what stands before them.
    """
    h, w = picture.shape[-2:]
    around = _margin(picture) if dancer is None else ~_grown(dancer, GROWN)
    if not around.any():
        return None
    where = quadratic_terms(pixel_centres(h, w, picture.device)).reshape(h, w, -1).to(picture)
    plain = around
    for _ in range(ROUNDS):
        fit = least_squares(where[plain], picture[:, plain].mT)
        smooth = (where @ fit).movedim(-1, 0)
        unlike = (picture - smooth).abs().amax(dim=0)
        plain = around & (unlike < PLAIN)
        if plain.sum() < MOSTLY * around.sum():
            return None
    hidden = _enclosed(plain, unlike < PLAIN) if dancer is None else dancer
    if not 0 < hidden.float().mean() <= MOST_DANCER:
        return None
    rim = hidden & _grown(~hidden, 1)
    if dancer is None and unlike[rim].median() < ABRUPT:
        return None
    colours = torch.where(_grown(hidden, GROWN), smooth.clamp(0, 1), picture)
    return PlainBackground(hidden, colours)


def _margin(picture: Tensor) -> Tensor:
    """The rim of a picture `[3 h w]`, bool `[h w]`, where a dancer seldom is."""
    h, w = picture.shape[-2:]
    margin = torch.ones(h, w, dtype=torch.bool, device=picture.device)
    edge = max(1, min(h, w) // 16)
    margin[edge:-edge, edge:-edge] = False
    return margin


def _enclosed(begin: Tensor, passable: Tensor) -> Tensor:
    """What cannot be reached from `begin` over what is `passable`, all bool `[h w]`."""
    reached, more = begin, True
    while more:
        grown = _grown(reached, 1) & passable
        more, reached = bool((grown != reached).any()), grown
    return ~reached


def _grown(region: Tensor, by: int) -> Tensor:
    """A region, bool `[h w]`, and so many pixels around it."""
    return F.max_pool2d(region[None].float(), 2 * by + 1, stride=1, padding=by)[0] > 0
