"""Checks of configurations."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

LARGEST_SIZE, LARGEST_DEPTH = 2**17, 64
"""Bounds of sizes and of numbers of layers, so that no file can ask for more than a machine has."""


def require(condition: bool, message: str) -> None:
    """Raises ValueError with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def require_sizes(
    config: Any, depths: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> None:
    """Raises ValueError unless all integers of `config` are at least 1 and within bounds.

    Args:
        config: a dataclass.
        depths: fields that are numbers of layers.
        optional: fields that may be 0.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        sizes = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool)]
        low = 0 if field.name in optional else 1
        high = LARGEST_DEPTH if field.name in depths else LARGEST_SIZE
        require(
            all(low <= n <= high for n in sizes), f"{field.name} must be {low}..{high}: {value}"
        )
