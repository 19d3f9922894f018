"""Figures of the dance world in crops for the rig network, varied in place, shape and colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from ...dance.skeleton import (
    BONES,
    INNER_PART,
    MIRRORED_JOINTS,
    MIRRORED_PARTS,
    PART_INDEX,
    PARTS,
)
from ...models.rig_net import rig_input
from ...world.backgrounds import random_background
from ...world.rig_samples import RigSample, rig_sample
from ..config import DataConfig
from ..stages.base import SPLIT_SEEDS, Batch

RIG_STREAM, FIGURE_STREAM, CROP_STREAM = 102, 0, 1
CROPS_EACH = 2
"""Crops of the same figure, one after the other: it takes longer to draw a figure than to crop
it."""


@dataclass(frozen=True)
class Variation:
    """Differences between crops of a figure. Single numbers are probabilities or deviations."""

    known_mask: float = 0.5
    """Crops with a mask; the others show the figure before a background."""
    fill: tuple[float, float] = (0.7, 0.96)
    """Longer side of the figure, as a share of the crop."""
    whole_picture: float = 0.5
    """Crops without a mask that show a whole picture, where figures may be small ..."""
    small_fill: tuple[float, float] = (0.3, 0.96)
    """... as these shares of the crop."""
    off_centre: float = 0.06
    """Largest shift of a figure that fills its crop, as a share of half a crop."""
    turn: float = 0.15
    """Deviation of the rotation, in radians."""
    stretch: float = 0.12
    """Deviation of the logarithm of width over height."""
    shear: float = 0.06
    """Deviation of the sideways shift per height."""
    cut: float = 0.06
    """Figures that the picture's lower edge cuts off, as in a portrait ..."""
    cut_height: tuple[float, float] = (0.4, 0.9)
    """... below this share of their height."""
    grey: float = 0.08
    """Figures without colours."""
    recolour: float = 0.5
    """Figures with another exposure, contrast and tint."""
    blur: float = 0.2
    noise: float = 0.2
    """Crops that are blurred, and crops that are noisy."""
    rough_mask: float = 0.3
    """Masks with a wide, narrow or soft edge."""
    clutter: float = 0.4
    """Backgrounds with shapes on them."""


VARIATION = Variation()


class WorldRigs:
    """Batches of `crops [b 5 s s]` with the truth about them.

    `joints [b 16 2]` are in 0..1 of the crop, and bool `present [b 16]` says which are there.
    `parts [b s s]` has 0 for the background, else 1 + the index in `PARTS`. `height [b]` is the
    figure's height as a share of the crop.
    """

    def __init__(self, size: int, data: DataConfig, split: str) -> None:
        self.size, self.split, self.font = size, split, data.font or None
        self.seeds = (data.seed, SPLIT_SEEDS[split], RIG_STREAM)

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"{self.split} figure {index} of the dance world" for index in indices]

    def __call__(self, indices: list[int]) -> Batch:
        figures = {number: self.figure(number) for number in {i // CROPS_EACH for i in indices}}
        crops = [
            random_crop(
                figures[index // CROPS_EACH],
                np.random.default_rng((*self.seeds, CROP_STREAM, index)),
                self.size,
            )
            for index in indices
        ]
        return {name: torch.stack([crop[name] for crop in crops]) for name in crops[0]}

    def figure(self, number: int) -> RigSample:
        """A figure of this split."""
        rng = np.random.default_rng((*self.seeds, FIGURE_STREAM, number))
        return rig_sample(rng, self.size, split=self.split, font=self.font)


@dataclass(frozen=True)
class _View:
    """A random view of a figure. Coordinates are -1..1 in crop and picture.

    Attributes:
        matrix: `[2 3]` from points of the crop to those of the figure's picture.
        joints: `[16 2]` in the crop, NaN where absent.
        height: of the figure, as a share of the crop.
        edge: y in the crop below which the figure is cut off.
        cut: whether an edge of the picture cuts it off.
    """

    matrix: Tensor
    joints: Tensor
    height: float
    edge: float
    cut: bool

    @property
    def present(self) -> Tensor:
        """Bool `[16]`: joints in the crop, of limbs that are whole as far as the trunk."""
        joints = torch.nan_to_num(self.joints, 9.0)
        whole = (joints.abs() < 1).all(dim=-1) & (joints[:, 1] <= self.edge + 0.04)
        for inner, outer in BONES.values():
            whole[outer] &= whole[inner]
        return whole


def random_crop(sample: RigSample, rng: np.random.Generator, size: int) -> Batch:
    """A random crop of `size` pixels of a figure; the names are those of `WorldRigs`."""
    known = bool(rng.random() < VARIATION.known_mask)
    flipped = bool(rng.random() < 0.5)
    view = _random_view(sample, rng, known, flipped)

    # Pixels of the figure; colours are premultiplied while they are resampled.
    grid = F.affine_grid(view.matrix[None], [1, 1, size, size], align_corners=False)
    alpha = sample.picture[3:]
    layers = torch.cat([sample.picture[:3] * alpha, alpha, torch.ones_like(alpha)])
    layers = F.grid_sample(layers[None], grid, align_corners=False)[0]
    colours = (layers[:3] / layers[3:4].clamp_min(1e-3)).clamp(0, 1)
    inside = (torch.linspace(-1, 1, size) <= view.edge + 1 / size).float()[:, None]
    alpha = (layers[3:4] * inside).clamp(0, 1)
    # Beyond the edge of a picture that cuts the figure off there is nothing.
    picture = layers[4:] * inside if view.cut else torch.ones_like(alpha)
    crop = _draw(colours, alpha, picture, known, rng)

    part_map = F.grid_sample(
        sample.part_map[None, None].float(), grid, mode="nearest", align_corners=False
    )[0, 0]
    joints, present = view.joints, view.present
    parts = _owners(present)[part_map.long()] * (alpha[0] > 0.5)
    if flipped:
        joints, present = joints[MIRRORED_JOINTS, :], present[MIRRORED_JOINTS,]
        parts = torch.tensor([0, *(1 + part for part in MIRRORED_PARTS)])[parts]
    return {
        "crops": crop,
        "joints": torch.nan_to_num(joints / 2 + 0.5, 0.5),
        "present": present,
        "parts": parts,
        "height": torch.tensor(view.height),
    }


def _random_view(sample: RigSample, rng: np.random.Generator, known: bool, flipped: bool) -> _View:
    """A view whose crop has the figure in it; `flipped` shows its mirror image."""
    # Pixels and joints of the figure, turned and stretched.
    linear = _random_shape(rng, flipped)
    side = sample.part_map.shape[-1]
    rows, columns = torch.nonzero(sample.picture[3, ::2, ::2] > 0.3, as_tuple=True)
    inverse = torch.linalg.inv(linear)
    pixels = ((4 * torch.stack([columns, rows], dim=-1) + 2) / side - 1) @ inverse.T
    joints = (sample.joints / side * 2 - 1) @ inverse.T

    # A cut, besides that of figures that leave their picture at its lower edge.
    cut = bool(sample.picture[3, -1].max() > 0.5)
    top, bottom = float(pixels[:, 1].min()), float(pixels[:, 1].max())
    if rng.random() < VARIATION.cut:
        cut = True
        bottom = top + float(rng.uniform(*VARIATION.cut_height)) * (bottom - top)
        pixels = pixels[pixels[:, 1] <= bottom]

    # Scale and place in the crop.
    low, high = pixels.amin(dim=0), pixels.amax(dim=0)
    half = (high - low) / 2
    small = not known and rng.random() < VARIATION.whole_picture
    fill = float(rng.uniform(*(VARIATION.small_fill if small else VARIATION.fill)))
    scale = float(half.max()) / fill
    room = 1 - half / scale
    if not small:
        room = room.clamp_max(VARIATION.off_centre)
    centre = (low + high) / 2 - torch.from_numpy(rng.uniform(-1, 1, 2)).float() * room * scale
    return _View(
        matrix=torch.cat([linear * scale, (linear @ centre)[:, None]], dim=1),
        joints=(joints - centre) / scale,
        height=float(half[1]) / scale,
        edge=(bottom - float(centre[1])) / scale,
        cut=cut,
    )


def _random_shape(rng: np.random.Generator, flipped: bool) -> Tensor:
    """A matrix `[2 2]` from the crop to the picture: rotation, stretch, shear, and mirroring."""
    angle = float(rng.normal(0, VARIATION.turn))
    stretch = float(rng.normal(0, VARIATION.stretch)) / 2
    shear = float(rng.normal(0, VARIATION.shear))
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shape = np.array([[np.exp(-stretch), shear], [0, np.exp(stretch)]])
    mirror = np.diag([-1.0 if flipped else 1.0, 1.0])
    return torch.from_numpy(mirror @ shape @ turn).float()


def _draw(
    colours: Tensor, alpha: Tensor, picture: Tensor, known: bool, rng: np.random.Generator
) -> Tensor:
    """The input `[5 s s]` of the network; `picture [1 s s]` is 0 beyond the picture's edges."""
    size = alpha.shape[-1]
    colours = _recolour(colours, rng)
    rough = known and rng.random() < VARIATION.rough_mask
    if not known or rough:
        background = random_background(rng, size)
        if rng.random() < VARIATION.clutter:
            background = _with_clutter(background, rng)
        colours = torch.lerp(background, colours, alpha)
    if rng.random() < VARIATION.blur:
        colours = F.avg_pool2d(colours[None], 3, 1, 1, count_include_pad=False)[0]
    if rng.random() < VARIATION.noise:
        noise = torch.from_numpy(rng.standard_normal(colours.shape, dtype=np.float32))
        colours = (colours + float(rng.uniform(0.01, 0.08)) * noise).clamp(0, 1)
    mask = _rough(alpha, rng) if rough else alpha
    crop = rig_input(colours[None], mask[None] if known else None)[0]
    crop[:4] *= picture
    return crop


def _recolour(colours: Tensor, rng: np.random.Generator) -> Tensor:
    """The colours of a figure, or others."""
    if rng.random() < VARIATION.grey:
        colours = colours.mean(dim=0, keepdim=True).expand(3, -1, -1)
    if rng.random() >= VARIATION.recolour:
        return colours
    gain = torch.from_numpy(rng.normal(1, 0.08, 3)).float() * float(np.exp(rng.normal(0, 0.2)))
    contrast = float(np.exp(rng.normal(0, 0.2)))
    return ((colours - 0.5) * contrast * gain[:, None, None] + 0.5).clamp(0, 1)


def _with_clutter(background: Tensor, rng: np.random.Generator) -> Tensor:
    """A background with random shapes."""
    size = background.shape[-1]
    pixels = rearrange((background * 255).byte(), "c h w -> h w c").numpy()
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 10))):
        x, y, w, h = (rng.uniform(0, 1, 4) * (1, 1, 0.5, 0.5) * size).tolist()
        fill = tuple(int(v) for v in rng.integers(0, 256, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape([x - w / 2, y - h / 2, x + w / 2, y + h / 2], fill=fill)
    return rearrange(torch.from_numpy(np.asarray(image).copy()).float() / 255, "h w c -> c h w")


def _rough(alpha: Tensor, rng: np.random.Generator) -> Tensor:
    """A mask as a person or a segmentation network makes it."""
    width = int(rng.choice((3, 5)))
    kind = int(rng.integers(3))
    if kind == 0:
        return F.avg_pool2d(alpha[None], width, 1, width // 2)[0]
    grown = F.max_pool2d(alpha[None] if kind == 1 else 1 - alpha[None], width, 1, width // 2)[0]
    return (grown if kind == 1 else 1 - grown).round()


def _owners(present: Tensor) -> Tensor:
    """The part of each value of a part map, `[11]`: pixels of a limb segment that is not there as
    a whole belong to the part that it hangs on."""
    owners = torch.arange(1 + len(PARTS))
    for name, ends in BONES.items():
        if not present[list(ends)].all():
            part = PART_INDEX[name]
            owners[1 + part] = owners[1 + INNER_PART[part]]
    return owners
