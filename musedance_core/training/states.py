"""Checkpoint states: what a run needs to go on exactly where it stopped. No pickles."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import InputError
from .ema import Ema

STATE, META = "state.safetensors", "state.json"
_NAME = re.compile(r"checkpoint-(\d+)$")


def save_state(
    folder: Path,
    step: int,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    meta: Mapping[str, Any],
    keep: int,
) -> Path:
    """Write `folder/checkpoint-STEP` whole or not at all, and drop the oldest beyond `keep`."""
    target, temporary = folder / f"checkpoint-{step}", folder / f".writing-{step}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"weight/{name}"] = parameter.detach()
        tensors[f"average/{name}"] = ema.average[name]
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = value
    save_file({k: v.contiguous().cpu().clone() for k, v in tensors.items()}, temporary / STATE)
    values = {"step": step, "ema_updates": ema.updates, **meta}
    (temporary / META).write_text(json.dumps(values, indent=1))
    shutil.rmtree(target, ignore_errors=True)
    os.replace(temporary, target)
    for old in _states(folder)[:-keep]:
        shutil.rmtree(old)
    return target


@torch.no_grad()
def load_state(
    path: Path,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Put a state back in place and return its meta data.

    Raises:
        InputError: the state belongs to other parameters.
    """
    meta: dict[str, Any] = json.loads((path / META).read_text())
    tensors = load_file(path / STATE)
    stored = {name.partition("/")[2] for name in tensors}
    if stored != set(parameters):
        odd = sorted(stored ^ set(parameters))
        raise InputError(f"{path} holds other parameters than this run trains: {odd[:4]} ...")
    ema.updates = meta["ema_updates"]
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        parameter = parameters[name]
        if kind == "weight":
            parameter.copy_(value)
        elif kind == "average":
            ema.average[name].copy_(value)
        else:
            device = "cpu" if kind == "step" else parameter.device
            optimizer.state[parameter][kind] = value.to(device)
    return meta


def _states(folder: Path) -> list[Path]:
    """The states in a folder, oldest first."""
    found = [p for p in folder.glob("checkpoint-*") if _NAME.search(p.name)]
    return sorted(found, key=lambda p: int(p.name.split("-")[1]))


def find_state(folder: Path, resume: str) -> Path | None:
    """What `resume` (latest, none or a path) names.

    Raises:
        InputError: the named state does not exist.
    """
    if resume == "none":
        return None
    if resume == "latest":
        states = _states(folder)
        return states[-1] if states else None
    path = Path(resume)
    if not (path / META).is_file():
        raise InputError(f"resume: {resume} is not a checkpoint state.")
    return path
