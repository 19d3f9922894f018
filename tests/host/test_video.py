"""Rate, size, quality and background of *Dance to the song* in the real host."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.media.background import as_background
from musedance_core.pipeline import MuseDancePipeline

from .conftest import ROOT, Comfy, listen, workflow

pytestmark = pytest.mark.xdist_group("comfy")
SONG = ROOT / "assets" / "demo-song.ogg"
KID = "small-puppet-kid.png"


def draft(**inputs: Any) -> dict[str, Any]:
    """The first template without its video: a draft of the kid, whose frames are saved."""
    prompt = json.loads(json.dumps(workflow("1-sticker-dances")))
    prompt["2"]["inputs"]["image"] = KID
    prompt["9"]["inputs"] |= {"seconds": 0.5, "seed": 3, **inputs}
    del prompt["10"], prompt["11"]
    saved = {"images": ["9", 0], "filename_prefix": "draft"}
    return {**prompt, "saved": {"class_type": "SaveImage", "inputs": saved}}


def pictures(comfy: Comfy, done: dict[str, Any], node: str = "saved") -> Tensor:
    """Frames `[f c h w]` that a node of a finished run saved, to eight bits."""
    files = comfy.outputs({"outputs": {node: done["outputs"][node]}}, ".png")
    values = [torch.from_numpy(np.array(Image.open(file))) for file in files]
    return torch.stack(values).permute(0, 3, 1, 2).float() / 255


BACKGROUNDS: dict[str, tuple[dict[str, Any], Any]] = {
    "still": ({}, None),
    "transparent": ({"background": "transparent"}, "transparent"),
    "colour": ({"background": "colour", "colour": "#ffd400"}, "#ffd400"),
}


@pytest.mark.parametrize("case", BACKGROUNDS)
def test_a_draft_is_the_command_line_s(comfy: Comfy, case: str) -> None:
    inputs, background = BACKGROUNDS[case]
    frames = pictures(comfy, comfy.run(draft(fps=30.0, size=200, **inputs)))
    video = MuseDancePipeline.from_pretrained(device="cpu")(
        comfy.folder / "input" / KID,
        SONG,
        workflow("1-sticker-dances")["8"]["inputs"]["text"],
        seconds=0.5,
        seed=3,
        size=200,
        fps=30,
        background=background,
    )
    assert len(frames) == 15 and frames.shape == video.frames.shape
    assert (frames - video.frames).abs().max() < 2 / 255


def test_alpha_is_that_of_transparent_frames(comfy: Comfy) -> None:
    prompt = draft(background="transparent", size=200)
    prompt["31"] = {"class_type": "MaskToImage", "inputs": {"mask": ["9", 4]}}
    prompt["32"] = {"class_type": "PreviewImage", "inputs": {"images": ["31", 0]}}
    done = comfy.run(prompt)
    frames, alpha = pictures(comfy, done), pictures(comfy, done, "32")
    assert frames.shape[1] == 4 and (frames[:, 3:] - alpha[:, :1]).abs().max() < 1.5 / 255
    assert 0.02 < float(alpha.mean()) < 0.9


def test_a_clean_plate_is_behind_the_dancer(comfy: Comfy) -> None:
    prompt = draft()
    plate = {"width": 256, "height": 256, "batch_size": 1, "color": 0x00FF00}
    prompt["33"] = {"class_type": "EmptyImage", "inputs": plate}
    prompt["9"]["inputs"]["plate"] = ["33", 0]
    frames = pictures(comfy, comfy.run(prompt))
    assert as_background("#00ff00") == (0, 255, 0)
    assert torch.equal(frames[:, :, 2, 2], torch.tensor([0.0, 1.0, 0.0]).expand(len(frames), 3))
    prompt["9"]["inputs"]["background"] = "transparent"
    error = comfy.fails(prompt)
    assert "plate is a background already" in error["exception_message"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a tiny frame": ({"size": 20}, "The size in pixels must be a whole number within 64..2048"),
    "no colour": ({"background": "colour", "colour": "loud"}, "There is no colour 'loud'"),
    "a file as a colour": (
        {"background": "colour", "colour": "../input/small-puppet-cat.png"},
        "There is no colour '../input/small-puppet-cat.png'",
    ),
    "nothing finished": ({"partial": True, "seed": 12345}, "No segment of this dance is finished"),
}


@pytest.mark.parametrize("case", BAD)
def test_settings_that_cannot_be_used_are_one_sentence(comfy: Comfy, case: str) -> None:
    inputs, sentence = BAD[case]
    error = comfy.fails(draft(**inputs))
    assert error["node_id"] == "9" and error["exception_type"] == "MuseDance"
    assert sentence in error["exception_message"]
    assert error["exception_message"].strip().count("\n") == 0


def test_models_that_plan_no_dance_take_only_the_defaults(comfy: Comfy) -> None:
    prompt = draft(size=128)
    prompt["1"]["inputs"] = {"checkpoint": "small-sd15.safetensors", "allow_untrained": True}
    error = comfy.fails(prompt)
    assert "it takes no size" in error["exception_message"]


def test_the_bar_moves_and_a_cancelled_draft_gives_its_finished_frames(comfy: Comfy) -> None:
    prompt = draft(seconds=12.0, seed=8, size=128)
    heard = listen(comfy, prompt, cancel_after=8)
    assert heard.of("execution_interrupted")
    values = [data["value"] for data in heard.of("progress") if data["node"] == "9"]
    assert values == sorted(values) and len(set(values)) >= 8
    prompt["9"]["inputs"]["partial"] = True
    frames = pictures(comfy, comfy.run(prompt))
    assert len(frames) in (96, 192)
    prompt["9"]["inputs"] |= {"partial": False, "seconds": len(frames) / 24}
    assert torch.equal(pictures(comfy, comfy.run(prompt)), frames)


@pytest.mark.parametrize("kind", ["Chain", "Sample", "ApplyDance", "DancePose"])
def test_seeds_stay_as_they_are_unless_the_user_asks_for_others(comfy: Comfy, kind: str) -> None:
    """A cancelled dance goes on with the next run only if its seed is the same."""
    told = comfy.get(f"/object_info/MuseDance_{kind}")[f"MuseDance_{kind}"]["input"]
    assert told["required"]["seed"][1]["control_after_generate"] == "fixed"


def test_a_batch_of_pictures_is_a_batch_of_dances(comfy: Comfy) -> None:
    prompt = draft(size=128)
    prompt["2"]["inputs"]["image"] = "small-drawing-robot.png"
    prompt["34"] = {"class_type": "LoadImage", "inputs": {"image": "small-puppet-cat.png"}}
    batch = {"image1": ["2", 0], "image2": ["34", 0]}
    prompt["35"] = {"class_type": "ImageBatch", "inputs": batch}
    prompt["5"]["inputs"]["image"] = ["35", 0]
    two = pictures(comfy, comfy.run(prompt))
    assert len(two) == 24 and (two[:12] - two[12:]).abs().max() > 0.3
    prompt["5"]["inputs"]["image"] = ["34", 0]
    assert torch.equal(pictures(comfy, comfy.run(prompt)), two[12:])
