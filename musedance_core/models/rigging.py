"""The rig of a picture of any size, found by the rig network.

The figure is cut out, the network looks at it and at its mirror image, and both answers are
averaged. In an opaque picture without a mask the network looks at the whole picture first, for the
place of the figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..dance.opacity import SEEN, relative_alpha
from ..dance.rig import Rig
from ..dance.skeleton import (
    BONES,
    INDEX,
    INNER_PART,
    MIRRORED_JOINTS,
    MIRRORED_PARTS,
    PART_INDEX,
)
from .rig_net import RigNet, locate, rig_input


@dataclass(frozen=True)
class RigLimits:
    """Thresholds on the way from the network's prediction to a rig."""

    present: float = 0.5
    """Least probability of a joint that is there."""
    subject: float = 0.5
    """Least probability, or alpha, of a pixel of the figure."""
    near: float = 0.1
    """Distance from a joint's place, in sides of the crop, within which it is certain."""
    fill: float = 0.86
    """Longer side of the figure as a share of its crop."""
    largest_picture: int = 2048
    largest_map: int = 512
    """Pixels of the longer side of the picture that is looked at, and of part weights."""


LIMITS = RigLimits()


Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class _Crop:
    """A square of a picture, in its pixels."""

    left: float
    top: float
    side: float

    @classmethod
    def around(cls, box: Box, fill: float) -> _Crop:
        left, top, right, bottom = box
        side = max(right - left, bottom - top) / fill
        return cls((left + right - side) / 2, (top + bottom - side) / 2, side)

    def within(self, box: Box, size: int, fill: float) -> _Crop:
        """The crop around a box in pixels of this one, which has `size` of them."""
        scale = self.side / size
        left, right = (self.left + x * scale for x in box[::2])
        top, bottom = (self.top + y * scale for y in box[1::2])
        return _Crop.around((left, top, right, bottom), fill)


@dataclass(frozen=True)
class _CropPrediction:
    """Joints `[16 2]` in 0..1 of the crop, probabilities of presence `[16]`, of being near that
    place `[16]`, and of background and parts `[11 s s]`."""

    joints: Tensor
    presence: Tensor
    certainty: Tensor
    parts: Tensor


def find_rig(
    network: RigNet,
    picture: Image.Image,
    mask: Image.Image | None = None,
    limits: RigLimits = LIMITS,
) -> Rig:
    """The rig of the figure in a picture.

    Args:
        network: the trained network.
        picture: RGB, or RGBA with transparency around the figure.
        mask: grey, of the picture's size, white where the figure is.

    Returns:
        The rig in the picture's pixels. Joints below `limits.present` are absent, and so is all of
        a limb beyond an absent joint; its part weights belong to the part that it hangs on. The sum
        of the part weights over all parts is the mask of the figure.
    """
    full_size, scale = picture.size, limits.largest_picture / max(picture.size)
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in full_size)
        picture = picture.resize((size[0], size[1]), Image.Resampling.BILINEAR, reducing_gap=3.0)
        mask = None if mask is None else mask.resize(picture.size, Image.Resampling.BOX)
    subject = _subject(picture, mask)
    if subject is not None:
        crop = _Crop.around(_box(subject, limits.subject), limits.fill)
    else:
        crop = _Crop.around((0, 0, *picture.size), 1.0)
        background = _predict(network, picture, None, crop).parts[0].numpy()
        crop = crop.within(_box(1 - background, limits.subject), len(background), limits.fill)
    prediction = _predict(network, picture, subject, crop)
    present = _whole_limbs(prediction.presence >= limits.present)
    places = prediction.joints * crop.side + torch.tensor([crop.left, crop.top])
    joints = torch.where(present[:, None], places, torch.nan)
    parts = _part_weights(prediction.parts, subject, crop, picture.size, limits)
    rig = Rig(
        *(picture.size, joints, prediction.presence),
        parts=_joined(parts, present),
        certainty=prediction.certainty,
    )
    return rig.scaled(full_size)


def _subject(picture: Image.Image, mask: Image.Image | None) -> np.ndarray | None:
    """Share of each pixel that is the figure, `[h w]` in 0..1; None if that is not known."""
    if mask is None and picture.mode != "RGBA":
        return None
    alpha = np.asarray(picture.getchannel("A") if mask is None else mask, np.float32) / 255
    return relative_alpha(alpha) if (alpha >= SEEN).any() else None


def _box(subject: np.ndarray, level: float) -> Box:
    """Left, top, right and bottom of the pixels of at least `level`, or of all if there are
    none."""
    rows, columns = np.nonzero(subject >= level)
    if not len(rows):
        return 0.0, 0.0, float(subject.shape[1]), float(subject.shape[0])
    left, top = float(columns.min()), float(rows.min())
    return left, top, float(columns.max()) + 1, float(rows.max()) + 1


@torch.no_grad()
def _predict(
    network: RigNet, picture: Image.Image, subject: np.ndarray | None, crop: _Crop
) -> _CropPrediction:
    """The network's prediction for a crop, averaged with that for its mirror image."""
    weight = next(network.parameters())
    image = _network_input(picture, subject, crop, network.config.size).to(weight)
    prediction = network(torch.cat([image, image.flip(-1)]))

    heatmaps = rearrange(prediction.heatmaps.float(), "b j h w -> b j (h w)").log_softmax(dim=-1)
    heatmaps = heatmaps.exp().view_as(prediction.heatmaps).cpu()
    mirrored = heatmaps[1, list(MIRRORED_JOINTS)].flip(-1)
    both = (heatmaps[0] + mirrored) / 2
    joints = locate(both.clamp_min(1e-9).log()[None])[0]

    presence = prediction.presence.float().sigmoid().cpu()
    presence = (presence[0] + presence[1, list(MIRRORED_JOINTS)]) / 2

    parts = prediction.parts.float().softmax(dim=1).cpu()
    order = [0, *(1 + part for part in MIRRORED_PARTS)]
    parts = (parts[0] + parts[1, order].flip(-1)) / 2
    return _CropPrediction(joints, presence, _certainty(both, joints), parts)


def _certainty(heatmaps: Tensor, joints: Tensor) -> Tensor:
    """Share `[16]` of each of `heatmaps [16 h w]` near its joint, of `joints [16 2]` in 0..1."""
    h, w = heatmaps.shape[-2:]
    x, y = (torch.arange(w) + 0.5) / w, (torch.arange(h) + 0.5) / h
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    near = (places - rearrange(joints, "j xy -> j 1 1 xy")).norm(dim=-1) < LIMITS.near
    share: Tensor = (heatmaps * near).sum(dim=(1, 2))
    return share


def _network_input(
    picture: Image.Image, subject: np.ndarray | None, crop: _Crop, size: int
) -> Tensor:
    """The input `[1 5 s s]` of the network."""
    alpha = np.ones(picture.size[::-1], np.float32) if subject is None else subject
    solid = picture.convert("RGB")
    solid.putalpha(Image.fromarray((alpha * 255).round().astype(np.uint8)))
    # Premultiplied, so that colours under transparent pixels do not bleed in.
    left, top = math.floor(crop.left), math.floor(crop.top)
    side = math.ceil(crop.side) + 1
    square = solid.convert("RGBa").crop((left, top, left + side, top + side))
    x, y = crop.left - left, crop.top - top
    small = square.resize(
        (size, size),
        Image.Resampling.BILINEAR,
        box=(x, y, x + crop.side, y + crop.side),
        reducing_gap=3.0,
    )
    pixels = rearrange(torch.from_numpy(np.asarray(small).copy()).float() / 255, "h w c -> 1 c h w")
    colours, alpha_crop = pixels[:, :3] / pixels[:, 3:].clamp_min(1 / 255), pixels[:, 3:]
    if subject is not None:
        return rig_input(colours.clamp(0, 1), alpha_crop)
    crops = rig_input(colours.clamp(0, 1), None)
    # Neutral beyond the picture's edges.
    return torch.cat([crops[:, :3] * alpha_crop, crops[:, 3:]], dim=1)


def _whole_limbs(present: Tensor) -> Tensor:
    """Joints `[16]` without those whose limb is interrupted."""
    present = present.clone()
    for inner, outer in BONES.values():
        present[outer] &= present[inner]
    return present


def _part_weights(
    parts: Tensor,
    subject: np.ndarray | None,
    crop: _Crop,
    size: tuple[int, int],
    limits: RigLimits,
) -> Tensor:
    """Part weights `[10 h w]` over the whole picture, at about the resolution of the crop."""
    scale = min(parts.shape[-1] / crop.side, limits.largest_map / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    x = ((torch.arange(width) + 0.5) * size[0] / width - crop.left) / crop.side * 2 - 1
    y = ((torch.arange(height) + 0.5) * size[1] / height - crop.top) / crop.side * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    weights = F.grid_sample(parts[None, 1:], grid[None], align_corners=False)[0]
    if subject is None:
        return weights
    # Where the figure is known, only the shares of its parts are of interest.
    weights = weights / weights.sum(dim=0, keepdim=True).clamp_min(1e-6)
    image = Image.fromarray((subject * 255).round().astype(np.uint8))
    mask = np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float32) / 255
    return weights * torch.from_numpy(mask)


def _joined(parts: Tensor, present: Tensor) -> Tensor:
    """Part weights with absent segments added to the part that they hang on."""
    joined = parts.clone()
    for name, ends in reversed(BONES.items()):
        if not present[list(ends)].all():
            part = PART_INDEX[name]
            joined[INNER_PART[part]] += joined[part]
            joined[part] = 0
    if not present[INDEX["neck"]]:
        joined[PART_INDEX["torso"]] += joined[PART_INDEX["head"]]
        joined[PART_INDEX["head"]] = 0
    return joined
