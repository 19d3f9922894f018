"""Findings: one JSON line each, on disk before the next measurement begins."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import torch

FILE = "findings.jsonl"


class Findings:
    """Appends to `folder/findings.jsonl` and prints; several processes may share one file."""

    def __init__(self, folder: str | Path, part: str) -> None:
        self.path, self.part = Path(folder) / FILE, part

    def add(self, name: str, **values: Any) -> None:
        """Write one line now; floats are rounded to four significant digits."""
        entry = {"part": self.part, "name": name, "at": round(time.time(), 1), **_plain(values)}
        line = json.dumps(entry)
        print(line, flush=True)
        # One write per line: a cut-off run keeps all lines, and parallel processes do not mix them.
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def out_of_memory(self, name: str, error: torch.cuda.OutOfMemoryError, **values: Any) -> None:
        """A measurement that did not fit, which is a finding as well."""
        self.add(name, **values, out_of_memory=str(error).split(". ")[0], **memory())


def memory() -> dict[str, float]:
    """Peak GPU memory of this process in GB since the last reset; empty without a GPU."""
    if not torch.cuda.is_available():
        return {}
    return {
        "peak_gb": torch.cuda.max_memory_allocated() / 1e9,
        "reserved_gb": torch.cuda.max_memory_reserved() / 1e9,
    }


def reset_memory() -> None:
    """Forget the peak and give cached blocks back."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def synchronize() -> None:
    """Wait for the GPU, so that the host's clock tells the truth."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    # JSON has no NaN: what is not finite is written as text.
    if isinstance(value, float):
        return float(f"{value:.4g}") if abs(value) < float("inf") else str(value)
    return value
