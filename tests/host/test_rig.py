"""The rig of a picture in the real host: found, from keypoints, and edited by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image

from musedance_core.dance.openpose_json import to_openpose_json
from musedance_core.dance.rig import parse_rig
from musedance_core.dance.skeleton import INDEX, to_openpose
from musedance_core.models.rigging import find_rig
from musedance_core.pipeline import MuseDancePipeline

from .conftest import Comfy, workflow

pytestmark = pytest.mark.xdist_group("comfy")
KID = "small-puppet-kid.png"


def rig_of(**inputs: Any) -> dict[str, Any]:
    """A workflow that shows the rig of the kid."""
    prompt = {key: workflow("1-sticker-dances")[key] for key in ("1", "2", "3")}
    prompt["2"]["inputs"]["image"] = KID
    asked = {"model": ["1", 0], "image": ["3", 0], "edits": "", **inputs}
    prompt["20"] = {"class_type": "MuseDance_Rig", "inputs": asked}
    prompt["21"] = {"class_type": "PreviewImage", "inputs": {"images": ["20", 1]}}
    return prompt


@pytest.fixture(scope="module")
def keypoints_node(comfy: Comfy) -> None:
    """The host was started with a node that gives keypoints as OpenPose nodes do."""
    assert "MuseDanceTest_Keypoints" in comfy.get("/object_info")


def found(comfy: Comfy) -> Any:
    with Image.open(comfy.folder / "input" / KID) as picture:
        network = MuseDancePipeline.from_pretrained(device="cpu").model.rig
        assert network is not None
        return find_rig(network, picture.convert("RGBA"))


def test_the_editor_gets_the_picture_and_the_rig_of_the_command_line(comfy: Comfy) -> None:
    shown = comfy.run(rig_of())["outputs"]["20"]
    (file,) = shown["images"]
    assert file["type"] == "temp"
    with Image.open(comfy.folder / "temp" / file["subfolder"] / file["filename"]) as preview:
        assert preview.size == (256, 256)
    (rig,) = shown["rig"]
    expected = found(comfy).to_json()
    assert rig["size"] == [256, 256] and set(rig["joints"]) == set(INDEX)
    for name, place in expected["joints"].items():
        assert rig["joints"][name] == pytest.approx(place, abs=0.5), name


def test_edits_come_before_keypoints_and_those_before_the_network(
    comfy: Comfy, keypoints_node: None
) -> None:
    edited = found(comfy).to_json()
    edited["joints"] |= {"right_wrist": [40.0, 50.0], "left_wrist": None}
    (rig,) = comfy.run(rig_of(edits=json.dumps(edited)))["outputs"]["20"]["rig"]
    assert rig["joints"] == edited["joints"]

    # Twice as large, and normalised: two people, of whom the second one is larger.
    joints = parse_rig(json.dumps(edited), "the rig").joints
    large = to_openpose_json(to_openpose(joints)[None] * 2, (512, 512))
    small = to_openpose_json(to_openpose(joints)[None], (512, 512))
    large[0]["people"] = small[0]["people"] + large[0]["people"]
    for number, factor in ((-1, 1.0), (0, 0.5)):
        prompt = rig_of(keypoints=["30", 0], person=number)
        prompt["30"] = {
            "class_type": "MuseDanceTest_Keypoints",
            "inputs": {"text": json.dumps(large)},
        }
        (rig,) = comfy.run(prompt)["outputs"]["20"]["rig"]
        assert rig["joints"]["right_wrist"] == pytest.approx([40 * factor, 50 * factor], abs=0.1)
        assert rig["joints"]["left_wrist"] is None and rig["size"] == [256, 256]


BAD = {
    "no JSON": ({"edits": "wrist up"}, "The text in edits is no rig"),
    "another picture": (
        {"edits": '{"size": [100, 300], "joints": {"neck": [5, 5]}}'},
        "The rig belongs to a picture of 100 x 300 pixels, but this one has 256 x 256.",
    ),
    "no such joint": ({"edits": '{"size": [9, 9], "joints": {"tail": [1, 1]}}'}, "no joint 'tail'"),
}


@pytest.mark.parametrize("case", BAD)
def test_edits_that_are_no_rig_are_one_sentence(comfy: Comfy, case: str) -> None:
    inputs, sentence = BAD[case]
    error = comfy.fails(rig_of(**inputs))
    assert error["node_id"] == "20" and error["exception_type"] == "MuseDance"
    assert sentence in error["exception_message"]
    assert error["exception_message"].strip().count("\n") == 0


def test_a_batch_is_refused(comfy: Comfy) -> None:
    prompt = rig_of(image=["31", 0])
    prompt["31"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["3", 0], "amount": 3}}
    error = comfy.fails(prompt)
    assert "Rig takes one picture, not a batch of 3." in error["exception_message"]


def test_a_rig_belongs_to_one_picture(comfy: Comfy) -> None:
    prompt = rig_of()
    asked: dict[str, Any] = {"model": ["1", 0], "image": ["3", 0], "rig": ["20", 0]}
    prompt["5"] = {"class_type": "MuseDance_EncodeReference", "inputs": asked}
    prompt["22"] = {"class_type": "PreviewImage", "inputs": {"images": ["5", 1]}}
    assert comfy.run(prompt)["outputs"]["22"]["images"]
    prompt["31"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["3", 0], "amount": 2}}
    asked["image"] = ["31", 0]
    error = comfy.fails(prompt)
    assert "A rig is of one picture, but this is a batch of 2." in error["exception_message"]


def test_a_batch_of_pictures_is_as_many_references(comfy: Comfy) -> None:
    prompt = rig_of()
    prompt["31"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["3", 0], "amount": 3}}
    asked: dict[str, Any] = {"model": ["1", 0], "image": ["31", 0]}
    prompt["5"] = {"class_type": "MuseDance_EncodeReference", "inputs": asked}
    prompt["22"] = {"class_type": "PreviewImage", "inputs": {"images": ["5", 1]}}
    assert len(comfy.run(prompt)["outputs"]["22"]["images"]) == 3
