"""The beat timeline in a real browser, on the classic canvas and with Nodes 2.0."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .browser import Browser, opened
from .conftest import Comfy

SLOT = {"flags": {}, "mode": 0, "properties": {}}
WORKFLOW: dict[str, Any] = {
    "version": 0.4,
    "last_node_id": 3,
    "last_link_id": 2,
    "nodes": [
        {
            **SLOT,
            "id": 1,
            "type": "LoadAudio",
            "pos": [20, 120],
            "size": [280, 140],
            "outputs": [{"name": "AUDIO", "type": "AUDIO", "links": [1]}],
            "widgets_values": ["musedance-demo-song.ogg"],
        },
        {
            **SLOT,
            "id": 2,
            "type": "MuseDance_ExtractBeats",
            "pos": [360, 120],
            "size": [560, 560],
            "inputs": [{"name": "audio", "type": "AUDIO", "link": 1}],
            "outputs": [
                {"name": "beats", "type": "MUSEDANCE_BEATS", "links": []},
                {"name": "tempo", "type": "FLOAT", "links": []},
                {"name": "strip", "type": "IMAGE", "links": [2]},
            ],
            "widgets_values": [0, -1, "as heard", 0, ""],
        },
        {
            **SLOT,
            "id": 3,
            "type": "PreviewImage",
            "pos": [980, 120],
            "size": [300, 260],
            "inputs": [{"name": "images", "type": "IMAGE", "link": 2}],
            "outputs": [],
            "widgets_values": [],
        },
    ],
    "links": [[1, 1, 0, 2, 0, "AUDIO"], [2, 2, 2, 3, 0, "IMAGE"]],
    "groups": [],
    "config": {},
    "extra": {},
}
TEXT = "app.rootGraph.getNodeById(2).widgets.find((one) => one.name === 'timeline').value"
NODE = "app.rootGraph.getNodeById(2)"


class Timeline(Browser):
    """A page of the host with the timeline in it."""

    editor = "beat-timeline"

    def run(self) -> dict[str, Any]:
        """Press Run; the timeline's data in the outputs of the node."""
        data: dict[str, Any] = self.outputs("2")["musedance_timeline"][0]
        return data

    @property
    def text(self) -> str:
        """The text of the node that holds the timeline."""
        return str(self.page.evaluate(TEXT))

    def drag(self, time: float, seconds: float, pixels: int) -> None:
        """Drag what is at `time` of a song of so many `seconds` to the right."""
        box = self.page.locator(".beat-timeline .musedance-stage canvas").bounding_box()
        x, y = box["x"] + time / seconds * box["width"], box["y"] + box["height"] / 2
        self.drag_from((x, y), pixels, 0)


@pytest.fixture(params=[False, True], ids=["classic", "nodes 2.0"])
def browser(comfy: Comfy, request: pytest.FixtureRequest) -> Iterator[Timeline]:
    with opened(Timeline, comfy, WORKFLOW, nodes2=request.param) as page:
        yield page


def test_beats_are_heard_dragged_sent_and_kept(browser: Timeline) -> None:
    assert browser.summary.startswith("Run the node")
    heard = browser.run()
    assert heard["heard"] and len(heard["peaks"]) == 2000 and heard["onsets"]
    assert browser.summary.endswith("as heard") and browser.text == ""
    assert browser.prompts[-1]["2"]["inputs"]["timeline"] == ""

    browser.drag(heard["beats"][3], heard["seconds"], 14)
    edited = json.loads(browser.text)
    moved = [one != other for one, other in zip(edited["beats"], heard["beats"], strict=True)]
    assert moved == [index == 3 for index in range(len(moved))]
    assert 0.1 < edited["beats"][3] - heard["beats"][3] < 1.0

    followed = browser.run()
    assert browser.prompts[-1]["2"]["inputs"]["timeline"] == browser.text
    assert not followed["heard"] and followed["beats"] == edited["beats"]

    kept = browser.text
    browser.page.wait_for_timeout(1500)
    browser.open()
    assert browser.text == kept and browser.summary.endswith("edited")
    browser.choose("As heard: drop all edits")
    assert browser.text == "" and browser.summary.startswith(f"{len(heard['beats'])} beats")
    browser.press("Control+z")
    assert browser.text == kept


def test_the_keyboard_alone_edits_and_a_reader_hears_it(browser: Timeline) -> None:
    beats = browser.run()["beats"]
    page = browser.page
    slider = page.get_by_role("slider", name="Beats")
    browser.press("Home", "ArrowRight", "Shift+ArrowRight", "m")
    assert json.loads(browser.text)["muted"] == [pytest.approx(beats[1] + 0.01, abs=1e-4)]
    value = slider.get_attribute("aria-valuetext")
    assert value == f"Beat 2 of {len(beats)}, {beats[1] + 0.01:.2f} seconds, muted"
    status = page.locator(".beat-timeline").get_by_role("status")
    assert status.inner_text() == f"Beat at 0:{beats[1] + 0.01:05.2f} muted."
    browser.press("Delete")
    assert len(json.loads(browser.text)["beats"]) == len(beats) - 1
    assert page.evaluate("() => app.rootGraph.nodes.length") == 3, "the node itself was deleted"
    browser.press("Control+z", "Control+z", "Control+z")
    assert browser.text == ""
    browser.press("Control+y")
    assert json.loads(browser.text)["beats"][1] == pytest.approx(beats[1] + 0.01, abs=1e-4)


def test_the_song_is_played_and_the_playhead_moves(browser: Timeline) -> None:
    browser.run()
    played: list[str] = []
    browser.page.on("request", lambda asked: played.append(asked.url))
    browser.press("c", "Space")
    browser.page.wait_for_timeout(1500)
    play = browser.button("Play")
    assert play.get_attribute("aria-pressed") == "true"
    browser.press("Space", "a")
    assert play.get_attribute("aria-pressed") == "false"
    assert any("/view?filename=musedance-demo-song.ogg" in url for url in played)
    added = browser.page.locator(".beat-timeline .musedance-status").inner_text()
    assert added.startswith("Beat added at 0:0") and added != "Beat added at 0:00.00."


def test_in_a_subgraph_the_timeline_goes_on(browser: Timeline) -> None:
    browser.run()
    browser.press("Home", "m")
    muted = browser.text
    page = browser.page
    page.evaluate(f"() => app.rootGraph.convertToSubgraph(new Set([{NODE}]))")
    page.evaluate(
        """() => { const outer = app.rootGraph.nodes.find((node) => node.subgraph);
          app.canvas.openSubgraph(outer.subgraph, outer) }"""
    )
    page.wait_for_timeout(1500)
    inner = "app.canvas.graph.nodes[0].widgets.find((one) => one.name === 'timeline').value"
    assert page.evaluate(inner) == muted
    browser.press("End", "Delete")
    now = page.evaluate(inner)
    assert len(json.loads(now)["beats"]) == len(json.loads(muted)["beats"]) - 1
    page.evaluate("() => app.queuePrompt(0, 1)")
    page.wait_for_timeout(1000)
    sent = [node["inputs"].get("timeline") for node in browser.prompts[-1].values()]
    assert now in sent


def write_long_song(path: Path) -> None:
    """A click every half second for three minutes."""
    rate, seconds = 8000, 180
    click = np.sin(np.arange(400) / 3) * np.exp(-np.arange(400) / 80)
    sound = np.zeros(rate * seconds)
    for start in range(0, len(sound), rate // 2):
        sound[start : start + len(click)] += click
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 30_000).astype("<i2").tobytes())


def test_a_long_song_is_scrolled_and_a_setting_shows_what_is_danced(browser: Timeline) -> None:
    write_long_song(browser.comfy.folder / "input" / "long.wav")
    flow = json.loads(json.dumps(WORKFLOW))
    flow["nodes"][0]["widgets_values"] = ["long.wav"]
    browser.load(flow)
    beats = browser.run()["beats"]
    overview = browser.part("overview").bounding_box()
    x, y = overview["x"], overview["y"] + overview["height"] / 2
    # Ninety seconds into the song, then thirty less.
    browser.page.mouse.click(x + overview["width"] / 2, y)
    browser.drag_from((x + overview["width"] / 2, y), -overview["width"] / 6, 0)
    near = min(range(len(beats)), key=lambda beat: abs(beats[beat] - 60))
    browser.drag(beats[near] - 50, 20, 8)
    moved = json.loads(browser.text)["beats"]
    assert [one != other for one, other in zip(moved, beats, strict=True)].index(True) == near
    assert 0.1 < moved[near] - beats[near] < 0.5

    assert browser.part("note").is_hidden()
    browser.page.evaluate(
        f"""() => {{ const edit = {NODE}.widgets.find((one) => one.name === 'edit');
          edit.value = 'halve'; edit.callback?.('halve') }}"""
    )
    browser.page.wait_for_timeout(300)
    halves = (len(beats) // 2, (len(beats) + 1) // 2)
    note = "The dance gets {} of these {} beats: edit is set to halve."
    notes = [note.format(half, len(beats)) for half in halves]
    assert browser.part("note").inner_text() in notes


def test_a_narrow_node_has_one_row_and_the_rest_in_the_menu(browser: Timeline) -> None:
    beats = browser.run()["beats"]
    page = browser.page
    page.evaluate(f"() => {NODE}.setSize([320, 620])")
    page.evaluate("() => app.canvas.setDirty(true, true)")
    page.wait_for_timeout(800)
    shown = [one for one in browser.part("row").locator("button").all() if one.is_visible()]
    boxes = [one.bounding_box() for one in [*shown, browser.button("More")]]
    root = page.locator(".beat-timeline").bounding_box()
    assert "Play" in [one.inner_text() for one in shown] and len(shown) < 9
    assert len({round(box["y"]) for box in boxes}) == 1
    assert all(box["x"] + box["width"] <= root["x"] + root["width"] + 1 for box in boxes)
    browser.button("More").click()
    page.get_by_role("menuitem", name="See the whole song").wait_for()
    # It stays open for what is done several times, and goes with Escape.
    later = page.get_by_role("menuitem", name="Move all beats 10 ms later")
    later.click()
    later.click()
    assert json.loads(browser.text)["beats"][0] == pytest.approx(beats[0] + 0.02, abs=1e-3)
    page.keyboard.press("Escape")
    later.wait_for(state="hidden")


def test_the_timeline_speaks_the_hosts_language(browser: Timeline) -> None:
    assert browser.button("Play").is_visible()
    page = browser.page
    try:
        page.evaluate("() => app.extensionManager.setting.set('Comfy.Locale', 'zh')")
        browser.button("播放").wait_for()
        assert browser.summary.startswith("运行节点")
        assert page.get_by_role("slider", name="节拍", exact=True).count() == 1
        page.wait_for_timeout(1500)
        browser.open()
        browser.button("播放").wait_for()
    finally:
        browser.comfy.post("/settings", {"Comfy.Locale": "en"})
