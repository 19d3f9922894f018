"""OpenPose JSON: written and read back, and the variants of other tools."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.dance.openpose_json import (
    BODY_25,
    openpose_frames,
    parse_openpose,
    read_rig_or_openpose,
    to_openpose_json,
    write_openpose,
)
from musedance_core.dance.posing import Body
from musedance_core.dance.rig import write_rig
from musedance_core.dance.skeleton import INDEX, OPENPOSE, to_openpose
from musedance_core.errors import InputError

SIZE = (400, 600)


def person(height: float = 500.0, x: float = 200.0) -> Tensor:
    """Keypoints `[18 2]` of a standing person."""
    return to_openpose(Body.standing(height, x, 580.0).joints)


def numbers(keypoints: Tensor, confidence: float = 1.0) -> list[float]:
    rows = torch.cat([keypoints, torch.full((len(keypoints), 1), confidence)], dim=1)
    return [round(float(v), 3) for v in rows.flatten()]


def frame(*people: list[float], **canvas: int) -> dict[str, Any]:
    return {"people": [{"pose_keypoints_2d": person} for person in people], **canvas}


CANVAS = {"canvas_width": 400, "canvas_height": 600}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    points = torch.stack([person(), person(450.0, 180.0)])
    points[1, OPENPOSE.index("left_wrist")] = math.nan
    write_openpose(tmp_path / "pose.json", points, SIZE)
    frames = parse_openpose((tmp_path / "pose.json").read_text(), "It")
    assert [f.size for f in frames] == [SIZE, SIZE]
    back = torch.stack([f.person()[:, :2] for f in frames])
    assert torch.allclose(back, points, atol=1e-3, equal_nan=True)
    assert "NaN" not in (tmp_path / "pose.json").read_text()
    values = json.loads((tmp_path / "pose.json").read_text())
    at = 3 * OPENPOSE.index("left_wrist")
    assert values[1]["people"][0]["pose_keypoints_2d"][at : at + 3] == [0, 0, 0]
    assert (values[0]["canvas_width"], values[0]["canvas_height"]) == SIZE


def test_body_25_and_shares_of_the_canvas_are_the_same_person() -> None:
    points = person()
    expected = parse_openpose(json.dumps(frame(numbers(points), **CANVAS)), "a")[0].person()
    with_feet = torch.full((25, 2), 7.0)
    with_feet[list(BODY_25)] = points
    shares = points / torch.tensor(SIZE)
    rows = [*shares.tolist()]
    short = [v for x, y in rows for v in (x, y, 1.0)]
    for values in (numbers(with_feet), short):
        read = parse_openpose(json.dumps(frame(values, **CANVAS)), "a")[0].person()
        assert torch.allclose(read, expected, atol=2e-3)


def test_openpose_itself_states_no_canvas() -> None:
    text = json.dumps({"version": 1.3, **frame(numbers(person()))})
    assert parse_openpose(text, "a", SIZE)[0].size == SIZE
    width, height = parse_openpose(text, "a")[0].size
    assert height == math.ceil(float(person()[:, 1].max())) and width < 400


def test_the_largest_person_or_one_by_number() -> None:
    text = json.dumps(frame(numbers(person(300)), numbers(person(500)), **CANVAS))
    pose = parse_openpose(text, "a")[0]
    assert torch.allclose(pose.person()[:, :2], person(500), atol=1e-2)
    assert torch.allclose(pose.person(0)[:, :2], person(300), atol=1e-2)
    with pytest.raises(InputError, match="no person 2 in a pose of 2 people"):
        pose.person(2)
    with pytest.raises(InputError, match="nobody in a pose of 0 people"):
        parse_openpose(json.dumps(frame(numbers(person(), 0.0), **CANVAS)), "a")[0].rig()


def test_a_rig_has_the_joints_of_the_person() -> None:
    values = numbers(person(), 0.75)
    for name in ("neck", "left_ankle"):
        values[3 * OPENPOSE.index(name) + 2] = 0
    rig = parse_openpose(json.dumps(frame(values, **CANVAS)), "a")[0].rig()
    truth = Body.standing(500, 200, 580).joints
    absent = INDEX["left_ankle"]
    assert rig.size == SIZE and not rig.present[absent] and rig.present.sum() == 15
    assert rig.confidence[absent] == 0 and rig.confidence[INDEX["left_knee"]] == 0.75
    # The neck is between the shoulders, and the head a little off with it.
    assert torch.allclose(rig.joints[rig.present], truth[rig.present], atol=16)
    assert torch.allclose(rig.joints[4:10], truth[4:10], atol=1e-2)


def test_a_file_may_hold_a_rig_or_a_pose(tmp_path: Path) -> None:
    rig = parse_openpose(json.dumps(frame(numbers(person()), **CANVAS)), "a")[0].rig()
    write_rig(rig, tmp_path / "rig.json")
    (tmp_path / "pose.json").write_text(json.dumps([frame(numbers(person()), **CANVAS)]))
    for name in ("rig.json", "pose.json"):
        read = read_rig_or_openpose(tmp_path / name)
        assert torch.allclose(read.joints, rig.joints, atol=0.01)
    (tmp_path / "empty.json").write_text(json.dumps([frame(**CANVAS)]))
    with pytest.raises(InputError, match=r"empty\.json cannot be a rig: There is nobody"):
        read_rig_or_openpose(tmp_path / "empty.json")


PERSON = numbers(person())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "no OpenPose JSON"),
        ("[]", "0 frames"),
        ("[3]", "no OpenPose JSON .a frame is 3, not an object"),
        ("{}", "no OpenPose JSON .people is missing"),
        (json.dumps({"people": {}}), "not a list of people"),
        (json.dumps(frame(PERSON[:-1], **CANVAS)), "53 numbers"),
        (json.dumps(frame(["a", *PERSON[1:]], **CANVAS)), "'a' is not a number"),
        (json.dumps(frame([math.inf, *PERSON[1:]], **CANVAS)), "inf is out of range"),
        (json.dumps(frame([math.nan, *PERSON[1:]], **CANVAS)), "nan is out of range"),
        (json.dumps(frame([10**400, *PERSON[1:]], **CANVAS)), "out of range"),
        (json.dumps(frame(PERSON, canvas_width=0, canvas_height=5)), "a canvas side of 0"),
        (json.dumps(frame(PERSON, canvas_width=5)), "None is not a number"),
        (json.dumps(frame([v / 1000 for v in PERSON])), "canvas_width and canvas_height are"),
        ("[" * 100_000, "no OpenPose JSON"),
    ],
)
def test_other_json_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        parse_openpose(text, "It")
    assert str(error.value).startswith("It ") and "\n" not in str(error.value)
    (tmp_path / "pose.json").write_text(text)
    with pytest.raises(InputError, match=r"pose\.json is no"):
        read_rig_or_openpose(tmp_path / "pose.json")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json cannot be read"):
        read_rig_or_openpose(tmp_path / "none.json")


def test_confidence_is_written() -> None:
    (values,) = to_openpose_json(person()[None], SIZE, torch.full((1, 18), 0.5))
    assert values["people"][0]["pose_keypoints_2d"][2::3] == [0.5] * 18


def test_a_pose_keypoint_holds_numbers_of_numpy() -> None:
    """As the host's SDPose gives them."""
    people = [np.float32(value) for value in numbers(person())]
    (read,) = openpose_frames([frame(people, **CANVAS)], "The input")
    assert (read.person()[:, :2] - person()).abs().max() < 0.01


def test_a_padded_canvas_is_placed_on_its_picture() -> None:
    """A picture of 300 x 400, its shorter side at 512 pixels, is 512 x 683, padded to 512 x 704."""
    size, scale = (300, 400), 512 / 300
    shares = person(380.0, 150.0) * scale / torch.tensor([512.0, 704.0])
    padded = frame(numbers_of_shares(shares), canvas_width=512, canvas_height=704)
    (read,) = openpose_frames([padded], "The input")
    placed = read.in_picture(size)
    assert placed.size == size
    assert (placed.person()[:, :2] - person(380.0, 150.0)).abs().max() < 0.5
    assert read.in_picture((512, 704)) is read and read.in_picture((256, 352)) is read


def numbers_of_shares(keypoints: Tensor) -> list[float]:
    rows = torch.cat([keypoints, torch.ones(len(keypoints), 1)], dim=1)
    return [float(v) for v in rows.flatten()]
