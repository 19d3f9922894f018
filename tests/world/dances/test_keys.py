"""The language of key poses, and the phrases that it describes."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.world.dances.keys import (
    ARM_POSES,
    CHANNEL,
    CHANNELS,
    STANCE,
    arm_keys,
    body_keys,
    filled,
    foot_keys,
    mirrored,
    repeated,
)


def test_arms_are_angles_and_lengths_of_both_or_of_each() -> None:
    both = arm_keys("90/180*.5")
    assert both.shape == (2, 8) and np.isnan(both[1]).all()
    assert np.allclose(both[0], [np.pi / 2, 1, np.pi, 0.5] * 2)
    each = arm_keys("0/0 90/90 | hips down")
    assert each[0, 0] == 0 and each[0, 4] == pytest.approx(np.pi / 2)
    assert np.allclose(each[2], arm_keys(f"{ARM_POSES['hips']} {ARM_POSES['down']}")[0])


@pytest.mark.parametrize("place", [(0.12, 0.62), (0.3, 0.9), (-0.05, 0.75), (0.115, 1.1)])
def test_an_arm_reaches_the_place_of_its_hand(place: tuple[float, float]) -> None:
    (upper, _, fore, _) = arm_keys(f"down @{place[0]}:{place[1]}")[0, 4:]
    x = 0.115 + 0.171 * np.sin(upper) + 0.155 * np.sin(fore)
    y = 0.80 - 0.171 * np.cos(upper) - 0.155 * np.cos(fore)
    assert (x, y) == pytest.approx(place, abs=2e-3)


def test_feet_have_places_heights_fronts_and_knees_in_any_order() -> None:
    keys = foot_keys("= .1^.2~.05k.9, = .1k0~-.1 | -.2 .2")
    assert keys.shape == (4, 8)
    assert np.allclose(keys[0], [-STANCE, 0, 0, 0.4, 0.1, 0.2, 0.05, 0.9])
    assert np.allclose(keys[1, 4:], [0.1, 0, -0.1, 0])
    assert np.allclose(keys[2, [0, 4]], [-0.2, 0.2])


def test_fields_of_the_body_of_different_lengths_go_together() -> None:
    keys = body_keys({"lean": "90 | 0 | 0 | 0", "x": ".1, .3 | -.1"})
    assert keys.shape == (8, 9)
    assert keys[0, CHANNEL["lean"]] == pytest.approx(np.pi / 2)
    assert np.allclose(keys[[0, 1, 2, 4, 5], CHANNEL["x"]], [0.1, 0.3, -0.1, 0.1, 0.3])


def test_missing_keys_lie_between_their_neighbours_around_the_phrase() -> None:
    keys = np.array([[0.0], [np.nan], [4.0], [np.nan]])
    assert filled(keys)[:, 0].tolist() == [0, 2, 4, 2]


def test_mirroring_changes_sides_and_twice_changes_nothing() -> None:
    keys = np.arange(len(CHANNELS), dtype=float)[None]
    other = mirrored(keys)[0]
    assert other[CHANNEL["left_upper"]] == CHANNEL["right_upper"]
    assert other[CHANNEL["left_foot_x"]] == -CHANNEL["right_foot_x"]
    assert other[CHANNEL["lean"]] == -CHANNEL["lean"] and other[CHANNEL["drop"]] == CHANNEL["drop"]
    assert np.array_equal(mirrored(mirrored(keys)), keys)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="no field 'arms'"):
        body_keys({"arms": "1"})
    with pytest.raises(ValueError, match="upper/fore"):
        arm_keys("90/90/90")
    with pytest.raises(ValueError, match="two keys"):
        body_keys({"x": "0, 1, 2"})
    with pytest.raises(ValueError, match="3 beats do not fit into 4"):
        repeated(np.zeros((6, 1)), 8)
