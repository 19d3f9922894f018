"""A real ComfyUI on the CPU with the pack in it, and a client of its HTTP interface."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from websockets.sync.client import connect

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.models import MuseDance, init_weights
from musedance_core.models.tokenizer import train_tokenizer
from musedance_core.presets import preset

SD15 = preset("sd15")
ROOT = Path(__file__).parents[2]
SIDE = 256
"""Sides in pixels of the small copies of the assets that workflows get here, `small-NAME`."""
WORKFLOWS = Path(__file__).parent / "workflows"
START_SECONDS, RUN_SECONDS = 180, 300
ENDS = ("execution_success", "execution_error", "execution_interrupted")


KEYPOINTS_NODE = """
import json

class Keypoints:
    RETURN_TYPES, FUNCTION, CATEGORY = ("POSE_KEYPOINT",), "read", "tests"
    INPUT_TYPES = staticmethod(lambda: {"required": {"text": ("STRING", {"default": ""})}})

    def read(self, text):
        return (json.loads(text),)

NODE_CLASS_MAPPINGS = {"MuseDanceTest_Keypoints": Keypoints}
"""
"""A pack of one node that gives keypoints in the form of other packs' OpenPose nodes."""


def comfy_folder() -> Path:
    """The ComfyUI checkout: `COMFYUI_PATH`, or comfy-cli's default."""
    return Path(os.environ.get("COMFYUI_PATH", "~/comfy/ComfyUI")).expanduser()


def comfy_python(folder: Path) -> Path:
    """The interpreter of its own environment."""
    named = [folder / name / "bin" / "python" for name in ("venv", ".venv")]
    return next((python for python in named if python.is_file()), Path("missing"))


@dataclass(frozen=True)
class Comfy:
    """A running host: its address, its folders, what it said, and its process."""

    url: str
    folder: Path
    log: Path
    pid: int

    def get(self, path: str) -> Any:
        """The JSON at `path`."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: Any) -> Any:
        """The JSON that answers `body`; what the host refuses is an answer, too."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return json.loads(text) if text else {}

    def queue(self, prompt: dict[str, Any], client: str = "tests") -> str:
        """Queue a workflow in API form for this client of the websocket; its id."""
        answer = self.post("/prompt", {"prompt": prompt, "client_id": client})
        assert "prompt_id" in answer, answer
        return str(answer["prompt_id"])

    def finished(self, prompt_id: str, seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """Returns the host's history entry of a run, which must finish in so many `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            history = self.get(f"/history/{prompt_id}")
            if prompt_id in history:
                done: dict[str, Any] = history[prompt_id]
                return done
            time.sleep(0.2)
        raise AssertionError(f"not finished in {seconds} s:\n{self.log.read_text()[-3000:]}")

    def run(self, prompt: dict[str, Any]) -> dict[str, Any]:
        """Run a workflow to its end, which must be a good one."""
        done = self.finished(self.queue(prompt))
        assert done["status"]["status_str"] == "success", done["status"]["messages"]
        return done

    def fails(self, prompt: dict[str, Any]) -> dict[str, Any]:
        """Run a workflow that must fail; the host's `execution_error`."""
        done = self.finished(self.queue(prompt))
        assert done["status"]["status_str"] == "error"
        for name, message in done["status"]["messages"]:
            if name == "execution_error":
                error: dict[str, Any] = message
                return error
        raise AssertionError(done["status"]["messages"])

    def outputs(self, done: dict[str, Any], suffix: str) -> list[Path]:
        """Files with that ending which a run has written."""
        files = [
            self.folder / item["type"] / item["subfolder"] / item["filename"]
            for output in done["outputs"].values()
            for items in output.values()
            if isinstance(items, list)
            for item in items
            if isinstance(item, dict) and "filename" in item
        ]
        return [file for file in files if file.suffix == suffix]


def write_small_sd15(path: Path) -> None:
    """A file of the wiring of sd15 at small sizes, untrained."""
    config = replace(
        SD15,
        clip=replace(SD15.clip, size=64),
        unet=replace(
            SD15.unet, channels=(16, 32, 32, 32), layers=1, heads=4, norm_groups=8, text_width=24
        ),
        dynamics=replace(SD15.dynamics, token_width=24, heads=4),
        vae=replace(SD15.vae, channels=(32, 32, 64, 64)),
        text=replace(SD15.text, vocab_size=520, width=24, layers=1, heads=4),
        music=replace(SD15.music, width=24, layers=1, heads=4),
    )
    torch.manual_seed(0)
    model = MuseDance(config)
    init_weights(model)
    path.parent.mkdir()
    save_checkpoint(path, model, train_tokenizer(["a robot hops"], 300), {"trained": False})


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def prepare(folder: Path) -> None:
    """Fills a base directory with the pack, its small models and small pictures."""
    for name in ("input", "output", "temp", "user", "models", "custom_nodes"):
        (folder / name).mkdir()
    (folder / "custom_nodes" / "ComfyUI-MuseDance").symlink_to(ROOT)
    (folder / "custom_nodes" / "keypoints_of_tests.py").write_text(KEYPOINTS_NODE)
    write_small_sd15(folder / "models" / "musedance" / "small-sd15.safetensors")
    for path in (ROOT / "assets").glob("*.png"):
        with Image.open(path) as picture:
            picture.resize((SIDE, SIDE)).save(folder / "input" / f"small-{path.name}")
    trackers = folder / "models" / "beat_this"
    trackers.mkdir()
    (trackers / "broken.ckpt").write_bytes(b"no checkpoint")


@contextmanager
def running_comfy(folder: Path, *flags: str) -> Iterator[Comfy]:
    """A host on the CPU with `folder` as its base directory; skips where there is none."""
    home = comfy_folder()
    python = comfy_python(home)
    if not (home / "main.py").is_file() or not python.is_file():
        pytest.skip(f"there is no ComfyUI with its environment at {home}; set COMFYUI_PATH")
    prepare(folder)
    port, log = free_port(), folder / "comfy.log"
    command = [python, home / "main.py", "--cpu", "--port", str(port), "--base-directory", folder]
    command += ["--disable-auto-launch", "--preview-method", "auto", *flags]
    with log.open("w") as said:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=home,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    host = Comfy(f"http://127.0.0.1:{port}", folder, log, process.pid)
    try:
        _wait(host, process)
        yield host
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comfy]:
    with running_comfy(tmp_path_factory.mktemp("comfy")) as host:
        yield host


def _wait(host: Comfy, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, host.log.read_text()[-3000:]
        try:
            host.get("/system_stats")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError(f"ComfyUI did not start:\n{host.log.read_text()[-3000:]}")


def workflow(name: str) -> dict[str, Any]:
    """A workflow in API form."""
    loaded: dict[str, Any] = json.loads((WORKFLOWS / f"{name}.json").read_text())
    return loaded


@dataclass(frozen=True)
class Heard:
    """Messages of the websocket during a run, and the sizes of its previews."""

    messages: list[dict[str, Any]]
    previews: list[int]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of all messages of one kind."""
        return [message["data"] for message in self.messages if message["type"] == kind]


def listen(comfy: Comfy, prompt: dict[str, Any], cancel_after: int | None = None) -> Heard:
    """Run a workflow and hear all that is said of it; cancel behind so many previews.

    Every call is a client of its own: the host forgets a name when the one who had it leaves, even
    if somebody else has taken it meanwhile.
    """
    client = uuid.uuid4().hex
    address = f"ws{comfy.url.removeprefix('http')}/ws?clientId={client}"
    heard = Heard([], [])
    with connect(address, max_size=None) as socket:
        prompt_id = comfy.queue(prompt, client)
        while True:
            said = socket.recv(timeout=RUN_SECONDS)
            if isinstance(said, bytes):
                heard.previews.append(len(said))
                if len(heard.previews) == cancel_after:
                    comfy.post("/interrupt", {})
                continue
            message = json.loads(said)
            heard.messages.append(message)
            data = message["data"]
            if data.get("prompt_id") == prompt_id and message["type"] in ENDS:
                return heard
