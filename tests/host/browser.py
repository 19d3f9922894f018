"""A page of the host in a real browser, with an editor of the pack on a node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pytest

from .conftest import Comfy

sync_api = pytest.importorskip("playwright.sync_api")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
HOSTS_OWN = ("Failed to load resource", "graph accessed before initialization")
"""Console messages of the host itself, with any pack or none."""
READY = (
    "document.querySelector('#vue-app')?.__vue_app__?.config.globalProperties.$pinia"
    "._s.get('canvas')?.canvas"
)
"""The canvas of the frontend, once it can take a workflow."""


@dataclass
class Browser:
    """A page of the host with an editor in it; `editor` is the class of the editor's element."""

    editor: ClassVar[str]

    comfy: Comfy
    page: Any
    errors: list[str] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)

    def watch(self) -> None:
        """Remember what goes wrong and what is queued."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._logged)
        self.page.on("request", self._requested)

    def _logged(self, message: Any) -> None:
        if message.type == "error" and not any(known in message.text for known in HOSTS_OWN):
            self.errors.append(message.text)

    def _requested(self, request: Any) -> None:
        if request.method == "POST" and request.url.endswith("/prompt"):
            self.prompts.append(json.loads(request.post_data)["prompt"])

    def open(self) -> None:
        """Load the page, and wait until the host is ready for a workflow."""
        self.page.goto(self.comfy.url)
        self.page.wait_for_function(f"() => {READY}", timeout=90_000)
        self.page.wait_for_timeout(3000)

    def load(self, workflow: dict[str, Any]) -> None:
        """Open a workflow."""
        self.page.evaluate("(one) => window.comfyAPI.app.app.loadGraphData(one)", workflow)
        self.part("summary").wait_for(timeout=60_000)
        self.page.wait_for_timeout(1500)
        self.page.keyboard.press("Escape")

    def outputs(self, node: str) -> dict[str, Any]:
        """Press Run; the outputs of a node for the page."""
        with self.page.expect_response(lambda response: response.url.endswith("/prompt")) as queued:
            self.page.get_by_test_id("queue-button").click()
        done = self.comfy.finished(queued.value.json()["prompt_id"])
        self.page.wait_for_timeout(1000)
        outputs: dict[str, Any] = done["outputs"][node]
        return outputs

    def part(self, name: str) -> Any:
        """An element of the editor."""
        return self.page.locator(f".{self.editor} .musedance-{name}")

    @property
    def summary(self) -> str:
        """The line below the canvas."""
        return str(self.part("summary").inner_text())

    @property
    def status(self) -> str:
        """The sentence on what was done last."""
        return str(self.part("status").inner_text()).strip("\u00a0")

    def button(self, name: str) -> Any:
        """A button of the editor."""
        return self.page.locator(f".{self.editor}").get_by_role("button", name=name, exact=True)

    def choose(self, name: str, role: str = "menuitem") -> None:
        """Choose a command from the menu "More"."""
        self.button("More").click()
        self.page.get_by_role(role, name=name, exact=True).click()

    def press(self, *keys: str) -> None:
        """Press keys in the editor."""
        self.page.locator(f".{self.editor} .musedance-stage input").focus()
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(100)

    def drag_from(self, place: tuple[float, float], right: float, down: float) -> None:
        """Drag what is at a place of the screen."""
        mouse = self.page.mouse
        mouse.move(*place)
        mouse.down()
        mouse.move(place[0] + right, place[1] + down, steps=5)
        mouse.up()
        self.page.wait_for_timeout(200)


Opened = TypeVar("Opened", bound=Browser)


@contextmanager
def opened(
    kind: type[Opened], comfy: Comfy, workflow: dict[str, Any], nodes2: bool
) -> Iterator[Opened]:
    """A browser with `workflow`, on the classic canvas or with Nodes 2.0; it must log no error."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    settings = {"Comfy.VueNodes.Enabled": nodes2, "Comfy.TutorialCompleted": True}
    comfy.post("/settings", {**settings, "Comfy.Locale": "en"})
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        browser = kind(comfy, started.new_page(viewport={"width": 1500, "height": 950}))
        browser.watch()
        browser.open()
        browser.load(workflow)
        yield browser
        started.close()
    assert browser.errors == []
