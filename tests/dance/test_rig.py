"""Rig files: read back as written, and other JSON in one sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from musedance_core.dance.openpose_json import read_rig_or_openpose
from musedance_core.dance.posing import Body
from musedance_core.dance.rig import Rig, parse_rig, part_weights, write_rig
from musedance_core.dance.skeleton import DENSEPOSE, INDEX, JOINTS, PARTS
from musedance_core.errors import InputError
from musedance_core.parts import SUBJECT


def test_a_rig_is_read_back(tmp_path: Path) -> None:
    joints = Body.standing(300, 100, 350).joints.clone()
    joints[INDEX["left_wrist"]] = math.nan
    rig = Rig((200, 400), joints, torch.linspace(0, 1, 16))
    write_rig(rig, tmp_path / "rig.json")
    back = read_rig_or_openpose(tmp_path / "rig.json")
    assert back.size == rig.size and torch.equal(back.present, rig.present)
    assert torch.allclose(back.joints, joints, atol=0.006, equal_nan=True)
    assert torch.allclose(back.confidence, rig.confidence, atol=6e-4)
    assert set(json.loads((tmp_path / "rig.json").read_text())["joints"]) == set(JOINTS)
    half = back.scaled((100, 200))
    assert half.size == (100, 200)
    assert torch.allclose(half.joints, back.joints / 2, equal_nan=True)


def test_a_rig_file_has_one_joint_a_line(tmp_path: Path) -> None:
    joints = torch.arange(32.0).reshape(16, 2) + 0.5
    joints[INDEX["left_wrist"]] = math.nan
    write_rig(Rig((200, 400), joints, torch.full((16,), 0.25)), tmp_path / "rig.json")
    lines = [line.strip(" ,") for line in (tmp_path / "rig.json").read_text().splitlines()]
    assert '"size": [200, 400]' in lines
    assert '"pelvis": [0.5, 1.5]' in lines and '"left_wrist": null' in lines
    for name in JOINTS:
        assert len([line for line in lines if line.startswith(f'"{name}"')]) == 2
        assert f'"{name}": 0.25' in lines


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "3",
        '{"size": [2, 3]}',
        '{"size": [2], "joints": {}}',
        '{"size": [0, 3], "joints": {}}',
        '{"size": [2, 99999], "joints": {}}',
        '{"size": [2, 3], "joints": {"tail": [1, 2]}}',
        '{"size": [2, 3], "joints": {"neck": [1]}}',
        '{"size": [2, 3], "joints": {"neck": [1, 2, 3]}}',
        '{"size": [2, 3], "joints": {"neck": [NaN, 2]}}',
        '{"size": [2, 3], "joints": {"neck": [Infinity, 2]}}',
        '{"size": [2, 3], "joints": {"neck": [1' + "0" * 400 + ", 2]}}",
        '{"size": [2, 3], "joints": {"neck": [true, 2]}}',
        '{"size": [2, 3], "joints": {}, "confidence": {"neck": 2}}',
        '{"size": [2, 3], "joints": {}, "confidence": {"neck": -0.5}}',
        "[" * 100_000,
    ],
)
def test_other_json_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"^It is no rig \(.*in pixels\.$"):
        parse_rig(text, "It")


def test_part_weights_of_a_part_map() -> None:
    part_map = torch.tensor([[0, DENSEPOSE["left_shin"][1]], [SUBJECT, DENSEPOSE["head"][0]]])
    weights = part_weights(part_map)
    assert weights.shape == (len(PARTS), 2, 2)
    assert weights[:, 0, 0].sum() == 0
    assert weights[PARTS.index("left_shin"), 0, 1] == 1
    assert weights[PARTS.index("torso"), 1, 0] == 1
    assert weights[PARTS.index("head"), 1, 1] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", r"it is \[1, 2\], not an object"),
        ('{"joints": {}}', "size is missing"),
        ('{"size": [2, 3]}', "joints is missing"),
        ('{"size": null, "joints": {}}', "size is None, not two numbers"),
        ('{"size": [2, 3], "joints": []}', r"joints is \[\], not an object"),
        ('{"size": [2, 3], "joints": {"neck": 5}}', "neck is 5, not two numbers"),
        ('{"size": [2, 3], "joints": {"neck": [1, "a"]}}', "neck has 'a', which is not a number"),
        (
            '{"size": [2, 3], "joints": {"neck": [1, 9' + "0" * 4000 + "]}}",
            r"neck has 90+\.\.\.0+, ",
        ),
        ('{"size": [2, 3], "joints": {"neck": [1, 1], "neck": [2, 2]}}', "'neck' is there twice"),
        ('{"size": [2, 3], "joints": {}, "confidence": 1}', "confidence is 1, not an object"),
        ('{"size": [2, 3], "joints": {}, "confidence": {"neck": null}}', "confidence of neck has"),
    ],
)
def test_the_sentence_names_the_joint_or_key_that_is_wrong(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        parse_rig(text, "It")
    assert len(str(error.value)) < 250
