"""Dancers of the world: emoji, puppets, their styles, backgrounds and places in a picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.dance.posing import at_rest
from musedance_core.dance.skeleton import PART_INDEX, PARTS
from musedance_core.dance.skinning import render
from musedance_core.errors import InputError
from musedance_core.world.backgrounds import KINDS, random_background
from musedance_core.world.cast import Appearance, Cast
from musedance_core.world.make_glyphs import candidate_glyphs, split_glyphs
from musedance_core.world.puppets import design_puppet, random_puppet
from musedance_core.world.stickers import GLYPH_FILE, Glyphs, augment, draw_glyph, find_font
from musedance_core.world.styles import HELD_OUT_FINISHES, HELD_OUT_PATTERNS

SIZE = 64


def alone(appearance: Appearance) -> Tensor:
    """The dancer at rest at its place, without the background: RGBA `[4 s s]`."""
    posed = at_rest(appearance.figure.body)
    return render(appearance.figure, posed, appearance.canvas).rgba[0]


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
        alpha = glyphs.figure(index).layers[PART_INDEX["torso"], 3]
        assert alpha.shape == (SIZE, SIZE) and alpha[-1].max() > 0.2
        assert alpha.mean() > 0.1
    with pytest.raises(ValueError, match="holiday"):
        Glyphs("holiday", SIZE)


def test_colours_vary_and_the_shape_stays() -> None:
    puppet = random_puppet(np.random.default_rng(3), SIZE)
    varied = [augment(puppet, np.random.default_rng(seed)) for seed in range(6)]
    assert all(torch.equal(v.layers[:, 3], puppet.layers[:, 3]) for v in varied)
    assert all(v.body == puppet.body and v.order == puppet.order for v in varied)
    assert len({round(v.layers[:, :3].mean().item(), 4) for v in varied}) == 6


def test_same_seed_same_puppet_and_background() -> None:
    for make in (
        lambda rng: random_puppet(rng, SIZE).layers,
        lambda rng: random_background(rng, SIZE),
    ):
        one, two, other = (make(np.random.default_rng(s)) for s in (1, 1, 2))
        assert torch.equal(one, two) and not torch.equal(one, other)
        assert one.min() >= 0 and one.max() <= 1


def test_a_larger_puppet_is_the_same_puppet() -> None:
    for seed in range(4):
        small, large = (random_puppet(np.random.default_rng(seed), size) for size in (64, 192))
        shrunk = torch.nn.functional.avg_pool2d(large.layers, 3)
        assert (shrunk - small.layers).abs().mean() < 0.01
        assert torch.allclose(large.body.joints / 3, small.body.joints, atol=0.01)


@pytest.mark.parametrize("kind", list(KINDS))
def test_backgrounds_fill_the_square_at_any_size(kind: str) -> None:
    for size in (24, 65):
        picture = np.asarray(KINDS[kind](np.random.default_rng(5), size))
        assert picture.shape == (size, size, 3) and np.isfinite(picture).all()


def test_only_the_test_split_has_held_out_styles() -> None:
    seen = {}
    for split in ("train", "validation", "test"):
        styles = [design_puppet(np.random.default_rng(i), split).style for i in range(40)]
        patterns = {texture.pattern for style in styles for texture in style.textures}
        finishes = {style.finish for style in styles}
        seen[split] = patterns & set(HELD_OUT_PATTERNS), finishes & set(HELD_OUT_FINISHES)
    assert seen["train"] == seen["validation"] == (set(), set())
    assert all(seen["test"])


def test_a_dancer_stands_at_its_place() -> None:
    cast = Cast("validation", 128, {"puppet": 1.0})
    for seed in range(8):
        appearance = cast.appearance(np.random.default_rng(seed))
        _x, ground, height = appearance.place
        alpha = alone(appearance)[3]
        trunk = torch.nonzero(alpha.amax(dim=1) > 0.5)[:, 0]
        assert (trunk.max() + 1) / 128 == pytest.approx(ground, abs=0.05)
        assert (trunk.max() + 1 - trunk.min()) / 128 >= height - 0.05


def test_a_bystander_stands_at_the_other_side() -> None:
    cast = Cast("train", SIZE, {"emoji": 1.0}, flat=True)
    rng = np.random.default_rng(2)
    plain = cast.appearance(rng)
    pair = cast.with_bystander(plain, rng)
    changed = (pair.background - plain.background).abs().amax(dim=0) > 0.02
    middle = torch.nonzero(changed)[:, 1].float().mean() / SIZE
    assert (middle - 0.5) * (pair.place[0] - 0.5) < 0
    assert pair.figure is plain.figure


def test_unknown_mixtures_are_refused() -> None:
    with pytest.raises(ValueError, match="mixture must weigh emoji and puppet"):
        Cast("train", SIZE, {"robots": 1.0})


def test_emoji_are_in_one_piece() -> None:
    figure = Glyphs("test", SIZE).figure(0)
    assert not figure.body.present.any()
    used = figure.layers[:, 3].amax(dim=(1, 2)) > 0
    assert used.nonzero()[:, 0].tolist() == [PART_INDEX["torso"]] and len(used) == len(PARTS)


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.ttf"
    path.write_text("no font")
    with pytest.raises(InputError, match=r"words\.ttf cannot be used as Noto Color Emoji"):
        draw_glyph("x", str(path))
