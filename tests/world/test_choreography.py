from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from musedance_core.world.choreography import (
    LOWEST_AMPLITUDE,
    MOVES,
    SIDES,
    SIZES,
    Dance,
    Pose,
    blend,
    body_points,
    ease,
    ease_between_beats,
    perform,
    random_dance,
    stack_poses,
)
from musedance_core.world.moves import FIELDS

STEPS = 64  # samples per beat
COUNT = np.arange(-2 * STEPS, 4 * STEPS) / STEPS
MIRRORED_FIELDS = ("x", "angle", "lean", "bend", "head")


def pose_speed(pose: Pose) -> np.ndarray:
    """Speed of the body's corners and middle, in subject heights per sample."""
    return np.linalg.norm(np.diff(points(pose), axis=0), axis=-1).mean(axis=1)


def points(pose: Pose) -> np.ndarray:
    return np.asarray(body_points(pose).numpy())


def all_dances() -> list[Dance]:
    return [Dance(m, side, size) for m in MOVES for side in SIDES for size in SIZES]


@pytest.mark.parametrize("smoothness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dance", all_dances(), ids=str)
def test_one_speed_minimum_per_beat_and_it_lies_on_the_beat(
    dance: Dance, smoothness: float
) -> None:
    speed = pose_speed(perform(dance, COUNT, 0.7, smoothness))
    inner = speed[1:-1]
    minima = 1 + np.flatnonzero((inner < speed[:-2]) & (inner <= speed[2:]))
    # the difference of samples i and i+1 belongs to the time between them
    times = COUNT[minima] + 0.5 / STEPS
    assert len(times) == 5
    assert np.abs(times - np.round(times)).max() <= 1.01 / STEPS
    assert np.abs(np.diff(np.round(times)) - 1).max() == 0


@pytest.mark.parametrize("move", MOVES)
def test_changing_energy_keeps_the_minimum_on_the_beat(move: str) -> None:
    beats = np.floor(COUNT).astype(int)
    level = np.array([0.2, 1.0, 0.1, 0.8, 0.6, 0.0, 1.0])
    energy = ease_between_beats(level[beats + 2], level[beats + 3], COUNT, 0.5)
    speed = pose_speed(perform(Dance(move, "left", "big"), COUNT, energy, 0.5))
    on_beat = speed[np.arange(STEPS, len(speed), STEPS)]
    halfway = speed[np.arange(STEPS // 2, len(speed), STEPS)]
    assert on_beat.max() < 0.1 * halfway.min()


@pytest.mark.parametrize("move", MOVES)
def test_pose_depends_on_frames_one_by_one(move: str) -> None:
    dance = Dance(move, "right", "medium")
    whole = perform(dance, COUNT, 0.5, 0.3).stacked()
    single = [perform(dance, COUNT[i : i + 1], 0.5, 0.3).stacked() for i in range(len(COUNT))]
    assert torch.equal(whole, torch.cat(single))


@pytest.mark.parametrize("move", MOVES)
def test_two_beats_later_the_dancer_stands_the_same(move: str) -> None:
    dance = Dance(move, "right", "medium")
    here, later = perform(dance, COUNT), perform(dance, COUNT + 2)
    assert np.allclose(points(here), points(later), atol=1e-5)
    next_beat = perform(dance, COUNT + 1)
    assert not np.allclose(points(here), points(next_beat), atol=0.05)


@pytest.mark.parametrize("move", MOVES)
def test_sides_are_mirror_pictures(move: str) -> None:
    left = perform(Dance(move, "left", "medium"), COUNT)
    right = perform(Dance(move, "right", "medium"), COUNT)
    for name in MIRRORED_FIELDS:
        assert torch.allclose(getattr(left, name), -getattr(right, name), atol=1e-6)
    assert torch.equal(left.y, right.y) and torch.equal(left.scale_y, right.scale_y)
    assert torch.allclose(left.arm_left, -right.arm_right)
    assert torch.allclose(left.leg_left, -right.leg_right)


@pytest.mark.parametrize("move", MOVES)
def test_size_and_energy_scale_the_motion(move: str) -> None:
    def reach(size: str, energy: float) -> float:
        values = perform(Dance(move, "left", size), COUNT, energy).stacked()
        values = torch.cat([values[:, :2], values[:, 3:]], dim=1)  # a turn's angle stays
        return float((values - values.mean(0)).abs().max())

    small, medium, big = (reach(size, 1.0) for size in SIZES)
    assert small < 0.7 * medium and 1.3 * medium < big
    assert reach("medium", 0.0) == pytest.approx(LOWEST_AMPLITUDE * medium, rel=0.01)


def test_moves_are_far_apart() -> None:
    shapes = [points(perform(Dance(move, "left", "medium"), COUNT)) for move in MOVES]
    for i, one in enumerate(shapes):
        for other in shapes[:i]:
            assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_freezing_holds_the_pose_and_returns_without_a_jump(move: str, length: int) -> None:
    beat = np.floor(COUNT)
    frozen = (beat >= 0) & (beat < length)
    origin = np.where((beat >= 0) & (beat <= length), 0, beat)
    dance = Dance(move, "left", "big")
    body = points(perform(dance, COUNT, 1.0, 1.0, frozen, origin))
    stage = points(perform(dance, np.zeros(1), 1.0, 1.0))
    assert np.allclose(body[frozen], stage, atol=1e-6)
    free = points(perform(dance, COUNT, 1.0, 1.0))
    assert np.allclose(body[beat > length], free[beat > length], atol=1e-5)
    assert np.abs(np.diff(body, axis=0)).max() <= np.abs(np.diff(free, axis=0)).max() + 1e-6


def test_ease_runs_from_zero_to_one_without_turning_back() -> None:
    progress = np.linspace(0, 1, 101)
    for smoothness in (0.0, 0.5, 1.0):
        way = ease(progress, smoothness)
        assert way[0] == 0 and way[-1] == pytest.approx(1)
        assert (np.diff(way) > 0).all()
    assert np.diff(ease(progress, 0.0)).max() > 1.4 * np.diff(ease(progress, 1.0)).max()


def test_poses_stack_and_unstack() -> None:
    poses = [perform(Dance(move, "left", "big"), COUNT) for move in MOVES[:3]]
    batch = stack_poses(poses)
    assert batch.shape == (3, len(COUNT)) and batch.x.dtype == torch.float32
    assert torch.equal(batch.angle[1], poses[1].angle)
    assert torch.equal(Pose.from_stacked(batch.stacked()).head, batch.head)


def test_rest_is_where_amplitudes_vanish() -> None:
    pose = perform(Dance("slide", "left", "small"), np.array([0.5]), 1.0, 1.0)
    assert pose.scale_x.item() == pytest.approx(1) and pose.x.item() == pytest.approx(0, abs=1e-6)


def test_unknown_words_are_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match="moonwalk"):
        Dance("moonwalk", "left", "big")
    with pytest.raises(ValueError, match="enormous"):
        Dance("hop", "left", "enormous")


def test_random_dances_are_seeded_and_cover_everything() -> None:
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    drawn = [random_dance(rng) for _ in range(600)]
    assert drawn == [random_dance(again) for _ in range(600)]
    assert set(drawn) == set(all_dances())


def test_fields_are_those_of_the_pose() -> None:
    assert tuple(item.name for item in fields(Pose)) == FIELDS


def test_outline_is_the_body_itself_at_rest_and_follows_moves() -> None:
    rest = Pose.from_stacked(torch.tensor([[0.0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]]))
    assert torch.equal(body_points(rest)[0, 2], torch.tensor([0.4, 0.5], dtype=torch.float64))
    moved = replace(rest, x=rest.x + 0.25, angle=rest.angle + np.pi / 2)
    turned = body_points(moved)[0, 0]  # a quarter clockwise: the top left corner comes to the right
    assert torch.allclose(turned, torch.tensor([0.75, -0.4], dtype=torch.float64), atol=1e-6)


def test_blend_starts_and_ends_at_its_poses_and_turns_the_shorter_way() -> None:
    spin = perform(Dance("spin", "right", "big"), np.array([1.9]))
    sway = perform(Dance("sway", "left", "big"), np.array([0.0]))
    assert torch.equal(blend(spin, sway, torch.zeros(1)).stacked(), spin.stacked())
    assert np.allclose(points(blend(spin, sway, torch.ones(1))), points(sway), atol=1e-5)
    middle = blend(spin, sway, torch.full((1,), 0.5)).angle
    assert abs(float(middle - spin.angle)) < np.pi / 2
