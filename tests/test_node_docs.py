"""docs/nodes.md is what the nodes declare, and what is declared is what the host tells of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "nodes.md"
INTERFACE = Path(__file__).parent / "host" / "interface.json"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    """If it is not: `make docs`."""
    made = tmp_path / "nodes.md"
    subprocess.run([sys.executable, ROOT / "docs" / "make_nodes.py", made], check=True)
    assert PAGE.read_text(encoding="utf-8") == made.read_text(encoding="utf-8")


def test_the_page_says_what_the_host_says() -> None:
    """`interface.json` is compared with a real host in tests/host."""
    sections = {}
    for text in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        _, _, node, *lines = text.splitlines()
        sections[node.strip("`")] = [row.split(" | ") for row in lines if row.startswith("| `")]
    told = json.loads(INTERFACE.read_text())
    assert set(sections) == set(told)
    for node, known in told.items():
        inputs = [
            [f"| `{name}`", kind + ", optional" * (need == "optional")]
            for need, name, kind, _ in known["inputs"]
        ]
        outputs = [[f"| `{name}`", kind] for kind, name in known["outputs"]]
        assert [row[:2] for row in sections[node]] == inputs + outputs, node
        defaults = [row[2].strip("`") for row in sections[node][: len(inputs)]]
        expected = [
            "" if default is None else json.dumps(default) for *_, default in known["inputs"]
        ]
        assert defaults == expected, node
