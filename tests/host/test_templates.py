"""The pack's templates, help pages and translations, as the real host serves them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from .conftest import ROOT, Comfy

PACK = "ComfyUI-MuseDance"
TEMPLATES = sorted(file.stem for file in (ROOT / "workflows").glob("*.json"))
UPLOADS = {"upload", "audioUI"}
"""Widgets that the frontend adds to file-loading nodes."""
LOADERS = ("LoadImage", "LoadAudio", "MuseDance_Load", "CheckpointLoaderSimple")
BROUGHT = ("musedance-sd15.safetensors", "v1-5-pruned-emaonly-fp16.safetensors")
"""Files that template 9 asks the user for."""


def served(comfy: Comfy, path: str) -> bytes:
    """The bytes at `path`."""
    with urllib.request.urlopen(comfy.url + path, timeout=30) as answer:
        content: bytes = answer.read()
    return content


def inputs_of(known: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The options of a node's inputs, by name, as `/object_info` tells them."""
    given = known["input"].get("required", {}) | known["input"].get("optional", {})
    return {name: (options or [{}])[0] for name, (_, *options) in given.items()}


def texts_of(known: dict[str, Any]) -> dict[str, Any]:
    """A node's texts in its schema, in the form of a translation."""

    def slot(name: str, tooltip: str | None) -> dict[str, str]:
        return {"name": name, "tooltip": tooltip} if tooltip else {"name": name}

    outputs = zip(known["output_name"], known["output_tooltips"], strict=True)
    return {
        "display_name": known["display_name"],
        "description": known["description"],
        "inputs": {
            name: slot(options.get("display_name") or name, options.get("tooltip"))
            for name, options in inputs_of(known).items()
        },
        "outputs": {str(i): slot(name, tooltip) for i, (name, tooltip) in enumerate(outputs)},
    }


def ours(comfy: Comfy) -> dict[str, Any]:
    """The host's description of the pack's nodes."""
    known = comfy.get("/object_info")
    return {name: told for name, told in known.items() if name.startswith("MuseDance_")}


def test_the_templates_are_listed(comfy: Comfy) -> None:
    assert sorted(comfy.get("/api/workflow_templates")[PACK]) == TEMPLATES != []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_and_its_picture_are_served(comfy: Comfy, name: str) -> None:
    for suffix in (".json", ".jpg"):
        content = (ROOT / "workflows" / f"{name}{suffix}").read_bytes()
        assert served(comfy, f"/api/workflow_templates/{PACK}/{name}{suffix}") == content


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_host_knows_a_templates_nodes_and_inputs(comfy: Comfy, name: str) -> None:
    known = comfy.get("/object_info")
    for node in json.loads((ROOT / "workflows" / f"{name}.json").read_text())["nodes"]:
        if node["type"] == "MarkdownNote":
            continue
        inputs = set(inputs_of(known[node["type"]]))
        slots = {slot["name"] for slot in node["inputs"]}
        if node["type"].startswith("MuseDance_"):
            assert slots == inputs
        else:
            assert inputs <= {slot.split(".")[0] for slot in slots - UPLOADS}


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_loads_can_be_chosen_on_a_fresh_host(comfy: Comfy, name: str) -> None:
    for node in json.loads((ROOT / "workflows" / f"{name}.json").read_text())["nodes"]:
        if node["type"] not in LOADERS or node["widgets_values"][0] in BROUGHT:
            continue
        known = comfy.get(f"/object_info/{node['type']}")[node["type"]]
        kind, *options = next(iter(known["input"]["required"].values()))
        choices = kind if isinstance(kind, list) else options[0]["options"]
        assert node["widgets_values"][0] in choices


def test_the_english_texts_are_those_of_the_schemas(comfy: Comfy) -> None:
    served_texts = comfy.get("/i18n")
    nodes = ours(comfy)
    assert served_texts["en"]["nodeDefs"] == {name: texts_of(told) for name, told in nodes.items()}
    assert set(served_texts["zh"]["nodeDefs"]) == set(nodes)


def test_every_help_page_is_served(comfy: Comfy) -> None:
    for name, told in ours(comfy).items():
        page = served(comfy, f"/extensions/{PACK}/docs/{name}.md").decode()
        assert page.startswith(f"# {told['display_name']}\n")
