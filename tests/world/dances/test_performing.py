"""Dances are on the beat, keep their feet where they stand, and have takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from musedance_core.audio.waveform import Waveform
from musedance_core.dance.motion import DanceMotion
from musedance_core.dance.posing import Body, pose_body
from musedance_core.dance.skeleton import INDEX, MIRRORED_JOINTS
from musedance_core.metrics.dance import (
    beat_share,
    foot_slide,
    joint_distance,
    joint_speeds,
    standing_joints,
    take_ratio,
)
from musedance_core.metrics.motion import motion_beats
from musedance_core.world.clip_music import ClipMusic, clip_music, random_beat_edit, random_music
from musedance_core.world.dances import (
    MOODS,
    MOVES,
    SIZES,
    Dance,
    Take,
    dance_motion,
    dance_motions,
    random_dance,
    random_take,
)
from musedance_core.world.dances.moves import MOVE_TABLE
from musedance_core.world.dances.performing import SETTINGS
from musedance_core.world.easing import ease
from musedance_core.world.songs import Song, make_song

STEPS = 32  # poses per beat
COUNT = np.arange(8 * STEPS + 1) / STEPS
FPS = 24.0


def music(count: np.ndarray, energy: float = 1.0, smoothness: float = 0.5) -> ClipMusic:
    n = len(count)
    beat = np.floor(count).astype(np.int64)
    return ClipMusic(count, np.full(n, energy), smoothness, np.zeros(n, dtype=bool), beat)


def takes(number: int, seed: int = 0) -> list[Take]:
    rng = np.random.default_rng(seed)
    return [random_take(rng) for _ in range(number)]


def dance(name: str, take: Take, count: np.ndarray = COUNT, **values: str) -> DanceMotion:
    return dance_motion(Dance(name, **values), music(count), take, FPS)


def values(motion: DanceMotion) -> torch.Tensor:
    return torch.cat([motion.root, motion.limbs.flatten(1)], dim=1)


def mirror_image(motion: DanceMotion) -> np.ndarray:
    """Joints `[f 16 2]` of a standing person who dances the mirror image."""
    return standing_joints(motion)[:, list(MIRRORED_JOINTS)] * (-1, 1)


@pytest.mark.parametrize("move", MOVES)
def test_every_take_is_finite_and_no_limb_is_longer_than_it_is(move: str) -> None:
    for take in takes(12):
        motion = dance(move, take, size="big")
        assert torch.isfinite(values(motion)).all()
        assert float(motion.limbs.norm(dim=-1).max()) < 1 + 1e-5
        assert float(motion.field("lift").min()) > -1e-6


@pytest.mark.parametrize("move", MOVES)
def test_a_dance_is_a_function_of_the_beat_count_with_a_period_of_eight(move: str) -> None:
    (take,) = takes(1)
    count = COUNT + 0.003  # never exactly edgewise in a turn
    whole, later = dance(move, take, count), dance(move, take, count + 16)
    assert np.allclose(standing_joints(whole), standing_joints(later), atol=1e-4)
    single = [dance(move, take, count[i : i + 1]) for i in range(0, len(count), 37)]
    ends = np.concatenate([standing_joints(one) for one in single])
    assert np.allclose(ends, standing_joints(whole)[::37], atol=1e-5)


@pytest.mark.parametrize("move", MOVES)
def test_every_joint_rests_on_the_beats(move: str) -> None:
    for take in takes(6):
        speeds = joint_speeds(standing_joints(dance(move, take)), STEPS)
        at_beats = np.concatenate([speeds[::STEPS], speeds[STEPS - 1 :: STEPS]])
        assert at_beats.mean() < 0.12 * speeds.mean()


def test_motion_is_periodic_with_the_beat() -> None:
    count = np.arange(96) / 12  # 120 BPM at 24 frames a second
    shares = []
    for move in MOVES:
        for take in takes(4):
            share = beat_share(standing_joints(dance(move, take, count)), FPS, np.arange(9) / 2)
            assert share is not None
            shares.append(share)
    assert np.mean(shares) > 0.88 and min(shares) > 0.4


@pytest.mark.parametrize("move", [m for m in MOVES if MOVE_TABLE[m].keeps_feet])
def test_standing_feet_stay_where_they_are(move: str) -> None:
    for size in SIZES:
        feet = [foot_slide(standing_joints(dance(move, take, size=size)), 8) for take in takes(4)]
        assert np.mean([(foot.slide or 0.0) * foot.stands for foot in feet]) < 0.02
        assert np.mean([foot.slide or 0.0 for foot in feet]) < 0.03


@pytest.mark.parametrize("move", [m for m in MOVES if MOVE_TABLE[m].sided])
def test_the_named_side_decides_and_otherwise_the_take_does(move: str) -> None:
    (take,) = takes(1)
    left, right = dance(move, take, side="left"), dance(move, take, side="right")
    assert np.allclose(mirror_image(left), standing_joints(right), atol=1e-5)
    plain = replace(take, order=0.0)
    either = [dance(move, replace(plain, mirror=mirror)) for mirror in (False, True)]
    assert torch.allclose(values(either[1]), values(left), atol=1e-5)
    assert np.allclose(mirror_image(either[0]), standing_joints(either[1]), atol=1e-5)


def test_size_energy_and_mood_change_the_amount_of_motion() -> None:
    def amount(**changes: str) -> float:
        paths = [joint_speeds(standing_joints(dance("kick", t, **changes)), 1) for t in takes(8)]
        return float(np.mean([path.sum() for path in paths]))

    small, medium, big = (amount(size=size) for size in SIZES)
    assert small < 0.85 * medium and 1.1 * medium < big
    moods = {mood: amount(mood=mood) for mood in MOODS}
    assert moods["lazy"] < 0.9 * moods["plain"] < 0.95 * moods["happy"]
    loud, quiet = (
        dance_motion(Dance("sway"), music(COUNT, energy), takes(1)[0], FPS).field("lean")
        for energy in (1.0, 0.0)
    )
    assert float(quiet.abs().max()) == pytest.approx(
        SETTINGS.lowest_amplitude * float(loud.abs().max()), rel=1e-3
    )


def test_takes_differ_by_nearly_half_of_what_sentences_do() -> None:
    count = np.arange(0, 96, 3) / 12
    joints = [
        [standing_joints(dance(move, t, count)) for t in takes(4, i)]
        for i, move in enumerate(MOVES)
    ]
    assert take_ratio(joints) > 0.45


def test_moves_are_far_apart() -> None:
    count = np.arange(0, 96, 3) / 12
    take = Take()
    joints = {move: standing_joints(dance(move, take, count)) for move in MOVES}
    for i, move in enumerate(MOVES):
        for other in MOVES[:i]:
            assert joint_distance(joints[move], joints[other]) > 0.012, (move, other)


@pytest.mark.parametrize("move", MOVES)
def test_a_body_without_limbs_dances_too(move: str) -> None:
    person = Body.standing(1.0, 0.0, 0.0)
    trunk = [INDEX[name] for name in ("pelvis", "chest", "neck", "head_top")]
    present = torch.zeros(16, dtype=torch.bool)
    present[trunk] = True
    mug = replace(person, present=present)
    for take in takes(4):
        shown = pose_body(mug, dance(move, take)).warped_joints[:, trunk].numpy()
        assert joint_speeds(shown, 1).mean(axis=1).sum() / 8 > 0.03


def test_several_dances_at_once_are_the_same_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    dances = [random_dance(rng) for _ in range(12)]
    some, chosen = [random_music(rng, 40, FPS) for _ in dances], takes(12)
    together = dance_motions(dances, some, chosen, FPS)
    for i, motion in enumerate(together):
        alone = dance_motion(dances[i], some[i], chosen[i], FPS)
        assert torch.allclose(values(motion), values(alone), atol=1e-6)


@pytest.mark.parametrize("move", ["spin", "kick", "macarena", "moonwalk", "cartwheel"])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_pause_holds_the_pose_and_ends_without_a_jump(move: str, length: int) -> None:
    count = np.arange(12 * STEPS) / STEPS + 0.003
    beat = np.floor(count).astype(np.int64)
    frozen = (beat >= 2) & (beat < 2 + length)
    origin = np.where((beat >= 2) & (beat <= 2 + length), 2, beat)
    (take,) = takes(1)
    paused = replace(music(count), frozen=frozen, origin=origin)
    joints = standing_joints(dance_motion(Dance(move), paused, take, FPS))
    free = standing_joints(dance_motion(Dance(move), music(count), take, FPS))
    still = joints[frozen]
    assert np.ptp(still, axis=0).max() < 1e-6
    assert np.allclose(joints[beat > 2 + length], free[beat > 2 + length], atol=1e-4)
    step = np.abs(np.diff(joints, axis=0)).max()
    assert step < 3 * np.abs(np.diff(free, axis=0)).max()


def song(index: int) -> Song:
    one = replace(make_song(3, index), breaks=())
    return replace(one, wave=Waveform(np.zeros((1, 1), np.float32), 32_000))


def test_edited_beats_are_danced_as_they_are() -> None:
    rng = np.random.default_rng(1)
    closeness = []
    for index in range(12):
        one = song(index)
        grid = random_beat_edit(one.grid, rng)
        times = np.arange(grid.times[1], grid.times[-2], 1 / 60)
        motion = dance_motion(
            Dance(MOVES[4 * index]), clip_music(one, grid, times), takes(1)[0], 60.0
        )
        speed = joint_speeds(standing_joints(motion), 60.0).mean(axis=1)
        beats = times[0] + motion_beats(speed, 60.0)
        distance = np.abs(grid.times[2:-3, None] - beats[None]).min(axis=1)
        closeness.append(np.exp(-((distance / 0.05) ** 2) / 2).mean())
    assert np.mean(closeness) > 0.95


def test_ease_runs_from_zero_to_one_and_is_sharper_for_sharp_music() -> None:
    progress = np.linspace(0, 1, 101)
    for smoothness in (0.0, 0.5, 1.0):
        way = ease(progress, smoothness)
        assert way[0] == 0 and way[-1] == pytest.approx(1)
        assert (np.diff(way) > 0).all()
    assert np.diff(ease(progress, 0.0)).max() > 1.4 * np.diff(ease(progress, 1.0)).max()
