"""The picture's own pixels, where a frame shows the picture, still or moved.

An autoencoder hands back no picture as it was, and a small denoiser draws it softer still and a
little differently in every frame: backgrounds lose their grain and flicker, dancers lose their
edges. But where a frame is like the picture as the autoencoder draws it, it is the picture that
belongs there, or the picture as it was planned to move.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from .models.warping import warped

STILL, MOVED = (0.02, 0.06), (0.05, 0.2)
"""Differences in a colour, of 1: up to the first a place shows the picture, from the second on it
does not. For the picture at rest (5 and 15 grey levels) lower ones leave more flicker and higher
ones cost small movements; for the moved one higher ones let its background in. Figures are told
beside the weights."""


def restored(
    frames: Tensor,
    picture: Tensor,
    redraw: Callable[[Tensor], Tensor],
    warp: Tensor | None = None,
) -> Tensor:
    """Frames with the picture's own pixels in them, `[f 3 h w]`.

    Args:
        frames: decoded, `[f 3 h w]` in 0..1.
        picture: `[3 h w]` in 0..1.
        redraw: pictures `[n 3 h w]`, encoded and decoded again.
        warp: by what the picture was planned to move in each frame, `[f 2 6]`, if it was.
    """
    drawn, out = redraw(picture[None]), frames
    if warp is not None:
        apart = _apart(frames, redraw(warped(drawn, warp[None])))
        around = F.avg_pool2d(apart, 3, stride=1, padding=1, count_include_pad=False)
        out = out.lerp(warped(picture[None], warp[None]), _likeness(around, *MOVED))
    worst = F.max_pool2d(_apart(frames, drawn), 3, stride=1, padding=1)
    return out.lerp(picture, _likeness(worst, *STILL))


def _apart(frames: Tensor, drawn: Tensor) -> Tensor:
    """The largest difference in a colour, `[f 1 h w]`."""
    return (frames - drawn).abs().amax(dim=1, keepdim=True)


def _likeness(apart: Tensor, alike: float, other: float) -> Tensor:
    """1 up to a difference of `alike`, 0 from `other` on, and a ramp between."""
    return ((other - apart) / (other - alike)).clamp(0, 1)
