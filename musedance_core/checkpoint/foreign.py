"""Weight files of other programs, such as public checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .format import read_weights
from .keymaps import Harmless

ZIP = b"PK\x03\x04"
PICKLED = (".ckpt", ".pt", ".pth", ".bin")

# This package imports no pickle; only torch opens them, as plain weights.
UnpicklingError: type[Exception] = torch.serialization.pickle.UnpicklingError  # type: ignore[attr-defined]

DAMAGE = (RuntimeError, OSError, EOFError, ImportError, AttributeError, LookupError, ValueError)
"""Raised for damaged PyTorch files, besides `UnpicklingError`."""


def read_foreign(path: Path) -> dict[str, Any]:
    """All entries of a safetensors file or of a PyTorch file.

    Entries are tensors; a PyTorch file may also hold plain values, such as a step count. Entries
    of a nested "state_dict" are merged with those beside it. PyTorch loads the file with
    `weights_only=True`, so no code in it ever runs.

    Raises:
        InputError: missing, damaged, of another kind, or with objects in it that need code.
    """
    if path.suffix.lower() not in PICKLED:
        return dict(read_weights(path))
    if not path.is_file():
        raise InputError(f"There is no file of weights at {path}.")
    with path.open("rb") as file:
        magic = file.read(len(ZIP))
    if magic != ZIP:
        raise InputError(f"{path} is damaged or no PyTorch file of today's format.")
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise InputError(
            f"{path} is damaged, or holds more than weights, which could run code: refused. A file "
            "in .safetensors format will do."
        ) from error
    except DAMAGE as error:
        raise InputError(f"{path} is damaged: {_first_line(error)}.") from error
    if isinstance(table, dict) and isinstance(table.get("state_dict"), dict):
        beside = {name: value for name, value in table.items() if name != "state_dict"}
        table = {**beside, **table["state_dict"]}
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise InputError(f"{path} holds no plain table of weights.")
    return table


def split_harmless(
    path: Path, entries: dict[str, Any], harmless: Harmless
) -> tuple[dict[str, Tensor], list[str]]:
    """The weights among `entries`, and the names that match one of the `harmless` patterns.

    Raises:
        InputError: an entry is neither a tensor nor harmless.
    """
    weights: dict[str, Tensor] = {}
    ignored = []
    for name, value in entries.items():
        if any(pattern.search(name) for pattern, _ in harmless):
            ignored.append(name)
        elif isinstance(value, Tensor):
            weights[name] = value
        else:
            raise InputError(f"{path} holds {name!r}, which is no weight: {str(value)[:40]}.")
    return weights, ignored


def summarise(ignored: Iterable[str], harmless: Harmless, prefix: str = "") -> list[str]:
    """One line per kind of `ignored` name, for provenance: the kind, a name behind `prefix`, and
    how many more."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(ignored):
        kind = next(kind for pattern, kind in harmless if pattern.search(name))
        kinds.setdefault(kind, []).append(name)
    return [
        f"{kind} ({prefix}{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})"
        for kind, names in kinds.items()
    ]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
