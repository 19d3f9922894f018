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
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...errors import InputError
from .ema import Ema

STATE, META = "state.safetensors", "state.json"
META_KINDS = {
    "step": int,
    "seconds": float,
    "skipped": int,
    "warm_from": int,
    "ema_updates": int,
    "frozen": str,
    "config": dict,
}
"""What `state.json` holds."""
_NAME = re.compile(r"checkpoint-(\d+)$")


def save_training_state(
    folder: Path,
    step: int,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    meta: Mapping[str, Any],
    keep: int,
) -> Path:
    """Write `folder/checkpoint-STEP` whole or not at all, and drop the oldest beyond `keep`.

    Raises:
        InputError: it cannot be written, as on a full disk; what was there before stays.
    """
    target, temporary = folder / f"checkpoint-{step}", folder / f".writing-{step}"
    before = folder / f".before-{step}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        save_file(_tensors(parameters, ema, optimizer), temporary / STATE)
        values = {"step": step, "ema_updates": ema.updates, **meta}
        (temporary / META).write_text(json.dumps(values, indent=1), encoding="utf-8")
        if target.exists():
            os.replace(target, before)
        os.replace(temporary, target)
        shutil.rmtree(before, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        last = states(folder)[-1:]
        raise InputError(
            f"The state of step {step} cannot be written to {folder}: {error}; "
            f"the last good one is {last[0] if last else 'none'}."
        ) from error
    for old in states(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def mend(folder: Path) -> None:
    """Put right what a kill left: half-written files go, a state that was being replaced stays."""
    for left in folder.glob(".before-*"):
        target = folder / left.name.replace(".before", "checkpoint")
        if target.exists():
            shutil.rmtree(left)
        else:
            os.replace(left, target)
    for left in folder.glob(".writing-*"):
        shutil.rmtree(left)
    for left in folder.glob(".model.*.partial.safetensors"):
        left.unlink()


def set_aside(folder: Path, step: int) -> list[Path]:
    """Rename states of steps after `step`, where a run goes on, to `superseded-STEP`, so that they
    are neither resumed nor rotated; which these are."""
    aside = []
    for later in states(folder):
        if int(later.name.split("-")[1]) > step:
            target = folder / later.name.replace("checkpoint", "superseded")
            shutil.rmtree(target, ignore_errors=True)
            os.replace(later, target)
            aside.append(target)
    return aside


def _tensors(
    parameters: Mapping[str, nn.Parameter], ema: Ema, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Weights, averages and all that the optimizer keeps of them, by kind and name."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"weight/{name}"] = parameter.detach()
        if name in ema.average:
            tensors[f"average/{name}"] = ema.average[name]
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key}/{name}"] = torch.as_tensor(value)
    return {key: value.contiguous().cpu().clone() for key, value in tensors.items()}


def read_meta(path: Path) -> dict[str, Any]:
    """What a state says of itself.

    Raises:
        InputError: it is damaged.
    """
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The state {path} cannot be read: {error}.") from error
    kinds = {name: type(meta.get(name)) for name in META_KINDS} if isinstance(meta, dict) else {}
    if any(kinds.get(name) is not kind for name, kind in META_KINDS.items()):
        raise InputError(f"The state {path} was written by another version: {META} does not fit.")
    known: dict[str, Any] = meta
    return known


@torch.no_grad()
def load_training_state(
    path: Path,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer | None,
) -> None:
    """Put a state back in place; without an optimizer, the weights and averages alone.

    Raises:
        InputError: the state is damaged or belongs to other parameters.
    """
    try:
        tensors = load_file(path / STATE)
    except (OSError, SafetensorError) as error:
        raise InputError(f"The state {path} cannot be read: {error}.") from error
    stored = {name.partition("/")[2] for name in tensors}
    if stored != set(parameters):
        odd = sorted(stored ^ set(parameters))
        raise InputError(f"{path} holds other parameters than this run trains: {odd[:4]} ...")
    ema.updates = read_meta(path)["ema_updates"]
    averaged = any(key.startswith("average/") for key in tensors)
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        parameter = parameters[name]
        if kind in ("weight", "average") and value.shape != parameter.shape:
            raise InputError(
                f"{path} does not fit: {name} has shape {tuple(value.shape)}, not "
                f"{tuple(parameter.shape)}."
            )
        if kind == "weight":
            parameter.copy_(value)
        elif kind == "average":
            if name in ema.average:
                ema.average[name].copy_(value)
        elif optimizer is not None:
            optimizer.state[parameter][kind] = _placed(kind, value, parameter.device)
    if not averaged:
        ema.restart()


def _placed(kind: str, value: Tensor, device: torch.device) -> Tensor | int:
    """An optimizer's value as it keeps it: 8-bit optimizers count steps in a plain number."""
    if kind == "step":
        return value if value.is_floating_point() else int(value)
    return value.to(device)


def states(folder: Path) -> list[Path]:
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
        found = states(folder)
        return found[-1] if found else None
    path = Path(resume)
    if not (path / META).is_file():
        raise InputError(f"resume: {resume} is not a checkpoint state.")
    return path
