"""Fill in the GitHub account that publishes the pack: `python .github/set_owner.py ACCOUNT`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACEHOLDER = "/OWNER/"
FILES = ("pyproject.toml", "README.md")
"""The only files that contain the placeholder."""


def fill(account: str, root: Path = ROOT) -> None:
    """Replace the placeholder in all `FILES`.

    Raises:
        SystemExit: `account` is not a GitHub account name.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?", account):
        raise SystemExit(f"{account!r} is not the name of a GitHub account.")
    for name in FILES:
        path = root / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(PLACEHOLDER, f"/{account}/"), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python .github/set_owner.py ACCOUNT")
    fill(sys.argv[1])
