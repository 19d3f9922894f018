"""Weights in files that other programs wrote."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

import torch
from torch import Tensor

from ..errors import InputError
from .format import read_weights

ZIP = b"PK\x03\x04"
PICKLED = (".ckpt", ".pt", ".pth", ".bin")


def read_foreign(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, or of a PyTorch file that holds nothing but tensors.

    Nothing in the file is ever run: a PyTorch file with anything else in it is refused.

    Raises:
        InputError: missing, damaged, of another kind, or unsafe.
    """
    if path.suffix.lower() not in PICKLED:
        return read_weights(path)
    if not path.is_file():
        raise InputError(f"There is no file of weights at {path}.")
    with path.open("rb") as file:
        begins = file.read(len(ZIP))
    if begins != ZIP or not is_zipfile(path):
        raise InputError(f"{path} is damaged or no PyTorch file of today's format.")
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except torch.serialization.pickle.UnpicklingError as error:  # type: ignore[attr-defined]
        raise InputError(
            f"{path} holds more than weights, which could run code: refused."
        ) from error
    except (RuntimeError, OSError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error
    held = held.get("state_dict", held) if isinstance(held, dict) else held
    if not isinstance(held, dict) or not all(isinstance(w, Tensor) for w in held.values()):
        raise InputError(f"{path} holds no plain table of weights.")
    return held
