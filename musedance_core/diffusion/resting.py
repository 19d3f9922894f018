"""Rest: without music a dancer stands and sways a little.

The dance goes on underneath, and goes over into rest and back: it is the same as without any
silence wherever there is music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np
import torch
from torch import Tensor

from ..audio.silence import Interval
from ..dance.motion import ANGLES, ROOT_INDEX, DanceMotion, standing


@dataclass(frozen=True)
class Rest:
    """A dancer at rest.

    Attributes:
        period: seconds of one sway.
        lean: its angle in radians.
        breath: change of the logarithm of the height.
        blend: seconds in which the dance goes over into rest, or back.
    """

    period: float = 4.0
    lean: float = 0.02
    breath: float = 0.006
    blend: float = 0.5


REST = Rest()


def rest_motion(first: int, count: int, fps: float) -> DanceMotion:
    """Returns poses `first` to `first + count - 1` of a dancer who stands and sways a little."""
    motion = standing(count, fps)
    phase = (first + torch.arange(count)) * (2 * pi / (fps * REST.period))
    root = motion.root.clone()
    root[:, ROOT_INDEX["lean"]] = REST.lean * phase.sin()
    root[:, ROOT_INDEX["height"]] = REST.breath * (2 * phase).sin()
    return replace(motion, root=root)


def rest_weight(seconds: np.ndarray, rests: Sequence[Interval]) -> np.ndarray:
    """Returns the share of rest at `seconds [n]` of the song, 0..1.

    It rises when the music has stopped. Before the music begins again it falls, and is half down
    with the first sound: a dancer who began to move only then would miss the first beat.
    """
    weight = np.zeros(len(seconds))
    for begin, end in rests:
        into = _smoothstep((seconds - begin) / REST.blend)
        out = _smoothstep((seconds - end) / REST.blend + 0.5)
        weight = np.maximum(weight, into * (1 - out))
    return weight


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = x.clip(0, 1)
    result: np.ndarray = x * x * (3 - 2 * x)
    return result


def rested(
    features: Tensor,
    before: Tensor | None,
    rests: Sequence[Interval],
    start: float,
    first: int,
    fps: float,
) -> Tensor:
    """Returns the poses `features [k 27]`, in rest where the song is silent.

    Args:
        features: poses of a dance (`DanceMotion.features`).
        before: the poses `[m 27]` before them, without any rest; None at the start.
        rests: begin and end of each rest in seconds of the song.
        start: second of the song of the dance's first pose.
        first: number of the first of `features`, counted from there.
        fps: poses a second.
    """
    m = 0 if before is None else len(before)
    numbers = np.arange(first - m, first + len(features))
    weight = rest_weight(start + numbers / fps, rests)
    if not weight[m:].any():
        return features
    joined = features if before is None else torch.cat([before.to(features), features])
    dance = _turned_back(DanceMotion.from_features(joined, fps), weight)
    rest = rest_motion(first - m, len(joined), fps)
    share = torch.from_numpy(weight).to(features)
    mixed = DanceMotion(
        torch.lerp(dance.root, rest.root, share[:, None]),
        torch.lerp(dance.limbs, rest.limbs, share[:, None, None]),
        fps,
    ).features()
    return torch.where(share[m:, None] > 0, mixed[m:], features)


def _turned_back(motion: DanceMotion, weight: np.ndarray) -> DanceMotion:
    """The same poses with whole turns taken off, so that a dancer takes the short way to rest and
    back. Within each time of going over it is the same number of turns, which nobody sees jump."""
    between = (weight > 0) & (weight < 1)
    changes = np.flatnonzero(np.diff(between, prepend=False, append=False))
    root = motion.root.clone()
    for begin, end in zip(changes[::2], changes[1::2], strict=True):
        for name in ANGLES:
            i = ROOT_INDEX[name]
            root[begin:end, i] -= 2 * pi * torch.round(motion.root[begin, i] / (2 * pi))
    return replace(motion, root=root)
