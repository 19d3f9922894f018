"""The interface that saved workflows rely on: ids, inputs in order, types and defaults."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, Comfy, comfy_folder, comfy_python

pytestmark = pytest.mark.xdist_group("comfy")
GOLDEN = Path(__file__).with_name("interface.json")


def interface(known: dict[str, Any]) -> dict[str, Any]:
    """The parts of /object_info that must not change for nodes that people use."""
    return {
        name: {
            "inputs": [
                [kind, key, _type(given), _default(given)]
                for kind, inputs in node["input"].items()
                if kind != "hidden"
                for key, given in inputs.items()
            ],
            "outputs": [
                list(pair) for pair in zip(node["output"], node["output_name"], strict=True)
            ],
            "category": node["category"],
        }
        for name, node in sorted(known.items())
        if name.startswith("MuseDance_")
    }


def _type(given: list[Any]) -> str:
    return given[0] if isinstance(given[0], str) else "COMBO"


def _default(given: list[Any]) -> Any:
    return given[1].get("default") if len(given) > 1 else None


def test_the_nodes_are_what_they_were(comfy: Comfy) -> None:
    """Nodes may be added. What is there stays, or saved workflows break."""
    assert interface(comfy.get("/object_info")) == json.loads(GOLDEN.read_text())


def test_every_input_says_what_it_is_for(comfy: Comfy) -> None:
    for name, node in comfy.get("/object_info").items():
        if not name.startswith("MuseDance_"):
            continue
        assert node["description"] and node["search_aliases"], name
        for inputs in node["input"].values():
            for key, given in inputs.items():
                assert len(given) > 1 and given[1].get("tooltip"), f"{name}.{key}"


IMPORT = """
import sys; sys.path.insert(0, sys.argv[1])
import asyncio, importlib.util
from comfy.cli_args import args
args.cpu = True
import comfy.sd, comfy_api.v0_0_2, folder_paths
before, root = set(sys.modules), sys.argv[2]
spec = importlib.util.spec_from_file_location(
    "pack", root + "/__init__.py", submodule_search_locations=[root]
)
pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)

async def nodes():
    extension = await pack.comfy_entrypoint()
    await extension.on_load()
    return [node.define_schema().node_id for node in await extension.get_node_list()]

found = asyncio.run(nodes())
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(len(found), sorted(new - {"pack"}))
"""


def test_the_pack_s_import_loads_nothing_else() -> None:
    """Neither librosa nor transformers: what a node needs is imported when it runs."""
    home = comfy_folder()
    if not (home / "main.py").is_file():
        pytest.skip(f"there is no ComfyUI at {home}; set COMFYUI_PATH")
    command = [str(comfy_python(home)), "-c", IMPORT, str(home), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=True)
    assert done.stdout.strip().splitlines()[-1] == "14 []"
