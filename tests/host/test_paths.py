"""Folders that extra_model_paths.yaml names, by the host's own reading of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT, comfy_folder, comfy_python

pytestmark = pytest.mark.xdist_group("comfy")
SCRIPT = """
import sys; sys.path.insert(0, sys.argv[1])
import asyncio, importlib.util, json
from comfy.cli_args import args
args.cpu = True
import comfy.sd
import utils.extra_config
utils.extra_config.load_extra_path_config(sys.argv[3])
root = sys.argv[2]
spec = importlib.util.spec_from_file_location(
    "pack", root + "/__init__.py", submodule_search_locations=[root]
)
pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
from pack.nodes import host
host.copy_template_inputs = lambda: None  # the host's own input folder stays as it is

async def offered():
    extension = await pack.comfy_entrypoint()
    await extension.on_load()
    nodes = {node.define_schema().node_id: node for node in await extension.get_node_list()}
    load = nodes["MuseDance_Load"].GET_NODE_INFO_V1()["input"]["required"]["checkpoint"]
    listen = nodes["MuseDance_ExtractBeats"].GET_NODE_INFO_V1()["input"]["optional"]["tracker"]
    return [load[1]["options"], listen[1]["options"], host.checkpoint_path("mine.safetensors")]

print(json.dumps(asyncio.run(offered())))
"""


def test_checkpoints_in_folders_that_the_user_names_are_offered(tmp_path: Path) -> None:
    home = comfy_folder()
    if not (home / "main.py").is_file():
        pytest.skip(f"there is no ComfyUI at {home}; set COMFYUI_PATH")
    elsewhere = tmp_path / "elsewhere"
    for name in ("dance/mine.safetensors", "dance/notes.txt", "beats/mine.ckpt"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).touch()
    paths = tmp_path / "extra_model_paths.yaml"
    paths.write_text(f"mine:\n  base_path: {elsewhere}\n  musedance: dance\n  beat_this: beats\n")
    command = [str(comfy_python(home)), "-c", SCRIPT, str(home), str(ROOT), str(paths)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=True)
    checkpoints, trackers, found = json.loads(done.stdout.splitlines()[-1])
    assert {"mine.safetensors", "musedance-sticker.safetensors"} <= set(checkpoints)
    assert "notes.txt" not in checkpoints
    assert "mine.ckpt" in trackers
    assert Path(found) == elsewhere / "dance" / "mine.safetensors"
