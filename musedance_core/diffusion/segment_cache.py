"""Finished segments on disk, so that an interrupted dance resumes after the last of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..files import atomic_path


def cache_key(*parts: Any) -> str:
    """A hash of tensors, arrays and JSON values, in this order, as a file name."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            part = part.detach().float().cpu().numpy()
        if isinstance(part, np.ndarray):
            digest.update(repr((part.shape, str(part.dtype))).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]


@dataclass(frozen=True)
class SegmentCache:
    """The finished segments of one `model` (any name that identifies the checkpoint) in a folder,
    each as tensors by name."""

    folder: Path
    model: str = ""

    def key(self, *parts: Any) -> str:
        """The name of a segment of this model that depends on `parts`."""
        return cache_key(self.model, *parts)

    def read(self, key: str) -> dict[str, Tensor] | None:
        """The tensors under `key`, or None; a damaged file counts as none."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError):
            return None

    def write(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Writes a segment, atomically.

        Raises:
            InputError, OSError, SafetensorError: the file cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path(key)) as temporary:
            stored = {
                name: tensor.detach().to("cpu", torch.float32).contiguous()
                for name, tensor in tensors.items()
            }
            save_file(stored, temporary)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"
