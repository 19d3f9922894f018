"""AnimateDiff's motion modules under our names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import InputError
from ..models.layers import index_embedding
from .foreign import split_harmless
from .keymaps import MOTION, MOTION_HARMLESS, MOTION_POSITIONS, rename

ROUNDING = 2e-3
"""Error of a position table in half precision."""


def motion_weights(path: Path, entries: dict[str, Any]) -> tuple[dict[str, Tensor], list[str]]:
    """Motion modules from the `entries` of a file of AnimateDiff or of diffusers' MotionAdapter.

    Version 2 has 28 weights in each of 21 modules; versions 1 and 3 have no module in the middle
    block. Position tables are left out, because ours are computed to any length; theirs must be
    the same sinusoids.

    Returns:
        The weights under our names, and the names of harmless entries.

    Raises:
        InputError: a position table of `path` is not the sinusoid, or an entry is no weight.
    """
    state, ignored = split_harmless(path, entries, MOTION_HARMLESS)
    weights = {}
    for name, tensor in state.items():
        if MOTION_POSITIONS.search(name):
            _require_sinusoid(path, name, tensor)
        else:
            weights[rename(name, MOTION)] = tensor
    return weights, ignored


def has_middle(weights: dict[str, Tensor]) -> bool:
    """True if the middle block has a motion module, as in version 2."""
    return any(name.startswith("unet.mid_block.") for name in weights)


def _require_sinusoid(path: Path, name: str, table: Tensor) -> None:
    """Check a position table `[1 p d]`."""
    if table.ndim != 3:
        raise InputError(f"{path} does not fit: {name} has shape {tuple(table.shape)}.")
    own = index_embedding(*table.shape[-2:])
    error = (table.float().cpu() - own).abs().max().item()
    if not error <= ROUNDING:
        raise InputError(
            f"{path} does not fit: {name} differs from the sinusoid of positions by {error:.3g}."
        )
