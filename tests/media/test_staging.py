"""Pictures in their frames: sizes and shapes, room for stickers, and backgrounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from musedance_core.dance.rig import Rig
from musedance_core.errors import InputError
from musedance_core.media.colours import TRANSPARENT
from musedance_core.media.images import DARK, LIGHT
from musedance_core.media.staging import (
    RULES,
    Cutout,
    cut_out,
    require_rig_of,
    stage,
)


def busy(width: int, height: int) -> Image.Image:
    """An opaque picture with patches of any colour all over."""
    patches = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))
    return Image.fromarray((patches * 255).byte().numpy())


def sticker(width: int, height: int, box: tuple[int, int, int, int]) -> Image.Image:
    """A red box on a transparent ground."""
    picture = Image.new("RGBA", (width, height))
    ImageDraw.Draw(picture).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill="red")
    return picture


def silhouette(box: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def whole(cutout: Cutout) -> Rig:
    """A rig without joints: the figure dances in one piece."""
    h, w = cutout.pixels.shape[-2:]
    return Rig((w, h), torch.full((16, 2), torch.nan), torch.zeros(16))


def opaque(cutout: Cutout, background: object = None) -> Tensor:
    dancer = stage(cutout, whole(cutout), background)
    assert dancer.opaque
    return dancer.background[:3]


@pytest.mark.parametrize(
    ("size", "long_side", "frame"),
    [
        ((300, 400), None, (300, 400)),
        ((400, 300), None, (400, 300)),
        ((100, 50), None, (RULES.default_sizes[0], RULES.default_sizes[0] // 2)),
        ((1500, 3000), None, (RULES.default_sizes[1] // 2, RULES.default_sizes[1])),
        ((301, 401), None, (302, 402)),
        ((300, 400), 128, (96, 128)),
        ((30, 40), 512, (384, 512)),
        ((1000, 20), 64, (64, 2)),
    ],
)
def test_a_picture_keeps_its_shape_and_its_size_within_bounds(
    size: tuple[int, int], long_side: int | None, frame: tuple[int, int]
) -> None:
    cutout = cut_out(busy(*size), None, long_side)
    assert cutout.frame == frame and all(side % 2 == 0 for side in cutout.frame)
    assert cutout.pixels.shape == (4, frame[1], frame[0]) and cutout.corner == (0, 0)
    assert cutout.box == (0, 0, *size) and not cutout.sticker


def test_an_opaque_picture_fills_the_frame_with_its_own_pixels() -> None:
    picture = busy(300, 260)
    cutout = cut_out(picture, None, None)
    assert not cutout.known and (cutout.pixels[3] == 1).all()
    assert cutout.image.mode == "RGB" and cutout.image.tobytes() == picture.tobytes()


@pytest.mark.parametrize("box", [(0, 0, 300, 300), (10, 5, 290, 300), (100, 0, 200, 300)])
def test_a_sticker_without_room_gets_some(box: tuple[int, int, int, int]) -> None:
    cutout = cut_out(sticker(300, 300, box), None, None)
    h, w = cutout.pixels.shape[-2:]
    assert cutout.frame == (300, 300) and cutout.sticker and cutout.known and cutout.box == box
    assert max(w, h) == pytest.approx(RULES.figure_share * 300, abs=1)
    assert w / h == pytest.approx((box[2] - box[0]) / (box[3] - box[1]), abs=0.01)
    left, top = cutout.corner
    assert left == pytest.approx((300 - w) / 2, abs=1) and 0 < top < 300 - h
    assert (cutout.pixels[3, 2:-2, 2:-2] > 0.99).all() and (cutout.pixels[3] > 0.8).all()


def test_a_sticker_with_room_keeps_its_place_and_size() -> None:
    cutout = cut_out(sticker(300, 300, (30, 150, 130, 290)), None, None)
    assert cutout.corner == (30, 150) and cutout.pixels.shape == (4, 140, 100)


@pytest.mark.parametrize(
    ("size", "shape"), [((60, 400), RULES.least_width), ((400, 40), 1 / RULES.least_height)]
)
def test_the_frame_of_a_narrow_sticker_has_room_for_arms(
    size: tuple[int, int], shape: float
) -> None:
    cutout = cut_out(sticker(*size, (0, 0, *size)), None, None)
    assert cutout.frame[0] / cutout.frame[1] == pytest.approx(shape, abs=0.02)
    h, w = cutout.pixels.shape[-2:]
    assert w / h == pytest.approx(size[0] / size[1], rel=0.05)


def test_a_mask_marks_the_dancer_and_changes_no_colour() -> None:
    picture, mask = busy(200, 100), silhouette((50, 20, 90, 80), (200, 100))
    cutout = cut_out(picture, mask, 200)
    assert cutout.known and not cutout.sticker and cutout.image.mode == "RGBA"
    assert cutout.pixels[3].sum() == 40 * 60 and (cutout.pixels[3, 20:80, 50:90] == 1).all()
    plain = cut_out(picture, None, 200)
    assert torch.allclose(cutout.pixels[:3], plain.pixels[:3], atol=1e-3)


@pytest.mark.parametrize("size", [160, 320])
def test_a_mask_changes_no_colour_of_the_background_at_another_size(size: int) -> None:
    picture, mask = busy(200, 100), silhouette((50, 20, 90, 80), (200, 100))
    cutout, plain = cut_out(picture, mask, size), cut_out(picture, None, size)
    outside = cutout.pixels[3] == 0
    assert outside.float().mean() > 0.7
    assert torch.equal(cutout.pixels[:3, outside], plain.pixels[:3, outside])
    background = opaque(cutout)[:, :, -size // 8 :]
    assert torch.allclose(background, plain.pixels[:3, :, -size // 8 :], atol=1e-5)


def test_a_mask_of_a_sticker_leaves_the_part_that_both_show() -> None:
    picture = sticker(300, 300, (50, 100, 250, 200))
    cutout = cut_out(picture, silhouette((100, 0, 300, 300), (300, 300)), None)
    assert cutout.box == (100, 100, 250, 200)


@pytest.mark.parametrize("picture", [busy(300, 300), sticker(300, 300, (50, 50, 250, 250))])
def test_a_mask_that_leaves_nobody_to_see_is_one_sentence(picture: Image.Image) -> None:
    box = (100, 100, 100 + RULES.least_figure, 108)
    assert cut_out(picture, silhouette(box, picture.size), 300).known
    dot = silhouette((100, 100, 101, 101), picture.size)
    for size in (64, 300):
        with pytest.raises(InputError, match="The mask shows nobody who could dance"):
            cut_out(picture, dot, size)


def test_stickers_have_no_fringe_of_the_colours_under_transparency() -> None:
    picture = Image.new("RGBA", (400, 400), (0, 255, 0, 0))
    ImageDraw.Draw(picture).ellipse((100, 100, 300, 300), fill=(255, 0, 0, 255))
    cutout = cut_out(picture, None, 128)
    seen = cutout.pixels[3] > 0.05
    assert cutout.pixels[1][seen].max() < 0.02 and cutout.pixels[0][seen].min() > 0.98
    partly = (cutout.pixels[3] > 0.1) & (cutout.pixels[3] < 0.9)
    assert partly.any(), "its edge is soft"


@pytest.mark.parametrize(("colour", "expected"), [("red", LIGHT), ("ivory", DARK)])
def test_a_sticker_gets_a_plain_background_that_it_stands_out_from(
    colour: str, expected: tuple[int, int, int]
) -> None:
    picture = Image.new("RGBA", (256, 256))
    picture.paste(colour, (60, 60, 200, 200))
    background = opaque(cut_out(picture, None, None))
    assert torch.equal(
        background, (torch.tensor(expected) / 255)[:, None, None].expand(3, 256, 256)
    )


def test_a_transparent_background_is_empty_and_the_backdrop_is_not() -> None:
    for picture in (sticker(256, 256, (60, 60, 200, 200)), busy(256, 256)):
        cutout = cut_out(picture, silhouette((60, 60, 200, 200), (256, 256)), None)
        dancer = stage(cutout, whole(cutout), TRANSPARENT)
        assert not dancer.opaque and not dancer.background.any()
        rgba, _ = dancer.at_rest()
        assert 0.2 < rgba[3].mean() < 0.5 and rgba[3, 0].max() == 0
        square = dancer.in_square(64)
        assert square.opaque
        assert torch.allclose(square.background[:3, 0, 0], dancer.backdrop, atol=1e-5)


def test_a_colour_stands_behind_the_dancer() -> None:
    cutout = cut_out(busy(256, 128), silhouette((60, 20, 200, 120), (256, 128)), None)
    background = opaque(cutout, (255, 128, 0))
    assert background.shape == (3, 128, 256)
    assert torch.allclose(background[:, 5, 7], torch.tensor([1.0, 128 / 255, 0.0]))
    assert (background == background[:, :1, :1]).all()


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (600, 300)])
def test_a_picture_behind_the_dancer_is_cropped_and_never_squeezed(size: tuple[int, int]) -> None:
    behind = Image.new("RGB", size, "blue")
    (x, y), radius = (size[0] / 2, size[1] / 2), min(size) / 4
    ImageDraw.Draw(behind).ellipse((x - radius, y - radius, x + radius, y + radius), fill="white")
    background = opaque(cut_out(sticker(256, 192, (60, 60, 200, 150)), None, None), behind)
    assert background.shape == (3, 192, 256)
    disc = background[0] > 0.5
    width, height = disc.any(dim=0).sum(), disc.any(dim=1).sum()
    assert abs(int(width) - int(height)) <= 0.06 * int(width) and 0 < width < 256
    assert background[2].min() > 0.9, "it covers the frame"


def test_where_the_dancer_stood_the_background_goes_on() -> None:
    rows = torch.linspace(0, 1, 200)[:, None].expand(200, 256)
    sky = torch.stack([rows, 1 - rows, torch.full_like(rows, 0.5)])
    scene = (sky * 255).byte().permute(1, 2, 0).numpy()
    picture = Image.fromarray(scene)
    picture.paste("magenta", (100, 60, 150, 160))
    cutout = cut_out(picture, silhouette((100, 60, 150, 160), (256, 200)), None)
    background = opaque(cutout)
    assert torch.allclose(background[:, :, :80], cutout.pixels[:3, :, :80], atol=1e-6)
    filled = (background - sky)[:, 60:160, 100:150].abs()
    assert filled.max() < 0.2 and filled.mean() < 0.08


@pytest.mark.parametrize("masked", [True, False])
def test_a_smooth_background_is_known_behind_the_dancer(masked: bool) -> None:
    """Also where it is lightest or darkest there, which its surroundings do not show."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 200), torch.linspace(-1, 1, 256), indexing="ij")
    glow = torch.stack([0.8 - 0.4 * x**2, 0.6 - 0.3 * y**2, 0.3 + 0.2 * x * y])
    picture = Image.fromarray((glow * 255).round().byte().permute(1, 2, 0).numpy())
    box = (88, 50, 168, 180)
    picture.paste("magenta", box)
    background = opaque(cut_out(picture, silhouette(box, (256, 200)) if masked else None, None))
    assert (background - glow).abs().max() < 0.01


def test_in_a_picture_without_a_known_dancer_the_rig_s_parts_mark_it() -> None:
    picture = busy(256, 256).convert("RGB")
    picture.paste("yellow", (96, 64, 160, 224))
    cutout = cut_out(picture, None, None)
    assert not cutout.known
    weights = torch.zeros(10, 64, 64)
    weights[0, 16:56, 24:40] = 1
    dancer = stage(cutout, replace(whole(cutout), parts=weights))
    alpha = dancer.figure.layers[:, 3].sum(dim=0)
    assert alpha[100:200, 110:150].min() > 0.9
    assert alpha[:, :60].max() < 0.1 and alpha[:, 200:].max() < 0.1
    assert torch.allclose(dancer.background[:3, :, :40], cutout.pixels[:3, :, :40], atol=1e-6)


def test_rigs_and_part_weights_are_placed_with_the_part_that_they_belong_to() -> None:
    picture = sticker(400, 200, (200, 50, 300, 150))
    cutout = cut_out(picture, None, 200)
    joints = torch.full((16, 2), torch.nan)
    joints[0] = torch.tensor([250.0, 100.0])
    placed = cutout.place_rig(Rig((400, 200), joints, torch.ones(16)))
    h, w = cutout.pixels.shape[-2:]
    assert placed.size == (w, h) and placed.joints[0].tolist() == [w / 2, h / 2]
    assert placed.present.sum() == 1

    weights = torch.zeros(10, 20, 40)
    weights[3, 5:15, 20:30] = 1
    assert torch.equal(cutout.place_weights(weights, picture.size), weights[:, 5:15, 20:30])


def test_a_rig_with_all_joints_outside_of_its_picture_is_one_sentence() -> None:
    picture = busy(200, 100)
    joints = torch.full((16, 2), torch.nan)
    require_rig_of(Rig((400, 200), joints, torch.ones(16)), picture)
    joints[3] = torch.tensor([500.0, 100.0])
    with pytest.raises(InputError, match=r"No joint of the rig is inside of .* 400 x 200 pixels"):
        require_rig_of(Rig((400, 200), joints, torch.ones(16)), picture)
    joints[4] = torch.tensor([300.0, 100.0])
    require_rig_of(Rig((400, 200), joints, torch.ones(16)), picture)
    with pytest.raises(InputError, match="picture of 0 x 0 pixels"):
        require_rig_of(Rig((0, 0), joints, torch.ones(16)), picture)


def test_a_sticker_at_rest_is_shown_at_its_corner() -> None:
    picture = sticker(256, 256, (40, 100, 120, 220))
    cutout = cut_out(picture, None, None)
    dancer = stage(cutout, whole(cutout))
    rgba, parts = dancer.at_rest()
    assert rgba.shape == (4, 256, 256) and (rgba[3] == 1).all()
    inside = torch.zeros(256, 256, dtype=torch.bool)
    inside[102:218, 42:118] = True
    assert (rgba[0][inside] > 0.98).all() and (rgba[1][inside] < 0.02).all()
    assert (parts[inside] > 0).all() and not parts[:, :30].any()
