"""Shadows under figures."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.dance.skeleton import PART_INDEX
from musedance_core.world import rig_samples
from musedance_core.world.ground_shadows import add_ground_shadow
from musedance_core.world.rig_samples import SampleSettings, rig_sample

SIZE = 96
SHIN, TRUNK = 1 + PART_INDEX["left_shin"], 1 + PART_INDEX["torso"]


def _figure(bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """A red figure from row 10 to `bottom`, which ends in shins."""
    parts = np.zeros((SIZE, SIZE), np.uint8)
    parts[10:bottom, 36:60] = TRUNK
    parts[bottom - 20 : bottom, 36:60] = SHIN
    picture = np.zeros((SIZE, SIZE, 4), np.float32)
    picture[parts > 0] = (0.8, 0.1, 0.1, 1.0)
    return picture, parts


@pytest.mark.parametrize("seed", range(20))
def test_a_shadow_is_the_trunks_and_lies_behind_the_figure(seed: int) -> None:
    picture, parts = _figure(70)
    shaded, labels = add_ground_shadow(picture, parts, np.random.default_rng(seed))
    figure = parts > 0
    assert (labels[figure] == parts[figure]).all()
    np.testing.assert_allclose(shaded[figure], picture[figure], atol=1e-6)
    shadow = (shaded[..., 3] > 0) & ~figure
    assert shadow.any()
    assert np.flatnonzero(shadow.any(axis=1)).min() > 50
    assert set(np.unique(labels[shadow])) <= {0, TRUNK}
    assert ((labels > 0) == (shaded[..., 3] >= 0.5)).all()
    assert (shaded >= 0).all() and (shaded <= 1).all()


def test_there_is_no_shadow_without_room_or_without_a_figure() -> None:
    for bottom in (10, SIZE):
        picture, parts = _figure(bottom)
        if bottom == 10:
            picture[:], parts[:] = 0, 0
        for seed in range(5):
            shaded, labels = add_ground_shadow(picture, parts, np.random.default_rng(seed))
            assert (shaded == picture).all() and (labels == parts).all()


def test_shadows_change_nothing_else_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def sample(share: float) -> rig_samples.RigSample:
        monkeypatch.setattr(rig_samples, "SETTINGS", SampleSettings(ground_shadow=share))
        return rig_sample(np.random.default_rng(3), SIZE, opaque=False)

    plain, shaded = sample(0.0), sample(1.0)
    assert plain.joints.nan_to_num(-1).equal(shaded.joints.nan_to_num(-1))
    figure = plain.part_map > 0
    assert plain.part_map[figure].equal(shaded.part_map[figure])
    assert set(shaded.part_map[~figure].unique().tolist()) <= {0, TRUNK}
