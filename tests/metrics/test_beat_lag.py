from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

from musedance_core.metrics.beat_lag import beat_lag, energy_lag, shift_slope
from musedance_core.metrics.motion import motion_energy

FPS, FRAMES = 12, 48
Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]


@pytest.fixture
def energy(draw: Draw, swing: Swing) -> Callable[[float, float], np.ndarray]:
    """Energy of a square that rests every `period` seconds, first at `first`."""

    def of(period: float, first: float) -> np.ndarray:
        return motion_energy(draw(swing(np.arange(FRAMES) / FPS, period, first)))

    return of


@pytest.mark.parametrize("late", [-0.2, -0.07, 0.0, 0.03, 0.12, 0.2])
@pytest.mark.parametrize("period", [0.45, 0.5, 0.67])
def test_the_lag_behind_the_beats_is_in_seconds(
    energy: Callable[[float, float], np.ndarray], late: float, period: float
) -> None:
    found = beat_lag(energy(period, 0.3 + late), FPS, 0.3 + period * np.arange(-1, 12))
    assert found is not None and found.share > 0.8
    assert found.seconds == pytest.approx(late, abs=0.01)
    assert found.period == pytest.approx(period)


def test_motion_that_ignores_the_beat_has_no_share_in_it() -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (50, FRAMES - 1))
    found = [beat_lag(row, FPS, 0.5 * np.arange(10)) for row in noise]
    assert np.mean([one.share for one in found if one is not None]) < 0.1
    assert beat_lag(np.zeros(47), FPS, np.arange(5.0)) is None
    assert beat_lag(noise[0], FPS, np.arange(1.0)) is None


@pytest.mark.parametrize("late", [-2.0, -1.3, -0.5, 0.0, 0.25, 1.0, 1.7, 2.0])
def test_the_lag_between_two_dances_has_subframe_resolution(
    energy: Callable[[float, float], np.ndarray], late: float
) -> None:
    found = energy_lag(energy(0.55, 0.2 + late / FPS), energy(0.55, 0.2))
    assert found == pytest.approx(late, abs=0.15)


def test_static_video_has_no_lag_and_unequal_lengths_are_refused() -> None:
    rising = np.arange(20.0)
    assert energy_lag(np.zeros(20), rising) is None
    with pytest.raises(ValueError, match="20 and 19"):
        energy_lag(rising, rising[1:])
    with pytest.raises(ValueError, match="reach 3"):
        energy_lag(rising[:9], rising[:9])


def test_the_slope_says_how_far_the_dance_follows(
    energy: Callable[[float, float], np.ndarray],
) -> None:
    shifts = np.array([-2, -1, 1, 2])
    places = [(0.5, 0.1), (0.6, 0.3), (0.7, 0.2), (0.55, 0.0)]

    def lags(follow: float) -> np.ndarray:
        rows = [
            [energy_lag(energy(p, f + follow * k / FPS), energy(p, f)) or 0 for k in shifts]
            for p, f in places
        ]
        return np.array(rows)

    for follow in (0.0, 0.5, 1.0):
        found = shift_slope(lags(follow), shifts)
        assert found.slope == pytest.approx(follow, abs=0.08)
        assert found.interval is not None
        assert found.interval[0] <= found.slope <= found.interval[1]
    assert shift_slope(lags(1.0)[:1], shifts).interval is None


def test_a_slope_needs_shifts() -> None:
    with pytest.raises(ValueError, match="do not belong"):
        shift_slope(np.zeros((3, 2)), np.array([1, 2, 3]))
    with pytest.raises(ValueError, match="do not belong"):
        shift_slope(np.zeros((3, 1)), np.array([0]))
