"""Accuracy of the judges on held-out data."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from ...world.dances import MOVES, SIDES
from .dance import DanceJudge, JudgedDances
from .data import BLOCK, RECOLOURED, Dancers, Dances
from .networks import DancerEmbedder, MotionEncoder

LABELS = ("move", "side", "size")
MISTAKES = 12
"""Kinds of mistakes that are counted."""
CHUNK = 32
Z = 1.96
"""Normal quantile of 95 % intervals."""


def share(right: int, n: int) -> dict[str, Any]:
    """Returns `right` / `n` with its 95 % Wilson interval."""
    p = right / n
    middle, half = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = (round((middle + sign * half) / (1 + Z**2 / n), 4) for sign in (-1, 1))
    return {"share": round(p, 4), "n": n, "interval": [low, high]}


def _share(right: Tensor) -> dict[str, Any]:
    return share(int(right.sum()), len(right))


@torch.no_grad()
def motion_figures(
    encoder: MotionEncoder, heads: nn.ModuleDict, truth: Dances, frames: int
) -> dict[str, Any]:
    """Returns the accuracy for move, side and size in the first `frames` frames of every clip, of
    the classifiers that the encoder was trained with; the side where the sentence names one."""
    features = torch.cat(
        [encoder(luma[:, :frames].float() / 255) for luma in torch.split(truth.luma, CHUNK)]
    )
    right = {
        name: heads[name](features.relu()).argmax(dim=-1) == truth.labels[:, i]
        for i, name in enumerate(LABELS)
    }
    right["side"] = right["side"][truth.labels[:, 1] != SIDES.index("either")]
    return {name: _share(values) for name, values in right.items()}


@torch.no_grad()
def dance_figures(judge: DanceJudge, truth: JudgedDances) -> dict[str, Any]:
    """Returns the accuracy for move, side and size in poses; the side where the sentence names one.

    `mistakes` counts the pairs of a true move and another one for which it was taken.
    """
    verdict, targets = judge(truth.places, truth.count), truth.targets
    found = [getattr(verdict, name).argmax(dim=-1) for name in LABELS]
    right = {name: found[i] == targets[:, i] for i, name in enumerate(LABELS)}
    right["side"] = right["side"][targets[:, 1] != SIDES.index("either")]
    wrong = Counter(
        f"{MOVES[true]} as {MOVES[taken]}"
        for true, taken in zip(targets[:, 0].tolist(), found[0].tolist(), strict=True)
        if true != taken
    )
    shares: dict[str, Any] = {name: _share(values) for name, values in right.items()}
    return shares | {"mistakes": dict(wrong.most_common(MISTAKES))}


@torch.no_grad()
def identity_figures(embedder: DancerEmbedder, truth: Dancers) -> dict[str, Any]:
    """Returns verification figures: pairs of pictures of one dancer against pairs of two dancers.

    Pictures of a pair differ in pose, place and background. Pairs of the same dancer are compared
    with three kinds: `other` dancers, other dancers on the `same_background`, and the same shape
    `recoloured`; AUC and equal error rate are against each kind.
    """
    views = truth.views.float() / 255
    n = len(views) // BLOCK**2
    first, second = (
        rearrange(
            torch.cat([embedder(x) for x in torch.split(views[:, v], CHUNK)]),
            "(n k) d -> n k d",
            n=n,
        )
        for v in (0, 1)
    )
    same = (first * second).sum(dim=-1)
    neighbour = torch.arange(BLOCK**2).reshape(BLOCK, BLOCK).roll(1, 1).flatten()
    recoloured = (first[:, :RECOLOURED] * second[:, -RECOLOURED:]).sum(dim=-1)
    kinds = {
        "other": (first * second.roll(1, 0)).sum(dim=-1),
        "same_background": (first * first[:, neighbour]).sum(dim=-1),
        "recoloured": recoloured,
    }
    puppet = rearrange(truth.puppet, "(n k) -> n k", n=n)
    figures: dict[str, Any] = {"same": _spread(same)}
    for name, cosine in kinds.items():
        figures[name] = _spread(cosine) | verification(same.flatten(), cosine.flatten())
    for name, chosen in (("emoji", ~puppet), ("puppet", puppet)):
        figures[name] = verification(same[chosen], kinds["other"][chosen])
    return figures


def verification(same: Tensor, other: Tensor) -> dict[str, Any]:
    """Area under the ROC curve and equal error rate of cosines of `same [n]` over `other [m]`."""
    higher = (same[:, None] > other).double() + 0.5 * (same[:, None] == other).double()
    thresholds = torch.cat([same, other]).sort().values
    misses = (same[:, None] < thresholds).double().mean(dim=0)
    alarms = (other[:, None] >= thresholds).double().mean(dim=0)
    at = int((misses - alarms).abs().argmin())
    return {
        "auc": round(higher.mean().item(), 4),
        "equal_error": round((misses[at] + alarms[at]).item() / 2, 4),
        "threshold": round(thresholds[at].item(), 3),
        "n": [len(same), len(other)],
    }


def _spread(cosine: Tensor) -> dict[str, float]:
    return {"mean": round(cosine.mean().item(), 4), "std": round(cosine.std().item(), 4)}
