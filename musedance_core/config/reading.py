"""Configurations from nested dicts, as checkpoints and YAML files hold them."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from .checks import require

OPTIONAL_KEYS = {
    *("copy_reach", "copy_body"),
    *("text_guidance", "music_guidance", "reference_guidance"),
    *("rig", "choreographer"),
}
"""Keys that files may lack. Their defaults leave such a model as it was."""
RETIRED_KEYS = {"copy_pixels"}
"""Keys of older files that no model has any more."""


def build(cls: type[Any], values: dict[str, Any], where: str) -> Any:
    """Build a dataclass from a nested dict; unknown keys and, but for `OPTIONAL_KEYS`, missing ones
    are errors."""
    names = {f.name for f in fields(cls)}
    values = {name: value for name, value in values.items() if name not in RETIRED_KEYS}
    unknown, missing = sorted(set(values) - names), sorted(names - set(values) - OPTIONAL_KEYS)
    require(not unknown and not missing, f"{where}: unknown keys {unknown}, missing keys {missing}")
    types = get_type_hints(cls)
    built: dict[str, Any] = {}
    for name, value in values.items():
        kind, optional = without_none(types[name])
        if isinstance(value, dict) and isinstance(kind, type) and is_dataclass(kind):
            built[name] = build(kind, value, f"{where}.{name}")
            continue
        require(
            _fits(value, kind) or (optional and value is None),
            f"{where}.{name} must not be {repr(value)[:60]}",
        )
        built[name] = tuple(value) if isinstance(value, list) else value
    return cls(**built)


def without_none(kind: Any) -> tuple[Any, bool]:
    """The type K of a field that is declared as K or as `K | None`, and whether it may be None."""
    if NoneType not in get_args(kind):
        return kind, False
    return next(one for one in get_args(kind) if one is not NoneType), True


def _fits(value: Any, kind: Any) -> bool:
    """True if a value from JSON or YAML has the type of its field."""
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(_fits(v, get_args(kind)[0]) for v in value)
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return type(value) is kind
