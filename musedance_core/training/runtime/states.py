"""Training states `checkpoint-STEP`: everything that a run needs to resume. No pickles.

A kill at any moment leaves only whole states under that name. States are written, replaced and
deleted under hidden names, and `recover_folder` clears these away at the next start.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...errors import InputError
from ..config import TrainConfig
from .ema import Ema
from .guard import non_finite_tensors

STATE, METADATA = "state.safetensors", "state.json"
METADATA_TYPES = {
    "step": int,
    "seconds": float,
    "skipped": int,
    "warm_from": int,
    "ema_updates": int,
    "frozen": str,
    "config": dict,
}
"""The keys of `state.json`."""
_NAME = re.compile(r"checkpoint-(\d+)$")


def save_training_state(
    folder: Path,
    step: int,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer,
    metadata: Mapping[str, Any],
    keep: int,
) -> Path:
    """Writes `folder/checkpoint-STEP`, then deletes all but the newest `keep` states.

    Raises:
        InputError: it cannot be written, as on a full disk; the states before it stay.
    """
    target, temporary = folder / f"checkpoint-{step}", folder / f".writing-{step}"
    previous = folder / f".before-{step}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        tensors = {
            key: value.contiguous().cpu().clone()
            for key, value in state_tensors(parameters, ema, optimizer)
        }
        save_file(tensors, temporary / STATE)
        values = {"step": step, "ema_updates": ema.updates, **metadata}
        (temporary / METADATA).write_text(json.dumps(values, indent=1), encoding="utf-8")
        # A folder cannot replace another one, so a state of the same step moves away first.
        if target.exists():
            os.replace(target, previous)
        os.replace(temporary, target)
        shutil.rmtree(previous, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        last = list_states(folder)[-1:]
        raise InputError(
            f"The state of step {step} cannot be written to {folder}: {error}; "
            f"the last good one is {last[0] if last else 'none'}."
        ) from error
    for old in list_states(folder)[:-keep]:
        _delete(old)
    return target


def state_tensors(
    parameters: Mapping[str, nn.Parameter], ema: Ema, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors of a state: weights, averages, and the optimizer's, as KIND/PARAMETER."""
    for name, parameter in parameters.items():
        yield f"weight/{name}", parameter.detach()
        if name in ema.average:
            yield f"average/{name}", ema.average[name]
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"{key}/{name}", torch.as_tensor(value)


def _delete(state: Path) -> None:
    """Deletes a state that a kill may leave whole or hidden, but not in part."""
    hidden = state.with_name(state.name.replace("checkpoint", ".removing"))
    shutil.rmtree(hidden, ignore_errors=True)
    os.replace(state, hidden)
    shutil.rmtree(hidden)


def recover_folder(folder: Path) -> None:
    """Clears away states that a killed run left half written, replaced or deleted in its folder."""
    for previous in folder.glob(".before-*"):
        target = folder / previous.name.replace(".before", "checkpoint")
        if target.exists():
            shutil.rmtree(previous)
        else:
            os.replace(previous, target)
    for pattern in (".writing-*", ".removing-*"):
        for leftover in folder.glob(pattern):
            shutil.rmtree(leftover)
    # Temporary files of `files.atomic_path`: the model, the log, validation clips.
    for leftover in [*folder.glob(".*.partial.*"), *folder.glob("*/.*.partial.*")]:
        leftover.unlink()


def supersede_later_states(folder: Path, step: int) -> list[Path]:
    """Renames the states after `step` to `superseded-STEP`; returns the new paths.

    A run that continues from an earlier step must neither resume from them nor count them among the
    newest.
    """
    renamed = []
    for later in list_states(folder):
        if int(later.name.split("-")[1]) > step:
            target = folder / later.name.replace("checkpoint", "superseded")
            shutil.rmtree(target, ignore_errors=True)
            os.replace(later, target)
            renamed.append(target)
    return renamed


def read_state_metadata(path: Path) -> dict[str, Any]:
    """Returns the contents of a state's `state.json`.

    Raises:
        InputError: it is damaged or of another version.
    """
    try:
        metadata = json.loads((path / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The state {path} cannot be read: {error}.") from error
    values = metadata if isinstance(metadata, dict) else {}
    if any(type(values.get(name)) is not kind for name, kind in METADATA_TYPES.items()):
        raise InputError(f"The state {path} is of another version: {METADATA} does not fit.")
    return values


def check_compatible(
    path: Path, metadata: Mapping[str, Any], config: TrainConfig, frozen_digest: str
) -> None:
    """Checks that a run can continue from a state.

    Args:
        metadata: of the state.
        frozen_digest: SHA-256 of the run's frozen weights.

    Raises:
        InputError: it was trained with other frozen weights, or with another optimizer whose state
            is needed.
    """
    if metadata["frozen"] != frozen_digest:
        raise InputError(
            f"{path} was trained with other frozen weights than those of init: "
            f"{config.init or 'none'}."
        )
    kind = metadata["config"]["optim"]["kind"]
    if not config.weights_only and kind != config.optim.kind:
        raise InputError(
            f"{path} holds the state of {kind}, not of {config.optim.kind}; "
            f"resume={path} weights_only=true starts a new optimizer."
        )


@torch.no_grad()
def load_training_state(
    path: Path,
    parameters: Mapping[str, nn.Parameter],
    ema: Ema,
    optimizer: torch.optim.Optimizer | None,
) -> None:
    """Loads a state into parameters, average and optimizer (None: not the optimizer's part).

    An average that the state lacks starts at the loaded weights.

    Raises:
        InputError: the state is damaged, not finite, or of other parameters.
    """
    try:
        tensors = load_file(path / STATE)
    except (OSError, SafetensorError) as error:
        raise InputError(f"The state {path} cannot be read: {error}.") from error
    _check_tensors(path, tensors, parameters)
    ema.updates = read_state_metadata(path)["ema_updates"]
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        parameter = parameters[name]
        if kind == "weight":
            parameter.copy_(value)
        elif kind == "average":
            if name in ema.average:
                ema.average[name].copy_(value)
        elif optimizer is not None:
            optimizer.state[parameter][kind] = _optimizer_value(kind, value, parameter.device)
    if not any(key.startswith("average/") for key in tensors):
        ema.restart()


def _check_tensors(
    path: Path, tensors: Mapping[str, Tensor], parameters: Mapping[str, nn.Parameter]
) -> None:
    """Refuses tensors of other parameters, of other shapes, or with values that are not finite."""
    stored = {name.partition("/")[2] for name in tensors}
    if stored != set(parameters):
        odd = sorted(stored ^ set(parameters))
        raise InputError(f"{path} holds other parameters than this run trains: {odd[:4]} ...")
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        shape = parameters[name].shape
        if kind in ("weight", "average") and value.shape != shape:
            raise InputError(
                f"{path} does not fit: {name} has shape {tuple(value.shape)}, not {tuple(shape)}."
            )
    bad = non_finite_tensors(tensors.items())
    if bad:
        raise InputError(
            f"{path} cannot be resumed: {len(bad)} of its {len(tensors)} tensors are not finite, "
            f"as {bad[0]}; resume=PATH takes an earlier state."
        )


def _optimizer_value(kind: str, value: Tensor, device: torch.device) -> Tensor | int:
    """Returns a value in the optimizer's form: 8-bit optimizers count steps in a plain int."""
    if kind == "step":
        return value if value.is_floating_point() else int(value)
    return value.to(device)


def list_states(folder: Path) -> list[Path]:
    """Returns the states in a folder, oldest first."""
    found = [p for p in folder.glob("checkpoint-*") if _NAME.search(p.name)]
    return sorted(found, key=lambda p: int(p.name.split("-")[1]))


def find_state(folder: Path, resume: str) -> Path | None:
    """Returns the state that `resume` chooses: "latest", "none" or a path.

    Raises:
        InputError: there is no state at the path.
    """
    if resume == "none":
        return None
    if resume == "latest":
        found = list_states(folder)
        return found[-1] if found else None
    path = Path(resume)
    if not (path / METADATA).is_file():
        raise InputError(f"resume: {resume} is not a checkpoint state.")
    return path
