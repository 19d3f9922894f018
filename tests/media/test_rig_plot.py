"""Rig plots: bones over the picture, parts as a tint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import INDEX
from musedance_core.media.rig_plot import LEFT, MIDDLE, RIGHT, draw_rig_plot, write_rig_plot


def arms(parts: torch.Tensor | None = None) -> Rig:
    """Both upper arms, the right one at the picture's left."""
    joints = torch.full((16, 2), torch.nan)
    places = {
        "chest": (50, 20),
        "right_shoulder": (40, 20),
        "right_elbow": (10, 40),
        "left_shoulder": (60, 20),
        "left_elbow": (90, 40),
    }
    for name, place in places.items():
        joints[INDEX[name]] = torch.tensor([float(v) for v in place])
    return Rig((100, 50), joints, torch.ones(16), parts)


def colours_of(plot: Image.Image, box: tuple[int, int, int, int]) -> set[tuple[int, ...]]:
    return set(map(tuple, np.asarray(plot.crop(box)).reshape(-1, 3).tolist()))


def test_bones_have_the_colour_of_their_side(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    write_rig_plot(tmp_path / "rig.png", picture, arms())
    with Image.open(tmp_path / "rig.png") as plot:
        assert plot.format == "PNG" and plot.width == 512
        right = colours_of(plot, (20, 80, 200, 230))
        left = colours_of(plot, (312, 80, 492, 230))
    assert RIGHT in right and LEFT not in right
    assert LEFT in left and RIGHT not in left
    plot = draw_rig_plot(picture, arms())
    assert not colours_of(plot, (0, 0, 512, 60)) & {RIGHT, LEFT}
    assert MIDDLE in colours_of(plot, (200, 60, 312, 140))


def test_the_caption_fits_below_narrow_pictures() -> None:
    """Its letters end before the border, and below the picture."""
    for width in (100, 200, 512):
        rig = Rig(
            (width, 512), torch.full((16, 2), torch.nan), torch.zeros(16), torch.zeros(10, 2, 2)
        )
        plot = draw_rig_plot(Image.new("RGB", (width, 512), "black"), rig)
        text = np.asarray(plot)[512:].min(axis=-1) < 128
        assert text.any() and not text[:, -3:].any() and not text[-3:].any()


def test_parts_tint_the_figure_alone() -> None:
    parts = torch.zeros(10, 5, 10)
    parts[0, :, 5:] = 1
    picture = Image.new("RGB", (100, 50), (200, 200, 200))
    empty = Rig((100, 50), torch.full((16, 2), torch.nan), torch.zeros(16), parts)
    plot = draw_rig_plot(picture, empty)
    assert colours_of(plot, (0, 0, 200, 200)) == {(200, 200, 200)}
    assert (200, 200, 200) not in colours_of(plot, (320, 0, 512, 200))
