"""The constraints for a run with the lowest versions are the bounds of pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def bounds(name: str) -> dict[str, str]:
    """The lower bounds in the list `name` of pyproject.toml; an extra may raise one."""
    block = re.search(
        rf"^{name} = \[(.*?)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL
    )
    assert block is not None
    return dict(re.findall(r'"([\w-]+)>=([\d.]+)"', block[1]))


@pytest.mark.parametrize(
    ("file", "lists"),
    [
        ("lowest.txt", ("dependencies",)),
        ("lowest-extras.txt", ("dependencies", "sd15", "train", "evaluate", "test")),
    ],
)
def test_the_constraints_are_the_promised_bounds(file: str, lists: tuple[str, ...]) -> None:
    promised = {package: bound for name in lists for package, bound in bounds(name).items()}
    lines = (ROOT / "tests" / file).read_text().splitlines()
    pinned = [line.split("==") for line in lines if not line.startswith("#")]
    assert len(promised) > 10 and promised == dict(pinned)
    assert len(pinned) == len(promised)
