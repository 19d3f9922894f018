"""Shapes of puppets: what is filled, outlined, clipped and left away."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.world.drawing import Sketch, Tile, box, capsule, rasterise, smooth

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIDE = 100


def drawn(sketch: Sketch, outline: float = 0.0) -> Tile:
    places = [shape.points * SIDE for shape in sketch.shapes]
    line = (outline, BLUE) if outline else None
    tile = rasterise(sketch.shapes, places, SIDE, line, (SIDE, SIDE))
    assert tile is not None
    return tile


def count(tile: Tile, colour: tuple[int, int, int]) -> int:
    return int(((tile.colour == colour).all(-1) & tile.mask).sum())


def test_shapes_of_one_group_share_an_outline() -> None:
    together, apart = Sketch(), Sketch()
    halves = [box(0.4, 0.5, 0.1, 0.1), box(0.6, 0.5, 0.1, 0.1)]
    together.outlined(halves, RED)
    for half in halves:
        apart.outlined(half, RED)
    assert 0 < count(drawn(together, 2), BLUE) < count(drawn(apart, 2), BLUE)
    assert count(drawn(together), BLUE) == 0


def test_clipped_shapes_stay_inside_and_off_what_is_behind() -> None:
    sketch = Sketch()
    sketch.behind = True
    sketch.outlined(box(0.5, 0.8, 0.3, 0.1), GREEN)
    sketch.behind = False
    sketch.outlined(box(0.5, 0.5, 0.1, 0.1), RED)
    without = drawn(sketch)
    sketch.plain(box(0.5, 0.7, 0.3, 0.15), BLUE, clipped=True)
    tile = drawn(sketch)
    assert (tile.mask == without.mask).all()
    assert count(tile, GREEN) == count(without, GREEN)
    assert 0 < count(tile, BLUE) < count(without, RED)


def test_a_figure_goes_on_where_nothing_is_drawn() -> None:
    sketch = Sketch()
    sketch.outlined(box(0.5, 0.5, 0.1, 0.2), RED)
    sketch.ghost(box(0.5, 0.62, 0.1, 0.2))
    tile = drawn(sketch)
    assert tile.whole.sum() > tile.mask.sum() == count(tile, RED)


def test_shapes_outside_the_canvas_give_nothing() -> None:
    sketch = Sketch()
    sketch.outlined(box(3.0, 3.0, 0.1, 0.1), RED)
    places = [shape.points * SIDE for shape in sketch.shapes]
    assert rasterise(sketch.shapes, places, SIDE, None, (SIDE, SIDE)) is None


@pytest.mark.parametrize("widths", [(0.05, 0.05), (0.08, 0.02)])
def test_capsules_are_as_wide_as_their_ends(widths: tuple[float, float]) -> None:
    points = capsule(np.array([0.2, 0.5]), np.array([0.8, 0.5]), *widths)
    assert points[:, 0].min() == pytest.approx(0.2 - widths[0])
    assert points[:, 0].max() == pytest.approx(0.8 + widths[1])
    assert np.ptp(points[:, 1]) == pytest.approx(2 * max(widths), rel=0.05)


def test_smooth_curves_pass_through_their_points() -> None:
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    curve = smooth(corners, steps=6)
    assert all(np.abs(curve - corner).sum(-1).min() < 1e-9 for corner in corners)
