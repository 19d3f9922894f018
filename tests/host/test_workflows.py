"""Workflows in the real host: what comes out, what is cached, what is said where it goes wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from musedance_core.audio.waveform import load_waveform
from musedance_core.video import read_video

from .conftest import Comfy, workflow


def small(name: str, seconds: float = 1.0, steps: int = 1) -> dict[str, Any]:
    """The workflow with little to do."""
    prompt = deepcopy(workflow(name))
    for node in prompt.values():
        if node["class_type"] == "MuseDance_Chain":
            node["inputs"] |= {"seconds": seconds, "steps": steps}
    return prompt


def test_the_pack_is_imported(comfy: Comfy) -> None:
    assert "IMPORT FAILED" not in comfy.log.read_text()
    known = comfy.get("/object_info")
    assert len([name for name in known if name.startswith("MuseDance_")]) == 9


def test_a_sticker_dances(comfy: Comfy) -> None:
    done = comfy.run(small("1-sticker-dances", seconds=5.0))
    (path,) = comfy.outputs(done, ".mp4")
    frames, fps = read_video(path)
    assert frames.shape == (60, 3, 64, 64) and fps == 12
    assert load_waveform(path).seconds == pytest.approx(5.0, abs=0.1)
    assert frames.std(dim=0).max() > 0.05
