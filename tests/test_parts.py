"""Part maps: their palette, and pictures that are none."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.errors import InputError
from musedance_core.parts import palette, part_ids, require_part_colours


def as_tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255


@pytest.fixture
def part_map() -> Image.Image:
    """All parts in columns on the background."""
    ids = torch.zeros(96, 96, dtype=torch.long)
    ids[8:88, :78] = torch.arange(26).repeat_interleave(3)
    colours = (palette()[ids] * 255).round().byte().numpy()
    return Image.fromarray(colours).resize((384, 384), Image.Resampling.NEAREST)


def test_ids_come_back_from_their_colours() -> None:
    ids = torch.arange(26)[None].expand(4, -1)
    assert torch.equal(part_ids(palette()[ids].movedim(-1, 0)), ids)


def test_a_compressed_and_resized_map_is_still_one(part_map: Image.Image) -> None:
    data = io.BytesIO()
    part_map.resize((200, 200), Image.Resampling.BILINEAR).save(data, "JPEG", quality=60)
    require_part_colours(as_tensor(Image.open(data)), "The map")


def test_a_picture_in_other_colours_is_refused(part_map: Image.Image) -> None:
    down, right = torch.meshgrid(*[torch.linspace(0, 1, 64)] * 2, indexing="ij")
    skin = torch.stack([0.4 + 0.4 * down, 0.3 + 0.3 * right, 0.35 * down])
    grey = as_tensor(part_map.convert("L").convert("RGB")) * 0.6 + 0.2
    for other in (skin, grey):
        with pytest.raises(InputError, match=r"The map has other colours .* in \d+% of its pixels"):
            require_part_colours(other, "The map")
