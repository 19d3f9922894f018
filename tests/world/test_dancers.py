"""Dancers: the split of the glyphs, puppets of parts, and rendering."""

from __future__ import annotations

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch
from musedance_core.world.choreography import Pose
from musedance_core.world.moves import FIELDS, SCALES
from musedance_core.world.old_puppets import random_puppet
from musedance_core.world.render import Rendered, render
from torch import Tensor

from musedance_core.errors import InputError
from musedance_core.world.backgrounds import random_background
from musedance_core.world.make_glyphs import candidate_glyphs, split_glyphs
from musedance_core.world.stickers import (
    GLYPH_FILE,
    Glyphs,
    Subject,
    augment,
    draw_glyph,
    find_font,
)

SIZE = 64
CENTRED = torch.tensor([[0.5, 0.5, 0.5]])


def block(colour: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> Subject:
    """A square dancer that fills its whole layer."""
    layer = torch.ones(1, 4, 32, 32)
    layer[0, :3] = torch.tensor(colour)[:, None, None]
    return Subject(layer, (25,), (None,), ((0.0, 0.0),))


def pose(**fields: float) -> Pose:
    values = [fields.get(name, 1.0 if name in SCALES else 0.0) for name in FIELDS]
    return Pose.from_stacked(torch.tensor(values)[None, None])


def drawn(subject: Subject, places: Tensor = CENTRED, **fields: float) -> Rendered:
    return render([subject], torch.zeros(1, 3, SIZE, SIZE), pose(**fields), places)


def middle(picture: Tensor) -> tuple[float, float]:
    """Centre of the non-black pixels of `[3 h w]`, (x, y) in pixels."""
    weight = picture.sum(0).double()
    axis = torch.arange(SIZE) + 0.5
    x = (weight.sum(0) * axis).sum() / weight.sum()
    y = (weight.sum(1) * axis).sum() / weight.sum()
    return x.item(), y.item()


def test_every_glyph_belongs_to_one_split() -> None:
    splits = json.loads(GLYPH_FILE.read_text(encoding="utf-8"))
    together = [glyph for split in splits.values() for glyph in split]
    assert len(together) == len(set(together)) > 1000
    shares = [len(splits[name]) / len(together) for name in ("train", "validation", "test")]
    assert np.allclose(shares, [0.8, 0.08, 0.12], atol=0.005)


def test_the_font_draws_every_glyph_and_splitting_them_again_gives_the_file() -> None:
    glyphs = candidate_glyphs(find_font())
    splits = json.loads(GLYPH_FILE.read_text(encoding="utf-8"))
    assert set().union(*splits.values()) <= set(glyphs)
    if len(glyphs) > sum(map(len, splits.values())):
        pytest.skip("this font is newer than the split and has more glyphs")
    assert split_glyphs(glyphs) == splits


def test_a_missing_font_names_the_package() -> None:
    with pytest.raises(InputError, match=r"fonts-noto-color-emoji.*") as error:
        find_font("/nowhere/emoji.ttf")
    assert "/nowhere/emoji.ttf" in str(error.value)


def test_glyphs_touch_the_bottom_of_their_layer() -> None:
    glyphs = Glyphs("test", SIZE)
    for index in range(0, len(glyphs), 29):
        alpha = glyphs.subject(index).layers[0, 3]
        assert alpha.shape == (SIZE, SIZE) and alpha[-1].max() > 0.2
        assert alpha.mean() > 0.1
    with pytest.raises(ValueError, match="holiday"):
        Glyphs("holiday", SIZE)


def test_looks_vary_and_the_shape_stays() -> None:
    puppet = random_puppet(np.random.default_rng(3), SIZE)
    looks = [augment(puppet, np.random.default_rng(seed)) for seed in range(6)]
    assert all(torch.equal(look.layers[:, 3], puppet.layers[:, 3]) for look in looks)
    assert all(look.pivots == puppet.pivots and look.drives == puppet.drives for look in looks)
    colours = {round(look.layers[:, :3].mean().item(), 4) for look in looks}
    assert len(colours) == 6


def test_puppets_have_densepose_parts_and_turn_at_their_joints() -> None:
    kinds = set()
    for seed in range(12):
        puppet = random_puppet(np.random.default_rng(seed), SIZE)
        assert puppet.layers.shape == (6, 4, SIZE, SIZE)
        assert all(0 < part <= 25 for part in puppet.part_ids)
        assert {d for d in puppet.drives if d} <= set(FIELDS)
        kinds.add(round(puppet.layers.mean().item(), 5))
    assert len(kinds) == 12


def test_same_seed_same_puppet_and_background() -> None:
    for make in (
        lambda rng: random_puppet(rng, SIZE).layers,
        lambda rng: random_background(rng, SIZE),
    ):
        one, two, other = (make(np.random.default_rng(s)) for s in (1, 1, 2))
        assert torch.equal(one, two) and not torch.equal(one, other)
        assert one.min() >= 0 and one.max() <= 1


def test_a_dancer_at_rest_stands_at_its_place() -> None:
    frames = drawn(block()).frames[0, 0]
    assert middle(frames) == pytest.approx((32, 32), abs=0.1)
    assert (frames[0] > 0.5).sum() == pytest.approx(32 * 32, rel=0.05)
    right = drawn(block(), torch.tensor([[0.75, 0.4, 0.25]])).frames[0, 0]
    assert middle(right) == pytest.approx((48, 25.6), abs=0.2)


def test_transparent_pixels_show_the_background() -> None:
    clear = Subject(torch.zeros(1, 4, 8, 8), (25,), (None,), ((0.0, 0.0),))
    background = torch.rand(1, 3, SIZE, SIZE)
    out = render([clear], background, pose(), CENTRED)
    assert torch.allclose(out.frames[0, 0], background[0]) and (out.part_map == 0).all()


@pytest.mark.parametrize(
    ("fields", "moved"),
    [
        ({"x": 0.25}, (8, 0)),
        ({"y": -0.25}, (0, -8)),
        ({"scale_y": 0.5}, (0, 8)),
        ({"lean": 0.25}, (4, 0)),
        ({"angle": pi / 2}, (0, 0)),
    ],
)
def test_positions_are_where_the_pixels_are(
    fields: dict[str, float], moved: tuple[float, float]
) -> None:
    out = drawn(block(), **fields)
    seen = middle(out.frames[0, 0])
    assert seen == pytest.approx((32 + moved[0], 32 + moved[1]), abs=0.4)
    assert out.positions[0, 0, 0].tolist() == pytest.approx(seen, abs=0.4)


def test_angles_turn_clockwise_as_seen() -> None:
    layer = block().layers.clone()
    layer[0, :3, 16:] = 0.0
    subject = Subject(layer, (25,), (None,), ((0.0, 0.0),))
    assert middle(drawn(subject).frames[0, 0])[1] < 30
    assert middle(drawn(subject, angle=pi / 2).frames[0, 0])[0] > 34


def test_the_map_names_the_topmost_part() -> None:
    puppet = random_puppet(np.random.default_rng(0), SIZE)
    out = render([puppet], torch.zeros(1, 3, SIZE, SIZE), pose(arm_left=1.2), CENTRED)
    present = set(out.part_map.unique().tolist())
    assert 0 in present and present - {0} <= set(puppet.part_ids) and len(present) >= 6


def test_an_arm_moves_without_the_rest() -> None:
    puppet = random_puppet(np.random.default_rng(0), SIZE)
    background = torch.zeros(1, 3, SIZE, SIZE)
    still, raised = (
        render([puppet], background, pose(arm_left=angle), CENTRED) for angle in (0.0, 1.5)
    )
    change = (still.positions - raised.positions)[0, 0].norm(dim=-1)
    arm = puppet.drives.index("arm_left")
    assert change[arm] > 2
    assert all(change[i] < 1e-4 for i in range(len(change)) if i != arm)


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.ttf"
    path.write_text("no font")
    with pytest.raises(InputError, match=r"words\.ttf cannot be used as Noto Color Emoji"):
        draw_glyph("x", str(path))
