"""Writes docs/nodes.md from the nodes' schemas: `make docs`.

ComfyUI is not needed: its schema types are replaced by recorders, and `nodes.host` and
`nodes.host_models`, which touch the host, by stubs.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[1]
HEAD = """# The nodes

Every input and output, as the nodes declare them; `make docs` writes this page. The purpose of a
node and its pitfalls are on its help page in ComfyUI ([web/docs](../web/docs)).
"""


class Kind:
    """Replaces a type of the host; records the arguments of its inputs and outputs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def Input(self, name: str, **declared: Any) -> dict[str, Any]:
        return {"kind": self.name, "name": name, **declared}

    def Output(self, **declared: Any) -> dict[str, Any]:
        return {"kind": self.name, "name": declared["display_name"], **declared}


class Recorder(SimpleNamespace):
    """Replaces the host's `io`: unknown attributes are types of that name."""

    def __getattr__(self, name: str) -> Kind:
        return Kind(name.upper())


def schemas() -> list[dict[str, Any]]:
    """Returns the schemas of all nodes, in the order of a workflow."""
    api: Any = ModuleType("comfy_api.v0_0_2")
    api.ComfyExtension, api.io = object, Recorder(ComfyNode=object, Schema=dict, Custom=Kind)
    host: Any = ModuleType("pack.nodes.host")
    host.checkpoints = lambda: ["files of models/musedance"]
    host.beat_trackers = lambda: ["files of models/beat_this"]
    sys.modules |= {"comfy_api": ModuleType("comfy_api"), api.__name__: api, host.__name__: host}
    sys.modules["pack.nodes.host_models"] = ModuleType("pack.nodes.host_models")

    # The host gives the pack's folder a name of its own and imports it as a package.
    place = importlib.util.spec_from_file_location("pack", ROOT / "__init__.py")
    assert place is not None and place.loader is not None
    pack = sys.modules["pack"] = importlib.util.module_from_spec(place)
    place.loader.exec_module(pack)

    async def nodes() -> list[Any]:
        listed: list[Any] = await (await pack.comfy_entrypoint()).get_node_list()
        return listed

    return [node.define_schema() for node in asyncio.run(nodes())]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def input_row(arguments: dict[str, Any]) -> str:
    """Formats name, type, default, range and tooltip of an input."""
    kind = arguments["kind"] + (", optional" if arguments.get("optional") else "")
    default = f"`{json.dumps(arguments['default'])}`" if "default" in arguments else ""
    allowed = ", ".join(arguments.get("options", []))
    if "min" in arguments:
        allowed = f"{arguments['min']} to {arguments['max']}"
    return row(f"`{arguments['name']}`", kind, default, allowed, arguments["tooltip"])


def section(schema: dict[str, Any]) -> str:
    """Formats one node."""
    lines = [f"## {schema['display_name']}", "", f"`{schema['node_id']}`", ""]
    lines += [schema["description"], "", row("input", "type", "default", "allowed", "")]
    lines += [row(*["---"] * 5), *map(input_row, schema["inputs"]), ""]
    lines += [row("output", "type", ""), row(*["---"] * 3)]
    lines += [row(f"`{o['name']}`", o["kind"], o.get("tooltip", "")) for o in schema["outputs"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "nodes.md"
    target.write_text("\n".join([HEAD, *map(section, schemas())]), encoding="utf-8")
