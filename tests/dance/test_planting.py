"""Standing feet stay where they are."""

from __future__ import annotations

import torch
from torch import Tensor

from musedance_core.dance.motion import FEATURES, standing
from musedance_core.dance.planting import plant_feet
from musedance_core.dance.skeleton import INDEX
from musedance_core.dance.stick import feature_index, stick_joints

X, LIFT = feature_index("x"), feature_index("lift")


def _shifted(speed: float) -> Tensor:
    """A person who stands and is shifted sideways by `speed` body heights a pose, `[1 49 27]`."""
    features = standing(49, 24.0).features()[None].clone()
    features[..., X] = speed * torch.arange(49)
    return features


def _way(features: Tensor) -> float:
    """Way of the right ankle, in body heights."""
    ankle = stick_joints(features)[0, :, INDEX["right_ankle"], 0]
    return float(ankle.diff().abs().sum())


def test_feet_that_drift_stand() -> None:
    assert _way(plant_feet(_shifted(0.002))) < 0.6 * _way(_shifted(0.002))
    assert _way(plant_feet(_shifted(0.002))[:, :13]) < 0.3 * _way(_shifted(0.002)[:, :13])


def test_feet_that_glide_or_fly_go_on() -> None:
    gliding = _shifted(0.02)
    torch.testing.assert_close(plant_feet(gliding), gliding)
    flying = _shifted(0.002)
    flying[..., LIFT] = 0.2
    torch.testing.assert_close(plant_feet(flying), flying)


def test_nothing_but_the_place_changes_and_the_first_pose_stays() -> None:
    generator = torch.Generator().manual_seed(0)
    features = 0.02 * torch.randn(2, 48, FEATURES, generator=generator).cumsum(dim=1)
    planted = plant_feet(features)
    torch.testing.assert_close(planted[:, 0], features[:, 0])
    others = [k for k in range(FEATURES) if k != X]
    torch.testing.assert_close(planted[..., others], features[..., others])
    assert (planted[..., X] - features[..., X]).abs().max() < 0.3
