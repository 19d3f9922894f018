"""The picture's own pixels, where a frame shows the picture, at rest or moved as planned.

An autoencoder hands back no picture as it was, and a small denoiser draws it softer still and a
little differently in every frame: backgrounds lose their grain and flicker, dancers lose their
edges. But where a frame is like the picture as the autoencoder draws it, it is the picture that
belongs there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from .models.warping import warped

ALIKE, OTHER = 0.05, 0.2
"""Differences in a colour, of 1, on average around a pixel: up to the first it shows the picture,
from the second on it does not. The figures that decided are told beside the weights."""
CLEAR, TINY = 0.25, 1e-3
"""By which share of both distances the moved picture must be nearer to be taken alone; where both
are as near it is the picture at rest, or its grain would follow the dancer."""


def restored(
    frames: Tensor, picture: Tensor, warp: Tensor, redraw: Callable[[Tensor], Tensor]
) -> Tensor:
    """Frames with the picture's own pixels in them, `[f 3 h w]`.

    Every pixel goes to the nearer of two, the picture at rest and the picture moved, as far as it
    is like that; what is like neither stays as it was drawn.

    Args:
        frames: decoded, `[f 3 h w]` in 0..1.
        picture: `[3 h w]` in 0..1.
        warp: by what the picture was planned to move in each frame, `[f 2 6]`.
        redraw: pictures `[n 3 h w]`, encoded and decoded again.
    """
    drawn, moved = redraw(picture[None]), warped(picture[None], warp[None])
    from_still = _apart(frames, drawn)
    from_moved = _apart(frames, redraw(warped(drawn, warp[None])))
    nearer = (from_still - from_moved) / (from_still + from_moved + TINY)
    to_moved = (nearer / CLEAR).clamp(0, 1)
    still_share = (1 - to_moved) * _likeness(from_still)
    moved_share = to_moved * _likeness(from_moved)
    return frames + still_share * (picture - frames) + moved_share * (moved - frames)


def _apart(frames: Tensor, drawn: Tensor) -> Tensor:
    """The largest difference in a colour, on average of 3 x 3 pixels, `[f 1 h w]`."""
    apart = (frames - drawn).abs().amax(dim=1, keepdim=True)
    return F.avg_pool2d(apart, 3, stride=1, padding=1, count_include_pad=False)


def _likeness(apart: Tensor) -> Tensor:
    """1 up to a difference of `ALIKE`, 0 from `OTHER` on, and a ramp between."""
    return ((OTHER - apart) / (OTHER - ALIKE)).clamp(0, 1)
