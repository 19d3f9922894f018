"""The rig editor in a real browser, on the classic canvas and with Nodes 2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from .browser import Browser, opened
from .conftest import SIDE, Comfy

SLOT = {"flags": {}, "mode": 0, "properties": {}}
PICTURE, OTHER = "small-puppet-kid.png", "small-puppet-cat.png"
WORKFLOW: dict[str, Any] = {
    "version": 0.4,
    "last_node_id": 4,
    "last_link_id": 3,
    "nodes": [
        {
            **SLOT,
            "id": 1,
            "type": "LoadImage",
            "pos": [20, 40],
            "size": [280, 320],
            "outputs": [
                {"name": "IMAGE", "type": "IMAGE", "links": [1]},
                {"name": "MASK", "type": "MASK", "links": []},
            ],
            "widgets_values": [PICTURE, "image"],
        },
        {
            **SLOT,
            "id": 2,
            "type": "MuseDance_Rig",
            "pos": [360, 40],
            "size": [460, 640],
            "inputs": [
                {"name": "model", "type": "MUSEDANCE_MODEL", "link": 3},
                {"name": "image", "type": "IMAGE", "link": 1},
            ],
            "outputs": [
                {"name": "rig", "type": "MUSEDANCE_RIG", "links": []},
                {"name": "drawn", "type": "IMAGE", "links": [2]},
            ],
            "widgets_values": [""],
        },
        {
            **SLOT,
            "id": 3,
            "type": "MuseDance_Load",
            "pos": [20, 420],
            "size": [280, 120],
            "outputs": [{"name": "model", "type": "MUSEDANCE_MODEL", "links": [3]}],
            "widgets_values": [],
        },
        {
            **SLOT,
            "id": 4,
            "type": "PreviewImage",
            "pos": [880, 40],
            "size": [240, 260],
            "inputs": [{"name": "images", "type": "IMAGE", "link": 2}],
            "outputs": [],
            "widgets_values": [],
        },
    ],
    "links": [
        [1, 1, 0, 2, 1, "IMAGE"],
        [2, 2, 1, 4, 0, "IMAGE"],
        [3, 3, 0, 2, 0, "MUSEDANCE_MODEL"],
    ],
    "groups": [],
    "config": {},
    "extra": {},
}
EDITS = "widgets.find((one) => one.name === 'edits').value"
NODE = "app.rootGraph.getNodeById(2)"
MARGIN = 6
"""CSS pixels that the editor leaves around the picture."""


class RigEditor(Browser):
    """A page of the host with the rig editor in it."""

    editor = "rig-editor"

    def run(self) -> dict[str, Any]:
        """Press Run; the rig in the outputs of the node."""
        rig: dict[str, Any] = self.outputs("2")["rig"][0]
        return rig

    @property
    def text(self) -> str:
        """The text of the node that holds the edits."""
        return str(self.page.evaluate(f"{NODE}.{EDITS}"))

    @property
    def joints(self) -> dict[str, Any]:
        """The edited joints."""
        joints: dict[str, Any] = json.loads(self.text)["joints"]
        return joints

    def shown(self) -> tuple[dict[str, float], float]:
        """The canvas on the screen, and its pixels for one of the picture where all is seen."""
        canvas = self.part("stage").locator("canvas")
        box: dict[str, float] = canvas.bounding_box()
        wide, high = canvas.evaluate("(one) => [one.clientWidth, one.clientHeight]")
        zoom = box["width"] / wide
        return box, zoom * min(wide - 2 * MARGIN, high - 2 * MARGIN) / SIDE

    def drag(self, place: list[float], right: float, down: float) -> None:
        """Drag what is at a place of the whole picture by so many of its pixels."""
        box, scale = self.shown()
        x = box["x"] + box["width"] / 2 + (place[0] - SIDE / 2) * scale
        y = box["y"] + box["height"] / 2 + (place[1] - SIDE / 2) * scale
        self.drag_from((x, y), right * scale, down * scale)

    def pick(self, picture: str) -> None:
        """Choose another picture in the node that loads it, as the host would."""
        self.page.evaluate(
            """(name) => {
              app.canvas.emitBeforeChange();
              const [widget] = app.rootGraph.getNodeById(1).widgets;
              widget.value = name;
              widget.callback?.(name);
              app.canvas.emitAfterChange();
            }""",
            picture,
        )
        self.page.wait_for_timeout(1500)


@pytest.fixture(autouse=True)
def wide_picture(comfy: Comfy) -> None:
    """The host can load a picture of another shape."""
    Image.new("RGB", (320, 160), "white").save(comfy.folder / "input" / "wide.png")


@pytest.fixture(params=[False, True], ids=["classic", "nodes 2.0"])
def browser(comfy: Comfy, request: pytest.FixtureRequest) -> Iterator[RigEditor]:
    with opened(RigEditor, comfy, WORKFLOW, nodes2=request.param) as page:
        yield page


def test_a_joint_is_dragged_sent_undone_and_kept(browser: RigEditor) -> None:
    assert browser.summary == "Run the node once to find the joints."
    found = browser.run()
    assert browser.summary.endswith("joints found") and browser.text == ""
    wrist = found["joints"]["right_wrist"]
    browser.drag(wrist, 20, -30)
    edited = browser.joints
    assert edited["right_wrist"] == pytest.approx([wrist[0] + 20, wrist[1] - 30], abs=1.5)
    assert json.loads(browser.text)["size"] == [SIDE, SIDE]
    assert {**edited, "right_wrist": wrist} == found["joints"]
    assert browser.status.startswith("Right wrist at ")

    followed = browser.run()
    assert browser.prompts[-1]["2"]["inputs"]["edits"] == browser.text
    assert followed["joints"] == edited
    names = browser.page.evaluate(f"{NODE}.widgets.map((one) => one.name)")
    assert not any("preview" in name for name in names), "the host shows the picture once more"

    browser.press("Control+z")
    assert browser.text == ""
    browser.press("Control+Shift+Z")
    kept = browser.text
    assert json.loads(kept)["joints"] == edited
    browser.page.wait_for_timeout(1500)
    browser.open()
    browser.part("summary").wait_for()
    assert browser.text == kept and browser.summary.endswith("edited")
    browser.button("Reset").click()
    assert browser.text == "" and browser.summary.endswith("joints found")


def test_the_keyboard_alone_edits_and_a_reader_hears_it(browser: RigEditor) -> None:
    found = browser.run()["joints"]
    page = browser.page
    slider = page.get_by_role("slider", name="Joints", exact=True)
    browser.press("Home", *["PageDown"] * 6, "ArrowRight")
    step = SIDE / 512
    x, y = found["right_wrist"]
    assert browser.joints["right_wrist"] == pytest.approx([x + step, y], abs=0.01)
    browser.press("Shift+ArrowUp")
    assert browser.joints["right_wrist"] == pytest.approx([x + step, y - 10 * step], abs=0.01)
    value = slider.get_attribute("aria-valuetext")
    assert value == f"Right wrist, {round(x + step)} across, {round(y - 10 * step)} down"
    browser.press("PageUp", "Delete")
    assert browser.joints["right_elbow"] is None and browser.joints["right_wrist"] is None
    assert browser.joints["right_shoulder"] == found["right_shoulder"]
    assert browser.status == "Right elbow removed: it stays with the body."
    assert slider.get_attribute("aria-valuetext") == "Right elbow, absent"
    assert page.evaluate("() => app.rootGraph.nodes.length") == 4, "the node itself was deleted"
    browser.press("m")
    assert browser.joints["left_wrist"] is None and browser.joints["left_shoulder"] is not None
    browser.press("a")
    assert browser.joints["right_elbow"] is not None and browser.joints["right_wrist"] is None
    browser.press(*["Control+z"] * 5)
    assert browser.text == ""


def test_limbs_go_and_come_back_by_the_menu_and_the_pointer(browser: RigEditor) -> None:
    found = browser.run()["joints"]
    browser.choose("Left arm", role="menuitemcheckbox")
    arm = ("left_shoulder", "left_elbow", "left_wrist")
    assert [browser.joints[name] for name in arm] == [None] * 3
    # The absent shoulder waits where the right one is mirrored to.
    (px, py), (nx, ny) = found["pelvis"], found["neck"]
    x, y = found["right_shoulder"]
    length = ((nx - px) ** 2 + (ny - py) ** 2) ** 0.5
    ax, ay = -(ny - py) / length, (nx - px) / length
    away = (x - px) * ax + (y - py) * ay
    ghost = [x - 2 * away * ax, y - 2 * away * ay]
    browser.drag(ghost, 5, 10)
    moved = [ghost[0] + 5, ghost[1] + 10]
    assert browser.joints["left_shoulder"] == pytest.approx(moved, abs=1.5)
    assert browser.joints["left_wrist"] is None
    browser.choose("Left arm", role="menuitemcheckbox")
    assert all(browser.joints[name] for name in arm)


def test_the_wheel_zooms_and_the_same_joint_is_dragged(browser: RigEditor) -> None:
    chest = browser.run()["joints"]["chest"]
    browser.press("Home")
    box, scale = browser.shown()
    x = box["x"] + box["width"] / 2 + (chest[0] - SIDE / 2) * scale
    y = box["y"] + box["height"] / 2 + (chest[1] - SIDE / 2) * scale
    browser.page.mouse.move(x, y)
    for _ in range(4):
        browser.page.mouse.wheel(0, -100)
        browser.page.wait_for_timeout(100)
    browser.drag_from((x, y), 20 * scale, 0)
    # Shown larger, the same way of the pointer is a shorter one in the picture.
    assert 1 < browser.joints["chest"][0] - chest[0] < 15
    browser.press("0", "Control+z")
    browser.drag(chest, 20, 0)
    assert browser.joints["chest"][0] - chest[0] == pytest.approx(20, abs=1.5)


def test_edits_of_another_picture_are_told_and_not_used(browser: RigEditor) -> None:
    found = browser.run()
    browser.drag(found["joints"]["neck"], 0, -10)
    browser.page.wait_for_timeout(500)
    kept = browser.text
    browser.pick(OTHER)
    assert "another picture of this size" in browser.part("note").inner_text()
    browser.pick("wide.png")
    assert browser.summary.startswith("The edits are of another picture: 256 x 256 pixels, not 320")
    assert browser.part("note").inner_text().startswith("They are not used")
    browser.press("Home", "ArrowLeft")
    assert browser.text == kept and browser.status.startswith("Fit the edits")
    browser.choose("Fit the edits to this picture")
    assert json.loads(browser.text)["size"] == [320, 160]
    browser.press("Control+z")
    assert browser.text == kept
    browser.button("Reset").click()
    assert browser.text == "" and browser.summary.startswith("Run the node once")
    browser.pick(PICTURE)
    assert browser.summary.endswith("joints found")


def test_in_a_subgraph_the_rig_is_edited_and_sent(browser: RigEditor) -> None:
    found = browser.run()
    browser.drag(found["joints"]["right_wrist"], 10, 10)
    edited = browser.text
    page = browser.page
    page.evaluate(f"() => app.rootGraph.convertToSubgraph(new Set([{NODE}]))")
    page.evaluate(
        """() => { const outer = app.rootGraph.nodes.find((node) => node.subgraph);
          app.canvas.openSubgraph(outer.subgraph, outer) }"""
    )
    page.wait_for_timeout(1500)
    inner = f"app.canvas.graph.nodes[0].{EDITS}"
    assert page.evaluate(inner) == edited
    # The picture is loaded outside.
    assert browser.summary.endswith("joints, edited")
    browser.press("Home", "ArrowDown")
    now = page.evaluate(inner)
    before, after = (json.loads(text)["joints"]["pelvis"] for text in (edited, now))
    assert after[1] > before[1]
    page.evaluate("() => app.queuePrompt(0, 1)")
    page.wait_for_timeout(1000)
    sent = [node["inputs"].get("edits") for node in browser.prompts[-1].values()]
    assert now in sent


def test_nothing_is_cut_off_at_any_width(browser: RigEditor) -> None:
    browser.run()
    page = browser.page
    row = browser.part("row").locator("button")
    for width in (240, 320, 460):
        page.evaluate(
            f"() => {{ {NODE}.setSize([{width}, 640]); app.canvas.setDirty(true, true) }}"
        )
        page.wait_for_timeout(800)
        shown = [one for one in row.all() if one.is_visible()]
        boxes = [one.bounding_box() for one in [*shown, browser.button("More")]]
        root = page.locator(".rig-editor").bounding_box()
        assert len({round(box["y"]) for box in boxes}) == 1
        assert boxes[-1]["x"] + boxes[-1]["width"] <= root["x"] + root["width"] + 1
        for one, other in pairwise(boxes):
            assert one["x"] + one["width"] <= other["x"] + 1
        # A button that is not in the row is in the menu.
        browser.button("More").click()
        item = page.get_by_role("menuitem", name="Mirror the selected arm")
        assert item.is_visible() == ("Mirror" not in [one.inner_text() for one in shown])
        page.keyboard.press("Escape")
