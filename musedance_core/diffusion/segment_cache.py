"""Finished segments on disk, so that a long dance goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
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
    """A name for everything a dance depends on: tensors, arrays and JSON values, in this order."""
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
    """The segments of one dance as tensors by name, in one folder."""

    folder: Path

    def read(self, key: str) -> dict[str, Tensor] | None:
        """What was kept under `key`, or None; a damaged file counts as none."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError):
            return None

    def keep(self, key: str, tensors: dict[str, Tensor]) -> None:
        """Write a segment, atomically."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path(key)) as temporary:
            kept = {
                name: tensor.detach().to("cpu", torch.float32).contiguous()
                for name, tensor in tensors.items()
            }
            save_file(kept, temporary)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"
