"""OpenPose JSON: keypoints of people, as OpenPose and ComfyUI's POSE_KEYPOINT hold them.

A frame is `{"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}, ...], "canvas_width": w,
"canvas_height": h}`, a video a list of frames. OpenPose itself writes no canvas.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ..errors import InputError, brief
from ..files import atomic_path
from .rig import LARGEST_SIDE, Rig, parse_rig
from .skeleton import INDEX, JOINTS, OPENPOSE, from_openpose, to_openpose

BODY_25 = (*range(8), *range(9, 19))
"""Indices of the 18 keypoints of `OPENPOSE` among BODY_25, which has a middle hip and feet too."""
NECK = OPENPOSE.index("neck")
SHOULDERS = [OPENPOSE.index("right_shoulder"), OPENPOSE.index("left_shoulder")]
VERSION = 1.3
"""Of the format that OpenPose writes."""
MOST_PEOPLE, MOST_FRAMES = 1000, 100_000
NORMALISED = 2.0
"""Coordinates below this are shares of the canvas, a little beyond its edges at most."""
FACE_AND_HANDS = {
    "face_keypoints_2d": 70,
    "hand_left_keypoints_2d": 21,
    "hand_right_keypoints_2d": 21,
}
"""Numbers of keypoints of a face and of hands."""
PADDING = 64
"""Pixels; sides of canvases of ControlNet's preprocessors are multiples of it."""
NOT_OPENPOSE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""Errors of reading JSON that has another structure."""


@dataclass(frozen=True)
class PoseFrame:
    """The people in one picture.

    Attributes:
        size: width and height of the picture in pixels.
        people: `[n 18 3]`: x and y in its pixels, NaN where a keypoint is missing, and the
            confidence in 0..1.
    """

    size: tuple[int, int]
    people: Tensor

    def person(self, number: int | None = None) -> Tensor:
        """Keypoints `[18 3]` of one person: the one of that number, from 0, or the largest.

        Raises:
            InputError: there is no such person.
        """
        count = len(self.people)
        if number is None and count:
            spans = [_span(person) for person in self.people]
            number = spans.index(max(spans))
        if number is None or not 0 <= number < count:
            wanted = "nobody" if number is None else f"no person {number}"
            raise InputError(f"There is {wanted} in a pose of {count} people.")
        return self.people[number]

    def in_picture(self, size: tuple[int, int]) -> PoseFrame:
        """The same people in the pixels of the picture that the canvas was made from.

        Preprocessors of ControlNet resize a picture and pad it on the right and below to multiples
        of `PADDING` pixels. A canvas that is only resized, or of another shape, stays as it is.

        Args:
            size: width and height of the picture.
        """
        scale = min(self.size) / min(size)
        resized = (round(size[0] * scale), round(size[1] * scale))
        padded = tuple(math.ceil(side / PADDING) * PADDING for side in resized)
        if resized == self.size or padded != self.size:
            return self
        return PoseFrame(size, self.people / self.people.new_tensor([scale, scale, 1.0]))

    def rig(self, number: int | None = None) -> Rig:
        """The rig of one person, chosen as in `person`.

        Raises:
            InputError: there is no such person.
        """
        person = self.person(number)
        joints = from_openpose(person[:, :2])
        at = {name: float(person[i, 2]) for i, name in enumerate(OPENPOSE)}
        hips = min(at["right_hip"], at["left_hip"])
        at |= {
            "pelvis": hips,
            "chest": min(at["neck"], hips),
            "head_top": min(at["neck"], at["nose"]),
        }
        confidence = torch.tensor([at[name] for name in JOINTS])
        present = torch.isfinite(joints).all(dim=-1)
        return Rig(self.size, joints, torch.where(present, confidence, 0.0))


def parse_openpose(text: str, name: str, size: tuple[int, int] | None = None) -> list[PoseFrame]:
    """The frames of OpenPose JSON: of a list, or a single one.

    People have 18 keypoints or the 25 of BODY_25, in pixels or in shares of the canvas; confidence
    0 means missing. A neck that is missing is halfway between the shoulders.

    Args:
        text: the JSON.
        name: what error messages call it.
        size: width and height of the picture, for JSON that does not state them. Without it, the
            canvas of coordinates in pixels ends at the last keypoint.

    Raises:
        InputError: other JSON, or coordinates in shares of a canvas of unknown size.
    """
    try:
        values = json.loads(text)
    except NOT_OPENPOSE as error:
        raise _not_openpose(name, error) from error
    return openpose_frames(values, name, size)


def openpose_frames(values: Any, name: str, size: tuple[int, int] | None = None) -> list[PoseFrame]:
    """The frames of OpenPose JSON that is already decoded, as a POSE_KEYPOINT holds it; see
    `parse_openpose`.

    Raises:
        InputError: other values, or coordinates in shares of a canvas of unknown size.
    """
    try:
        frames = values if isinstance(values, list) else [values]
        if not 1 <= len(frames) <= MOST_FRAMES:
            raise ValueError(f"{len(frames)} frames")
        return [_frame(frame, size) for frame in frames]
    except NOT_OPENPOSE as error:
        raise _not_openpose(name, error) from error


def read_rig_or_openpose(
    path: str | Path, size: tuple[int, int] | None = None, person: int | None = None
) -> Rig:
    """The rig in a file: its own JSON, or the first frame of OpenPose JSON.

    Args:
        path: the file.
        size: width and height of the picture, for OpenPose JSON that does not state them.
        person: which person of several, from 0, or the largest.

    Raises:
        InputError: there is no such file, it is neither, or nobody is in it.
    """
    text, name = _text(path), f"The file {path}"
    if "pose_keypoints_2d" not in text and '"people"' not in text:
        return parse_rig(text, name)
    frame = parse_openpose(text, name, size)[0]
    try:
        return frame.rig(person)
    except InputError as error:
        raise InputError(f"{name} cannot be a rig: {error}") from error


def to_openpose_json(
    keypoints: Tensor, size: tuple[int, int], confidence: Tensor | None = None
) -> list[dict[str, Any]]:
    """One person's keypoints as a list of frames, as a POSE_KEYPOINT holds them.

    Args:
        keypoints: `[f 18 2]` in pixels, NaN where one is missing.
        size: width and height of the canvas.
        confidence: `[f 18]` in 0..1; 1 by default.
    """
    present = torch.isfinite(keypoints).all(dim=-1)
    sure = torch.ones_like(keypoints[..., 0]) if confidence is None else confidence
    values = torch.cat([keypoints, sure[..., None]], dim=-1)
    values = torch.where(present[..., None], values, 0.0)
    rows = rearrange(values.double(), "f k v -> f (k v)").tolist()
    return [
        {
            "version": VERSION,
            "people": [{"pose_keypoints_2d": [round(value, 3) for value in row]}],
            "canvas_width": size[0],
            "canvas_height": size[1],
        }
        for row in rows
    ]


def with_faces_and_hands(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same frames with faces and hands in which every keypoint is missing: some nodes that take
    a POSE_KEYPOINT read them of everybody."""
    missing = {name: [0.0] * (3 * count) for name, count in FACE_AND_HANDS.items()}
    return [
        {**frame, "people": [{**person, **missing} for person in frame["people"]]}
        for frame in frames
    ]


def write_openpose(
    path: str | Path, keypoints: Tensor, size: tuple[int, int], confidence: Tensor | None = None
) -> None:
    """Writes one person's keypoints as JSON, atomically; see `to_openpose_json`."""
    frames = to_openpose_json(keypoints, size, confidence)
    lines = ",\n".join(json.dumps(frame, allow_nan=False) for frame in frames)
    with atomic_path(path) as temporary:
        temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_rig_keypoints(path: str | Path, rig: Rig) -> None:
    """Writes the joints of a rig as OpenPose JSON, atomically; faces are as sure as their head."""
    head = torch.minimum(rig.confidence[INDEX["neck"]], rig.confidence[INDEX["head_top"]])
    sure = [rig.confidence[INDEX[name]] if name in INDEX else head for name in OPENPOSE]
    keypoints = to_openpose(rig.joints)
    write_openpose(path, keypoints[None], rig.size, torch.stack(sure)[None])


def _not_openpose(name: str, error: Exception) -> InputError:
    return InputError(
        f"{name} is no OpenPose JSON ({error}): it must hold "
        '{"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}], "canvas_width": w, '
        '"canvas_height": h} with 18 or 25 keypoints, or a list of such frames.'
    )


def _frame(frame: Any, size: tuple[int, int] | None) -> PoseFrame:
    if not isinstance(frame, dict):
        raise ValueError(f"a frame is {brief(frame)}, not an object")
    if "people" not in frame:
        raise ValueError("people is missing")
    canvas = frame.get("canvas_width"), frame.get("canvas_height")
    if canvas != (None, None):
        size = _side(canvas[0]), _side(canvas[1])
    people = frame["people"]
    if not isinstance(people, list) or len(people) > MOST_PEOPLE:
        raise ValueError("people is not a list of people")
    found = [_keypoints(person["pose_keypoints_2d"]) for person in people]
    found = [person for person in found if bool((person[:, 2] > 0).any())]
    points = torch.stack(found) if found else torch.zeros(0, len(OPENPOSE), 3)
    places = torch.nan_to_num(points[..., :2])
    if bool((places.abs() < NORMALISED).all()):
        if size is None:
            raise ValueError("canvas_width and canvas_height are missing")
        points = points * points.new_tensor([size[0], size[1], 1.0])
    elif size is None:  # the smallest canvas with everybody in it
        width, height = places.amax(dim=(0, 1)).ceil().clamp_min(1).tolist()
        size = int(width), int(height)
    return PoseFrame(size, points)


def _keypoints(values: Any) -> Tensor:
    """One person's `[18 3]`."""
    if values is None:
        values = []
    if len(values) not in (0, 3 * len(OPENPOSE), 75):
        raise ValueError(f"{len(values)} numbers for a person, not 54 or 75")
    numbers = torch.tensor([_number(value) for value in values], dtype=torch.float64)
    points = rearrange(numbers, "(k v) -> k v", v=3).float()
    if len(points) == 0:
        points = torch.zeros(len(OPENPOSE), 3)
    elif len(points) > len(OPENPOSE):
        points = points[list(BODY_25)]
    points[:, 2] = points[:, 2].clamp(0, 1)
    points[points[:, 2] == 0] = torch.tensor([math.nan, math.nan, 0.0])
    if float(points[NECK, 2]) == 0:
        points[NECK] = points[SHOULDERS].mean(dim=0)
        points[NECK, 2] = points[SHOULDERS, 2].min()
    return points


def _span(person: Tensor) -> float:
    """Area of the box around the keypoints `[18 3]` that are there."""
    places = person[person[:, 2] > 0, :2]
    if len(places) == 0:
        return 0.0
    sides = places.amax(dim=0) - places.amin(dim=0)
    return float((sides[0] + 1e-6) * (sides[1] + 1e-6))


def _side(value: Any) -> int:
    number = _number(value)
    if not 1 <= number <= LARGEST_SIDE:
        raise ValueError(f"a canvas side of {value} pixels")
    return round(number)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{value!r} is not a number")
    limit: Any = 10 * LARGEST_SIDE  # comparable with any real number
    if not abs(value) <= limit:  # NaN is out of range too
        raise ValueError(f"{value!r} is out of range")
    return float(value)


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file {path} cannot be read: {error}.") from error
