"""Accuracy of the judges on held-out data."""

from __future__ import annotations

from math import sqrt
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ...world.dances import MOVES
from .data import BLOCK, RECOLOURED, Dancers, Dances
from .networks import SIDED_MOVES, Judges

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
def motion_figures(judges: Judges, truth: Dances, frames: int) -> dict[str, Any]:
    """Returns the accuracy for move, side and size in the first `frames` frames of every clip.

    The side counts only for `SIDED_MOVES`. `confusion[i][j]` counts clips of move
    i taken for move j, both in the order of `MOVES`.
    """
    readings = [
        judges.encoder(luma[:, :frames].float() / 255) for luma in torch.split(truth.luma, CHUNK)
    ]
    move, side, size = (
        torch.cat([getattr(reading, name).argmax(dim=-1) for reading in readings])
        for name in ("move_logits", "side_logits", "size_logits")
    )
    true_move, true_side, true_size = truth.labels.unbind(dim=-1)
    sided = torch.isin(true_move, torch.tensor([MOVES.index(name) for name in SIDED_MOVES]))
    pairs = torch.bincount(true_move * len(MOVES) + move, minlength=len(MOVES) ** 2)
    return {
        "move": _share(move == true_move),
        "side": _share((side == true_side)[sided]),
        "size": _share(size == true_size),
        "confusion": rearrange(pairs, "(i j) -> i j", i=len(MOVES)).tolist(),
    }


@torch.no_grad()
def identity_figures(judges: Judges, truth: Dancers) -> dict[str, Any]:
    """Returns verification figures: pairs of pictures of one dancer against pairs of two dancers.

    Pictures of a pair differ in pose, place and background. Pairs of the same dancer are compared
    with three kinds: `other` dancers, other dancers on the `same_background`, and the same shape
    `recoloured`; AUC and equal error rate are against each kind.
    """
    views = truth.views.float() / 255
    n = len(views) // BLOCK**2
    first, second = (
        rearrange(
            torch.cat([judges.embedder(x) for x in torch.split(views[:, v], CHUNK)]),
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
