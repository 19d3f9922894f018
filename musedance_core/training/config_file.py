"""Configs from YAML files with `dotted.key=value` overrides; an unknown key is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ..config import MuseDanceConfig, without_none
from ..errors import InputError
from ..presets import preset
from .config import TrainConfig, flatten

TYPE_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
    dict: "keys and values",
}

LONGEST_VALUE = 80
"""Characters of a value in an error message."""


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Reads a YAML file and applies `dotted.key=value` overrides, whose values are YAML too.

    Raises:
        InputError: the file cannot be read, a key is unknown, or a value is of another type or out
            of range.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"The config {path} cannot be read: {_reason(error)}.") from error
    if not isinstance(values, dict):
        raise InputError(f"The config {path} must hold keys and values.")
    for override in overrides:
        _apply(values, override)
    if not values.get("output_dir"):
        raise InputError("Say where to write: output_dir=FOLDER.")
    try:
        config: TrainConfig = merge(TrainConfig(output_dir="somewhere"), values, "config")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return config


def _reason(error: Exception) -> str:
    """The first line of an error of YAML, with its place in the file."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or error.context} in line {error.problem_mark.line + 1}"
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _short(value: Any) -> str:
    """A value as it is written in Python, cut to the length of a line."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def dump_config(config: TrainConfig) -> str:
    """Returns the whole config as YAML that `load_config` reads."""
    return yaml.safe_dump(_plain(config.to_dict()), sort_keys=False)


def _plain(value: Any) -> Any:
    """Returns the value with lists in place of tuples."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def model_config(config: TrainConfig, base: MuseDanceConfig | None = None) -> MuseDanceConfig:
    """Returns the model's config: the preset's, or `base`, with the `model` overrides.

    Raises:
        InputError: an override is unknown or does not fit.
    """
    base = preset(config.preset) if base is None else base
    merged: MuseDanceConfig = merge(base, config.model, "model")
    return merged


def config_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Returns the differences between two configs as dicts, `key: before -> after` each."""
    old, new = flatten(_plain(dict(before))), flatten(_plain(dict(after)))
    return [
        f"{key}: {old.get(key, 'not set')} -> {new.get(key, 'not set')}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise InputError(f"An override looks like key=value, not {override!r}.")
    *path, last = key.split(".")
    for name in path:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise InputError(f"{key}: {name} holds a value, not keys.")
    try:
        values[last] = yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        raise InputError(f"The value of {key} cannot be read: {text!r}.") from error


def merge(base: Any, values: Mapping[str, Any], where: str) -> Any:
    """Returns the dataclass `base` with some fields replaced by nested `values`.

    Args:
        where: name of `base` in messages.

    Raises:
        InputError: a key is unknown, or a value is of another type or out of range.
    """
    names = {f.name for f in fields(base)}
    hints = get_type_hints(type(base))
    changed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            raise InputError(f"{where}: there is no key {_short(name)}; there are {sorted(names)}.")
        current, (kind, optional) = getattr(base, name), without_none(hints[name])
        if value is None and optional:
            changed[name] = None
            continue
        if current is None and isinstance(kind, type) and is_dataclass(kind):
            current = kind()
        if is_dataclass(current):
            if not isinstance(value, Mapping):
                raise InputError(f"{where}.{name} takes keys and values, not {_short(value)}.")
            changed[name] = merge(current, value, f"{where}.{name}")
        else:
            changed[name] = _convert(current, value, hints[name], f"{where}.{name}")
    try:
        return replace(base, **changed)
    except InputError:
        raise
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise InputError(f"{where} does not fit: {error}.") from error


def _convert(current: Any, value: Any, hint: Any, where: str) -> Any:
    """Returns `value` in the type of `current`: YAML reads 1e-4 as text and 1 as an integer."""
    kind = type(current)
    if kind is tuple and isinstance(value, list):
        texts = hint == tuple[str, ...]
        if texts and not all(isinstance(item, str) for item in value):
            raise InputError(f"{where} must be a list of texts, not {_short(value)}.")
        return tuple(value)
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError as error:
            raise InputError(f"{where} must be {TYPE_NAMES[kind]}, not {_short(value)}.") from error
    if kind is str and value is None:
        return "none" if where.endswith(".resume") else ""
    if type(value) is not kind:
        raise InputError(f"{where} must be {TYPE_NAMES[kind]}, not {_short(value)}.")
    return value
