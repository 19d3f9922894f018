"""Rigs of pictures: their place in the picture, masks, mirror images and absent limbs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from musedance_core.config import RigConfig
from musedance_core.dance.skeleton import INDEX, PART_INDEX, PARTS
from musedance_core.models.rig_net import RigNet, RigPrediction
from musedance_core.models.rigging import RigLimits, find_rig

RED, BLUE = (255, 0, 0), (0, 0, 255)
BROAD = ("right_hip", "left_hip")
HIDDEN = {"left_elbow"}


class ColourNet(nn.Module):
    """Finds the right wrist where it is red and the left one where it is blue.

    What is neither red nor blue nor masked is background; the right one of two sides is known by
    its colour, so a mirror image must not exchange them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.config = RigConfig(size=64)
        self.weight = nn.Parameter(torch.zeros(1))
        self.crops: list[Tensor] = []

    def forward(self, crops: Tensor) -> RigPrediction:
        self.crops.append(crops)
        red = ((crops[:, 0] > 0.3) & (crops[:, 2] < 0)).float()
        blue = ((crops[:, 2] > 0.3) & (crops[:, 0] < 0)).float()
        # The side with the higher number of the picture's left: mirrored crops swap the colours.
        turned = torch.arange(len(crops)) % 2 == 1
        right = torch.where(turned[:, None, None], blue, red)
        left = torch.where(turned[:, None, None], red, blue)
        small = [nn.functional.avg_pool2d(side[:, None], 4)[:, 0] for side in (right, left)]
        heatmaps = torch.zeros(len(crops), 16, 16, 16)
        heatmaps[:, INDEX["right_wrist"]] = 20 * small[0]
        heatmaps[:, INDEX["left_wrist"]] = 20 * small[1]
        presence = torch.full((len(crops), 16), 5.0)
        for i in range(len(crops)):
            presence[i, INDEX["right_elbow" if turned[i] else "left_elbow"]] = -5
        parts = torch.zeros(len(crops), 11, 64, 64)
        parts[:, 0] = 4 - 8 * (right + left)
        parts[:, 1 + PART_INDEX["right_forearm"]] = 8 * right
        parts[:, 1 + PART_INDEX["left_forearm"]] = 8 * left
        return RigPrediction(heatmaps, presence, parts)


@pytest.fixture
def network() -> ColourNet:
    return ColourNet()


def painted(size: tuple[int, int], colour: tuple[int, ...]) -> Image.Image:
    """A red square centred at (40, 60) and a blue one at (100, 80), on a colour."""
    picture = Image.new("RGBA", size, colour)
    draw = ImageDraw.Draw(picture)
    for (x, y), fill in (((40, 60), RED), ((100, 80), BLUE)):
        draw.rectangle((x - 8, y - 8, x + 7, y + 7), fill=fill)
    return picture


def pictures() -> Iterator[tuple[Image.Image, Image.Image | None]]:
    """The same figure as a sticker, with a mask, and with neither."""
    sticker = painted((160, 120), (0, 0, 0, 0))
    yield sticker, None
    opaque = painted((160, 120), (128, 128, 128, 255)).convert("RGB")
    yield opaque, sticker.getchannel("A")
    yield opaque, None


@pytest.mark.parametrize("number", range(3))
def test_joints_are_in_the_pixels_of_the_picture(network: ColourNet, number: int) -> None:
    picture, mask = list(pictures())[number]
    rig = find_rig(network, picture, mask)  # type: ignore[arg-type]
    assert rig.size == (160, 120)
    assert rig.joints[INDEX["right_wrist"]].tolist() == pytest.approx([40, 60], abs=3)
    # An opaque picture is looked at twice, first as a whole.
    assert len(network.crops) == (2 if mask is None and picture.mode == "RGB" else 1)
    assert all(bool((c[:, 4] == (number < 2)).all()) for c in network.crops)


@pytest.mark.parametrize("number", range(3))
def test_a_limb_without_an_elbow_has_no_wrist_and_its_parts_join_the_trunk(
    network: ColourNet, number: int
) -> None:
    picture, mask = list(pictures())[number]
    rig = find_rig(network, picture, mask)  # type: ignore[arg-type]
    present = {name: bool(rig.present[i]) for name, i in INDEX.items()}
    assert not present["left_elbow"] and not present["left_wrist"]
    assert sum(present.values()) == 14
    assert rig.confidence[INDEX["left_wrist"]] > 0.9
    assert rig.parts is not None and rig.parts.shape[0] == len(PARTS)
    assert not rig.parts[PART_INDEX["left_forearm"]].any()
    rows, columns = rig.parts.shape[1:]
    at = {
        name: rig.parts[:, round(y * rows / 120), round(x * columns / 160)]
        for name, (x, y) in {"right": (40, 60), "left": (100, 80), "outside": (70, 20)}.items()
    }
    assert at["right"].argmax() == PART_INDEX["right_forearm"] and at["right"].sum() > 0.9
    assert at["left"].argmax() == PART_INDEX["torso"] and at["left"].sum() > 0.9
    assert at["outside"].sum() < 0.05


def test_certainty_is_the_share_of_a_heatmap_near_its_joint(network: ColourNet) -> None:
    picture, _ = next(pictures())
    certainty = find_rig(network, picture).certainty  # type: ignore[arg-type]
    assert certainty is not None and certainty.shape == (16,)
    assert bool(((certainty >= 0) & (certainty <= 1)).all())
    assert certainty[INDEX["right_wrist"]] > 0.9
    # A joint whose heatmap is even may be anywhere.
    assert certainty[INDEX["neck"]] < 0.1


def test_every_joint_is_there_without_a_threshold(network: ColourNet) -> None:
    picture, _ = next(pictures())
    rig = find_rig(network, picture, limits=RigLimits(present=0.0))  # type: ignore[arg-type]
    assert bool(rig.present.all())


def test_a_translucent_sticker_counts_as_solid(network: ColourNet) -> None:
    picture, _ = next(pictures())
    picture.putalpha(picture.getchannel("A").point([0] + [100] * 255))
    find_rig(network, picture)  # type: ignore[arg-type]
    assert network.crops[0][:, 3].max() > 0.99


def test_a_picture_is_reduced_and_its_rig_enlarged(network: ColourNet) -> None:
    small, large = RigLimits(largest_picture=80), RigLimits()
    for picture, mask in pictures():
        reduced = find_rig(network, picture, mask, small)  # type: ignore[arg-type]
        exact = find_rig(network, picture, mask, large)  # type: ignore[arg-type]
        assert reduced.size == exact.size == (160, 120)
        wrist = INDEX["right_wrist"]
        assert (reduced.joints[wrist] - exact.joints[wrist]).abs().max() < 3


def test_an_empty_answer_takes_the_whole_picture() -> None:
    """Nothing is red or blue here, so no figure is found in the first look."""
    network = ColourNet()
    rig = find_rig(network, Image.new("RGB", (90, 30), "white"))  # type: ignore[arg-type]
    assert len(network.crops) == 2 and rig.size == (90, 30)


@pytest.mark.parametrize("size", [(16, 900), (900, 16), (2000, 1500)])
def test_pictures_of_any_shape(size: tuple[int, int]) -> None:
    network = RigNet(RigConfig(size=32, channels=(8, 16), heads=2)).eval()
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    rig = find_rig(network, Image.fromarray(pixels))
    assert rig.parts is not None and max(rig.parts.shape[1:]) <= 512
    assert rig.parts.isfinite().all() and rig.confidence.isfinite().all()
