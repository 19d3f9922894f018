"""Help pages, translations and templates of the pack, read without the host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES, WORKFLOWS = ROOT / "web" / "docs", ROOT / "workflows"
TWINS = Path(__file__).parent / "host" / "workflows"
NODES = sorted(
    name
    for file in (ROOT / "nodes").glob("*.py")
    for name in re.findall(r'node_id="(\w+)"', file.read_text())
)
TEMPLATES = sorted(file.stem for file in WORKFLOWS.glob("*.json"))
NOTES = ("Note", "MarkdownNote")
BYPASSED = 4


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def locale(language: str) -> dict[str, Any]:
    """The nodes' texts in a language."""
    texts: dict[str, Any] = read(ROOT / "locales" / language / "nodeDefs.json")
    return texts


def strings(value: Any) -> Iterator[str]:
    """Every string inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def keys(value: Any) -> Any:
    """A JSON value without its strings."""
    return {k: keys(v) for k, v in value.items()} if isinstance(value, dict) else None


def api_form(template: dict[str, Any]) -> dict[str, Any]:
    """Converts a saved workflow to the API form: classes, widget values and links."""
    off = {node["id"] for node in template["nodes"] if node["mode"] == BYPASSED}
    sources = {link[0]: [str(link[1]), link[2]] for link in template["links"]}
    prompt = {}
    for node in template["nodes"]:
        if node["type"] in NOTES or node["id"] in off:
            continue
        inputs = dict(node.get("widgets_values_named", {}))
        for slot in node["inputs"]:
            if slot["link"] is not None and int(sources[slot["link"]][0]) not in off:
                inputs[slot["name"]] = sources[slot["link"]]
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def test_every_node_has_a_help_page() -> None:
    assert sorted(page.stem for page in PAGES.glob("*.md")) == NODES and len(NODES) == 14


@pytest.mark.parametrize("name", NODES)
def test_a_help_page_tells_of_every_input_and_output(name: str) -> None:
    page, texts = (PAGES / f"{name}.md").read_text(), locale("en")[name]
    assert page.startswith(f"# {texts['display_name']}\n")
    told = set(re.findall(r"`(\w+)`", page))
    assert {*texts["inputs"], *(out["name"] for out in texts["outputs"].values())} <= told


def test_translations_have_the_same_keys_and_no_empty_text() -> None:
    assert sorted(locale("en")) == NODES
    assert keys(locale("zh")) == keys(locale("en"))
    assert all(text.strip() for language in ("en", "zh") for text in strings(locale(language)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_and_descriptions_hold_no_sign_that_the_frontend_would_interpret(
    language: str,
) -> None:
    for texts in locale(language).values():
        slots = [*texts["inputs"].values(), *texts["outputs"].values()]
        shown = [texts["display_name"], texts["description"], *(slot["name"] for slot in slots)]
        assert not [text for text in shown if set(text) & set("{}@|$")]


def test_every_template_has_a_twin_in_api_form() -> None:
    assert {file.stem for file in TWINS.glob("*.json")} >= set(TEMPLATES) != set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_says_what_its_twin_says(name: str) -> None:
    made, twin = api_form(read(WORKFLOWS / f"{name}.json")), read(TWINS / f"{name}.json")
    assert {i: n["class_type"] for i, n in made.items()} == {
        i: n["class_type"] for i, n in twin.items()
    }
    for node, wanted in twin.items():
        found = made[node]["inputs"]
        assert {**found, **wanted["inputs"]} == found, node
        if wanted["class_type"].startswith("MuseDance_"):
            assert set(found) - set(wanted["inputs"]) <= {"control_after_generate"}, node


def test_the_first_template_is_a_draft_and_the_last_one_brings_its_own_model() -> None:
    first, last = (
        read(WORKFLOWS / f"{name}.json")["nodes"] for name in (TEMPLATES[0], TEMPLATES[-1])
    )
    (chain,) = [node for node in first if node["type"] == "MuseDance_Chain"]
    assert chain["widgets_values_named"]["quality"] == "draft"
    (picture,) = [node for node in first if node["type"] == "LoadImage"]
    with Image.open(
        ROOT / "assets" / picture["widgets_values"][0].removeprefix("musedance-")
    ) as own:
        assert own.size == (512, 512)
    assert any(node["type"] == "CheckpointLoaderSimple" for node in last)


@pytest.mark.parametrize("name", TEMPLATES)
def test_links_of_a_template_are_consistent(name: str) -> None:
    template = read(WORKFLOWS / f"{name}.json")
    nodes = {node["id"]: node for node in template["nodes"]}
    assert len(nodes) == len(template["nodes"]) and max(nodes) == template["last_node_id"]
    for link, source, output, target, slot, kind in template["links"]:
        sends, takes = nodes[source]["outputs"][output], nodes[target]["inputs"][slot]
        assert link in sends["links"] and takes["link"] == link
        assert sends["type"] == takes["type"] == kind
    ends = [slot["link"] for node in nodes.values() for slot in node["inputs"]]
    assert sorted(end for end in ends if end is not None) == sorted(
        link[0] for link in template["links"]
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_clean(name: str) -> None:
    template = read(WORKFLOWS / f"{name}.json")
    for node in template["nodes"]:
        for model in node["properties"].pop("models", []):
            assert model["name"] in node["widgets_values"]
            assert model["url"].startswith("https://") and model["url"].endswith(model["name"])
            assert model["directory"] == "checkpoints"
    paths = [text for text in strings(template) if re.match(r"[/~]|\w:[\\/]|file:|https?:", text)]
    assert not paths
    assert [node for node in template["nodes"] if node["type"] in NOTES], "nobody says what to do"
    for node in template["nodes"]:
        assert set(node["properties"]) <= {"Node name for S&R"}
        assert node["mode"] == 0 or (node["mode"] == BYPASSED and node["type"] == "LoadImage")
        values = node.get("widgets_values_named", {})
        assert values.get("control_after_generate", "fixed") == "fixed"


@pytest.mark.parametrize("name", TEMPLATES)
def test_notes_have_no_code(name: str) -> None:
    """Nodes 2.0 writes it in blue on blue, which nobody can read on a note."""
    for node in read(WORKFLOWS / f"{name}.json")["nodes"]:
        assert node["type"] not in NOTES or "`" not in node["widgets_values"][0]


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_loads_comes_with_the_pack(name: str) -> None:
    for node in read(WORKFLOWS / f"{name}.json")["nodes"]:
        if node["type"] in ("LoadImage", "LoadAudio"):
            file = node["widgets_values"][0]
            assert file.startswith("musedance-")
            assert (ROOT / "assets" / file.removeprefix("musedance-")).is_file()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_a_small_picture(name: str) -> None:
    path = WORKFLOWS / f"{name}.jpg"
    assert path.stat().st_size <= 60_000
    with Image.open(path) as picture:
        assert picture.format == "JPEG" and min(picture.size) >= 256


def test_the_pack_needs_what_the_package_needs_but_for_torch() -> None:
    """ComfyUI brings its own torch, and naming one could replace it."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    named = {line.replace(" ", "") for line in lines if line and not line.startswith("#")}
    block = re.search(
        r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S
    )
    assert block is not None
    package = set(re.findall(r'"(.+?)"', block[1]))
    assert named == {need for need in package if not need.startswith("torch>")}
