"""The rig of a picture: its joints, which of them are there, and how sure that is."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ..errors import InputError, brief
from ..files import atomic_path
from ..parts import SUBJECT
from .skeleton import DENSEPOSE, INDEX, JOINTS, PARTS

LARGEST_SIDE = 16_384
"""Pixels; a rig of a larger picture is refused."""


@dataclass(frozen=True)
class Rig:
    """Joints of the dancer in a picture.

    Attributes:
        size: width and height of the picture in pixels.
        joints: `[16 2]` x and y in its pixels, y down, in the order of `JOINTS`; NaN where a joint
            is absent.
        confidence: `[16]` in 0..1, the probability that a joint is there; 1 in rigs made by hand.
        parts: weights `[p h w]` in 0..1 of the parts of `PARTS`, at any resolution over the whole
            picture, or None where they have to follow from the joints.
        certainty: `[16]` in 0..1, the probability that a joint that is there is near its place; NaN
            where a person placed it, who is not doubted, and None where a person placed all.
    """

    size: tuple[int, int]
    joints: Tensor
    confidence: Tensor
    parts: Tensor | None = None
    certainty: Tensor | None = None

    @property
    def present(self) -> Tensor:
        """Bool `[16]`: the joints that are there."""
        return torch.isfinite(self.joints).all(dim=-1)

    def to_json(self) -> dict[str, Any]:
        """`{"size": [w, h], "joints": {name: [x, y] or null}, "confidence": {name: 0..1}}`."""
        places = self.joints.tolist()
        return {
            "size": list(self.size),
            "joints": {
                name: [round(x, 2) for x in places[i]] if bool(self.present[i]) else None
                for name, i in INDEX.items()
            },
            "confidence": {name: round(float(self.confidence[i]), 3) for name, i in INDEX.items()},
        }

    def with_certainty_of(self, found: Rig, tolerance: float) -> Rig:
        """This rig with the certainty of the joints that a person left within `tolerance` pixels of
        where they were `found`."""
        if found.certainty is None:
            return self
        moved = (self.joints - found.joints).norm(dim=-1) > tolerance
        moved |= self.joints.isnan().any(dim=-1) != found.joints.isnan().any(dim=-1)
        return replace(self, certainty=torch.where(moved, torch.nan, found.certainty))

    def scaled(self, size: tuple[int, int]) -> Rig:
        """The same rig for the picture resized to `size`, width and height."""
        factor = self.joints.new_tensor([size[0] / self.size[0], size[1] / self.size[1]])
        return replace(self, size=size, joints=self.joints * factor)


def parse_rig(text: str, name: str) -> Rig:
    """The rig of a JSON text as `Rig.to_json` gives it; joints that are not named are absent.

    Raises:
        InputError: the text, called `name`, is not such a rig.
    """
    try:
        values = _object("it", json.loads(text, object_pairs_hook=_without_repetition))
        for key in ("size", "joints"):
            if key not in values:
                raise ValueError(f"{key} is missing")
        width, height = (_side("size", n) for n in _pair("size", values["size"]))
        places, sure = (_object(key, values.get(key, {})) for key in ("joints", "confidence"))
        unknown = sorted((set(places) | set(sure)) - set(JOINTS))
        if unknown:
            raise ValueError(f"there is no joint {brief(unknown[0])}")
        joints = torch.full((len(JOINTS), 2), math.nan)
        confidence = torch.zeros(len(JOINTS))
        for joint, place in places.items():
            if place is not None:
                x, y = (_number(joint, v, 10 * LARGEST_SIDE) for v in _pair(joint, place))
                joints[INDEX[joint]] = torch.tensor([x, y])
                confidence[INDEX[joint]] = 1.0
        for joint, value in sure.items():
            confidence[INDEX[joint]] = _share(f"the confidence of {joint}", value)
    except (ValueError, RecursionError) as e:
        raise InputError(
            f"{name} is no rig ({e}): it must hold size [width, height] and joints "
            '{"right_wrist": [x, y] or null, ...} in pixels.'
        ) from e
    return Rig((width, height), joints, confidence)


def write_rig(rig: Rig, path: str | Path) -> None:
    """Writes the rig as JSON with one joint a line, atomically."""
    values = rig.to_json()
    lines = [f'{{\n "size": {json.dumps(values["size"])}']
    for name in ("joints", "confidence"):
        rows = [f'  "{joint}": {json.dumps(value)}' for joint, value in values[name].items()]
        lines.append(f' "{name}": {{\n' + ",\n".join(rows) + "\n }")
    with atomic_path(path) as temporary:
        temporary.write_text(",\n".join(lines) + "\n}\n", encoding="utf-8")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose names must differ."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{brief(repeated)} is there twice")
    return values


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {brief(value)}, not an object")
    return value


def _pair(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{name} is {brief(value)}, not two numbers")
    return value


def _side(name: str, value: Any) -> int:
    number = _number(name, value, LARGEST_SIDE)
    if number < 1:
        raise ValueError(f"{name} has a side of {value} pixels")
    return round(number)


def _share(name: str, value: Any) -> float:
    number = _number(name, value, 1.0)
    if number < 0:
        raise ValueError(f"{name} is {brief(value)}, which is out of range")
    return number


def _number(name: str, value: Any, limit: float) -> float:
    """A number of at most `limit`, of either sign."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} has {brief(value)}, which is not a number")
    if not abs(value) <= limit:  # NaN is out of range too
        raise ValueError(f"{name} has {brief(value)}, which is out of range")
    return float(value)


def part_weights(part_map: Tensor) -> Tensor:
    """Weights `[10 h w]` of the parts of `PARTS` in a map of DensePose ids `[h w]` (`parts`); a
    subject without parts counts as a torso."""
    index = torch.zeros(SUBJECT + 1, dtype=torch.long)
    for i, name in enumerate(PARTS):
        index[list(DENSEPOSE[name])] = 1 + i
    index[SUBJECT] = 1 + PARTS.index("torso")
    weights = F.one_hot(index[part_map], 1 + len(PARTS))[..., 1:].float()
    return rearrange(weights, "h w p -> p h w")
