"""What a training run is: YAML plus `dotted.key=value` overrides, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ..config import MuseDanceConfig
from ..errors import InputError
from ..presets import PRESETS, preset
from ..world.choreography import MOVES


@dataclass(frozen=True)
class DataConfig:
    """What is drawn from the dance world, and by how many processes (0: in the training one).

    `songs` is the size of the bank of songs; `mixture` weighs "emoji" against "puppet"; `font` is
    the file of Noto Color Emoji, where it is not at a usual place; `moves` are those
    that are danced, by default all.
    """

    seed: int = 0
    songs: int = 64
    frames: int = 16
    mixture: dict[str, float] = field(default_factory=lambda: {"emoji": 0.6, "puppet": 0.4})
    workers: int = 1
    font: str = ""
    moves: tuple[str, ...] = MOVES


@dataclass(frozen=True)
class OptimConfig:
    """AdamW, linear warm-up, then `schedule` "cosine" (to zero at max_steps) or "constant"."""

    lr: float = 4e-4
    warmup: int = 100
    schedule: str = "cosine"
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999


@dataclass(frozen=True)
class LossConfig:
    """How the diffusion loss is drawn and weighted.

    Timesteps are `steps * u ** timestep_power`: 1 is uniform, below 1 favours high noise; a share
    `timestep_uniform` of samples is uniform all the same. `motion` weighs places that move by
    1 + motion * |difference of frames|. `previous_noise` is the largest noise on the previous
    frames. The drops are shares of samples that lose a condition.
    """

    timestep_power: float = 1.0
    timestep_uniform: float = 0.0
    motion: float = 0.0
    previous_noise: float = 0.0
    drop_text: float = 0.1
    drop_reference: float = 0.1
    drop_music: float = 0.0
    drop_all: float = 0.1
    drop_map: float = 0.3
    silhouette: float = 0.3


@dataclass(frozen=True)
class TrainConfig:
    """One run of one stage.

    `model` overrides numbers of the preset and is used only where no `init` checkpoint is given.
    `note` is kept in the provenance.
    `trainable` are patterns (as in file names) of the parameters that learn. `max_minutes` ends the
    run early, 0 never does.
    """

    output_dir: str
    preset: str = "sticker"
    model: dict[str, Any] = field(default_factory=dict)
    init: str = ""
    note: str = ""
    trainable: tuple[str, ...] = ()
    resume: str = "latest"
    seed: int = 0
    batch: int = 48
    max_steps: int = 1000
    max_minutes: float = 0.0
    checkpoint_every: int = 500
    keep: int = 2
    log_every: int = 20
    evaluate_every: int = 200
    evaluate_batch: int = 16
    precision: str = "no"
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        if self.optim.schedule not in ("cosine", "constant"):
            raise InputError(
                f"optim.schedule must be cosine or constant, not {self.optim.schedule!r}."
            )
        if self.preset not in PRESETS:
            raise InputError(f"preset must be one of {sorted(PRESETS)}, not {self.preset!r}.")
        for move in self.data.moves or ("",):
            if move not in MOVES:
                raise InputError(f"data.moves must be some of {', '.join(MOVES)}, not {move!r}.")
        for name, value in asdict(self.loss).items():
            share = name.startswith("drop_") or name in ("timestep_uniform", "silhouette")
            if share and not 0 <= value <= 1:
                raise InputError(f"loss.{name} must be within 0..1, not {value}.")
        if not self.loss.timestep_power > 0:
            raise InputError(f"loss.timestep_power must be above 0: {self.loss.timestep_power}.")
        for name in ("batch", "max_steps", "checkpoint_every", "log_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready nested dict."""
        return asdict(self)

    def model_config(self) -> MuseDanceConfig:
        """The preset with this config's `model` overrides."""
        merged: MuseDanceConfig = _merge(preset(self.preset), self.model, "model")
        return merged


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply `dotted.key=value` overrides (values are YAML).

    Raises:
        InputError: the file cannot be read, or a key is unknown, or a value does not fit.
    """
    try:
        values = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"The config {path} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"The config {path} must hold keys and values.")
    for override in overrides:
        _apply(values, override)
    if "output_dir" not in values:
        raise InputError("Say where to write: output_dir=FOLDER.")
    config: TrainConfig = _merge(TrainConfig(output_dir=""), values, "config")
    return config


def _apply(values: dict[str, Any], override: str) -> None:
    key, found, text = override.partition("=")
    if not found:
        raise InputError(f"An override looks like key=value, not {override!r}.")
    *path, last = key.split(".")
    for name in path:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise InputError(f"{key}: {name} holds a value, not keys.")
    values[last] = yaml.safe_load(text) if text else ""


def _merge(base: Any, values: Mapping[str, Any], where: str) -> Any:
    """`base` with nested `values` replaced, strictly."""
    names = {f.name for f in fields(base)}
    hints = get_type_hints(type(base))
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            raise InputError(f"{where}: there is no key {name!r}; there are {sorted(names)}.")
        current = getattr(base, name)
        if is_dataclass(current):
            if not isinstance(value, Mapping):
                raise InputError(f"{where}.{name} takes keys and values, not {value!r}.")
            changes[name] = _merge(current, value, f"{where}.{name}")
        else:
            changes[name] = _fit(current, value, hints[name], f"{where}.{name}")
    try:
        return replace(base, **changes)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def _fit(current: Any, value: Any, hint: Any, where: str) -> Any:
    """`value` as the type of `current`; YAML reads 1e-4 as text and 1 as a whole number."""
    kind = type(current)
    if kind is tuple and isinstance(value, list):
        return tuple(value)
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError as error:
            raise InputError(f"{where} must be a number, not {value!r}.") from error
    if kind is str and value is None:
        return "none"
    if type(value) is not kind:
        raise InputError(f"{where} must be of type {hint}, not {value!r}.")
    return value
