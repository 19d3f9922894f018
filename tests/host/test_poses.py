"""*Dance pose*, *Beat pulse* and *Beat score* in the real host."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.audio.beats import beat_pulse, regular_grid
from musedance_core.audio.waveform import load_waveform
from musedance_core.dance.openpose_json import to_openpose_json
from musedance_core.dance.posing import Body
from musedance_core.dance.skeleton import to_openpose
from musedance_core.pipeline import MuseDancePipeline

from .conftest import ROOT, Comfy, listen, workflow

pytestmark = pytest.mark.xdist_group("comfy")
SONG = ROOT / "assets" / "demo-song.ogg"
SETTINGS = {"seed": 4, "start": 1.0, "seconds": 1.5, "fps": 16.0, "width": 160, "height": 128}


def song_alone() -> dict[str, Any]:
    """The first template up to the song, its beats at 120 BPM and its sentences."""
    prompt = {key: workflow("1-sticker-dances")[key] for key in ("1", "4", "6", "7", "8")}
    prompt["7"]["inputs"] |= {"bpm": 120.0, "offset": 0.1}
    return prompt


def pose(**inputs: Any) -> dict[str, Any]:
    """A workflow that saves the drawings and silhouettes of a dance."""
    prompt = song_alone()
    edges = {"model": ["1", 0], "music": ["6", 0], "beats": ["7", 0], "prompts": ["8", 0]}
    asked = {**edges, **SETTINGS, **inputs}
    prompt["50"] = {"class_type": "MuseDance_DancePose", "inputs": asked}
    prompt["51"] = {"class_type": "PreviewImage", "inputs": {"images": ["50", 0]}}
    prompt["52"] = {"class_type": "MaskToImage", "inputs": {"mask": ["50", 2]}}
    prompt["53"] = {"class_type": "PreviewImage", "inputs": {"images": ["52", 0]}}
    return prompt


def pictures(comfy: Comfy, done: dict[str, Any], node: str) -> Tensor:
    """Pictures `[f 3 h w]` that a node of a finished run shows, to eight bits."""
    files = comfy.outputs({"outputs": {node: done["outputs"][node]}}, ".png")
    values = [torch.from_numpy(np.array(Image.open(file))) for file in files]
    return torch.stack(values).permute(0, 3, 1, 2).float() / 255


def test_the_host_makes_the_poses_of_the_command_line(comfy: Comfy) -> None:
    done = comfy.run(pose())
    poses = MuseDancePipeline.from_pretrained(device="cpu").pose(
        SONG,
        workflow("1-sticker-dances")["8"]["inputs"]["text"],
        seconds=1.5,
        start=1.0,
        seed=4,
        size=(160, 128),
        fps=16,
        beats=regular_grid(120.0, 0.1, load_waveform(SONG).seconds),
    )
    drawn, masks = pictures(comfy, done, "51"), pictures(comfy, done, "53")
    assert drawn.shape == (24, 3, 128, 160) and (drawn - poses.frames).abs().mean() < 2 / 255
    assert (masks[:, 0] - poses.masks).abs().mean() < 2 / 255


def test_poses_are_keypoints_that_other_nodes_read(comfy: Comfy) -> None:
    """Through the host's own node that draws POSE_KEYPOINT, and back into Rig."""
    prompt = pose()
    drawn: dict[str, Any] = {"keypoints": ["50", 1], "stick_width": 4, "face_point_size": 1}
    drawn |= {"draw_body": True, "draw_hands": True, "draw_face": True, "draw_feet": True}
    drawn |= {"draw_head": True, "score_threshold": 0.3}
    prompt["54"] = {"class_type": "SDPoseDrawKeypoints", "inputs": drawn}
    prompt["55"] = {"class_type": "PreviewImage", "inputs": {"images": ["54", 0]}}
    done = comfy.run(prompt)
    theirs, ours = pictures(comfy, done, "55"), pictures(comfy, done, "51")
    assert theirs.shape == ours.shape
    seen = ours.amax(dim=1) > 0.5
    assert float((theirs.amax(dim=1) > 0.1)[seen].float().mean()) > 0.8


def test_keypoints_give_the_proportions(comfy: Comfy) -> None:
    """A person half as wide stays half as wide; the whole stays within the frame."""
    points = to_openpose(Body.standing(100, 0.0, 110.0).joints) * torch.tensor([0.4, 1.0])
    person = to_openpose_json((points + torch.tensor([64.0, 0.0]))[None], (128, 128))
    prompt = pose(keypoints=["30", 0])
    prompt["30"] = {"class_type": "MuseDanceTest_Keypoints", "inputs": {"text": json.dumps(person)}}
    slim = pictures(comfy, comfy.run(prompt), "53")
    usual = pictures(comfy, comfy.run(pose()), "53")
    assert slim.mean() > 0 and (slim - usual).abs().max() > 0.5
    person.insert(0, {**person[0], "people": []})  # detectors lose people now and then
    prompt["30"]["inputs"]["text"] = json.dumps(person)
    assert torch.equal(pictures(comfy, comfy.run(prompt), "53"), slim)
    person[1]["people"] = []
    prompt["30"]["inputs"]["text"] = json.dumps(person)
    error = comfy.fails(prompt)
    assert "There is nobody in the keypoints" in error["exception_message"]


def test_a_model_without_a_choreographer_makes_no_poses(comfy: Comfy) -> None:
    prompt = pose()
    prompt["1"]["inputs"] = {"checkpoint": "small-sd15.safetensors", "allow_untrained": True}
    error = comfy.fails(prompt)
    assert "This model plans no dance: it has no choreographer." in error["exception_message"]
    error = comfy.fails(pose(start=100.0))
    assert "so a start at 100 s is past its end" in error["exception_message"]


def test_the_bar_moves_and_cancel_ends_the_planning(comfy: Comfy) -> None:
    heard = listen(comfy, pose(seconds=12.0, seed=77), cancel_after=1)
    assert heard.of("execution_interrupted")
    values = [data["value"] for data in heard.of("progress") if data["node"] == "50"]
    assert values == sorted(values) and len(set(values)) >= 6 and values[0] < values[-1] / 3


WRONG: dict[str, tuple[str, Any, str]] = {
    "no number": ("seconds", math.nan, "The length in seconds must be within 0..36000, not nan."),
    "before the song": ("start", -1.0, "The start in seconds must be within 0..36000, not -1.0."),
    "no rate": ("fps", 0.0, "The rate in frames a second must be within 1..120, not 0.0."),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("kind", ["MuseDance_DancePose", "MuseDance_BeatPulse"])
def test_numbers_of_other_nodes_are_checked(comfy: Comfy, case: str, kind: str) -> None:
    name, value, sentence = WRONG[case]
    linked = {"class_type": "PrimitiveFloat", "inputs": {"value": value}}
    prompt = pose(**{name: ["70", 0]}) if "Pose" in kind else pulse(**{name: ["70", 0]})
    error = comfy.fails({**prompt, "70": linked})
    assert error["exception_type"] == "MuseDance" and sentence in error["exception_message"]


def test_seeds_of_other_nodes_have_up_to_64_bits(comfy: Comfy) -> None:
    prompt = pose(seed=["70", 0], seconds=0.5)
    prompt["70"] = {"class_type": "PrimitiveInt", "inputs": {"value": 2**50 + 4}}
    same = pictures(comfy, comfy.run(pose(seconds=0.5)), "51")
    assert torch.equal(pictures(comfy, comfy.run(prompt), "51"), same)


def test_frames_that_exceed_the_memory_are_refused_before_they_are_made(comfy: Comfy) -> None:
    large = {"width": 2048, "height": 2048, "seconds": 36000.0}
    for prompt in (pose(**large), pulse(**large)):
        error = comfy.fails(prompt)
        assert error["exception_type"] == "MuseDance"
        assert "frames of 2048 x 2048 pixels" in error["exception_message"]
        assert "ask for fewer or smaller ones" in error["exception_message"]


def pulse(**inputs: Any) -> dict[str, Any]:
    """A workflow that shows the pictures and masks of two seconds of the beat."""
    prompt = song_alone()
    asked = {"beats": ["7", 0], "fps": 20.0, "start": 1.0, "seconds": 2.0, "frames": 0}
    asked |= {"width": 24, "height": 16, "decay": "cosine", **inputs}
    prompt["60"] = {"class_type": "MuseDance_BeatPulse", "inputs": asked}
    prompt["61"] = {"class_type": "PreviewImage", "inputs": {"images": ["60", 2]}}
    return prompt


def test_the_beat_drives_masks_and_pictures(comfy: Comfy) -> None:
    prompt = pulse()
    prompt["62"] = {"class_type": "MaskToImage", "inputs": {"mask": ["60", 1]}}
    prompt["63"] = {"class_type": "PreviewImage", "inputs": {"images": ["62", 0]}}
    prompt["64"] = {"class_type": "PreviewAny", "inputs": {"source": ["60", 0]}}
    done = comfy.run(prompt)
    images, masks = pictures(comfy, done, "61"), pictures(comfy, done, "63")
    grid = regular_grid(120.0, 0.1, load_waveform(SONG).seconds)
    curve = torch.from_numpy(beat_pulse(grid, 1.0, 40, 20, "cosine").pulse).float()
    assert images.shape == masks.shape == (40, 3, 16, 24)
    assert (images.mean(dim=(1, 2, 3)) - curve).abs().max() < 1 / 255
    assert (masks - images).abs().max() < 1.5 / 255
    assert len(done["outputs"]["64"]["text"]) == 40
    prompt["60"]["inputs"]["frames"] = 7
    assert len(pictures(comfy, comfy.run(prompt), "61")) == 7


def test_frames_of_any_kind_can_be_scored(comfy: Comfy) -> None:
    """Pictures that flash on the beat, transparent ones too; not a handful of them."""
    prompt = song_alone()
    asked = {"beats": ["7", 0], "fps": 24.0, "start": 0.0, "seconds": 4.0, "frames": 0}
    asked |= {"width": 64, "height": 48, "decay": "cosine"}
    prompt["60"] = {"class_type": "MuseDance_BeatPulse", "inputs": asked}
    joined = {"image": ["60", 2], "alpha": ["60", 1]}
    prompt["61"] = {"class_type": "JoinImageWithAlpha", "inputs": joined}
    for node, frames in (("62", ["60", 2]), ("63", ["61", 0])):
        scored = {"frames": frames, "beats": ["7", 0], "fps": 24.0, "start": 0.0}
        prompt[node] = {"class_type": "MuseDance_BeatScore", "inputs": scored}
        prompt[node + "0"] = {"class_type": "PreviewAny", "inputs": {"source": [node, 0]}}
    done = comfy.run(prompt)
    scores = [float(done["outputs"][node]["text"][0]) for node in ("620", "630")]
    assert all(0 <= score <= 1 for score in scores)
    prompt["60"]["inputs"]["frames"] = 3
    assert "A score needs at least 6 frames, got 3." in comfy.fails(prompt)["exception_message"]
