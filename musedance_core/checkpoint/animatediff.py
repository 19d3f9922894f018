"""AnimateDiff's motion modules under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..errors import InputError
from ..models.layers import index_embedding
from .keymaps import MOTION, MOTION_POSITIONS, rename


def motion_weights(path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """From AnimateDiff's own names (v2: 28 in each of 21 modules) or diffusers' MotionAdapter's.

    Their position tables are left out, because ours are computed to any length; they must be the
    same sinusoids.

    Raises:
        InputError: a position table of `path` is not the sinusoid.
    """
    weights = {}
    for name, tensor in state.items():
        if MOTION_POSITIONS.search(name):
            _require_sinusoid(path, name, tensor)
        else:
            weights[rename(name, MOTION)] = tensor
    return weights


def _require_sinusoid(path: Path, name: str, table: Tensor) -> None:
    """`table [1 p d]`; half-precision files are allowed their rounding."""
    own = index_embedding(*table.shape[-2:])
    error = (table.float().cpu() - own).abs().max().item()
    if error > 2e-3:
        raise InputError(
            f"{path} does not fit: {name} differs from the sinusoid of positions by {error:.3g}."
        )
