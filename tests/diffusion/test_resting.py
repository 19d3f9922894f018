"""Rests: a dancer stands still in silence, and dances as ever where there is music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, pi
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.audio.beats import BeatGrid, regular_grid
from musedance_core.audio.mel import FLOOR
from musedance_core.dance.motion import FEATURES, ROOT_INDEX, DanceMotion, standing
from musedance_core.dance.stick import stick_joints
from musedance_core.diffusion.choreography import DanceScore, choreograph, dance_segments
from musedance_core.diffusion.resident import ResidentModel
from musedance_core.diffusion.resting import REST, rest_motion, rest_weight, rested
from musedance_core.diffusion.runner import DanceInputs, Segment, SegmentRunner
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer

FPS = 24
SILENT = [(-inf, 3.0), (6.0, 9.0)]
"""Silences of the song, in seconds; its music lasts 3 s and again 3 s."""


def song_with(silences: list[tuple[float, float]], grid: BeatGrid | None = None) -> SongFeatures:
    """12 s of noise with silences in it, and beats in the rest."""
    mel = torch.randn(1200, 64, generator=torch.Generator().manual_seed(0)) - 5
    times = np.arange(1200) / 100
    beats = regular_grid(120, 0.1, 12.0).times
    for begin, end in silences:
        mel[torch.from_numpy((times >= begin) & (times < end))] = float(np.log(FLOOR))
        beats = beats[(beats < begin) | (beats >= end)]
    return SongFeatures(mel, grid or BeatGrid(beats, beats[::4], 120.0))


@pytest.fixture(scope="module")
def score(model: MuseDance, tokenizer: Tokenizer) -> DanceScore:
    with torch.no_grad():
        text = model.text(tokenizer.encode(["the sticker hops"]))
    return DanceScore(song_with(SILENT), [(0.0, text)])


def without_rests(score: DanceScore, monkeypatch: pytest.MonkeyPatch) -> DanceScore:
    """The same score for a dancer who never rests."""
    monkeypatch.setattr("musedance_core.diffusion.segment.find_rests", lambda mel, grid: [])
    return replace(score, song=replace(score.song))


def speeds(motion: DanceMotion) -> Tensor:
    """Mean speed of the joints from pose to pose, in body heights a second."""
    joints = stick_joints(motion.features()[None])[0]
    return joints.diff(dim=0).norm(dim=-1).mean(dim=-1) * motion.fps


def test_the_share_of_rest_is_1_in_silence_and_0_in_music() -> None:
    t = np.arange(0, 12, 0.01)
    weight = rest_weight(t, SILENT)
    music = ((t > 3 + REST.blend) & (t < 6)) | (t > 9 + REST.blend)
    rest = (t < 3 - REST.blend) | ((t > 6 + REST.blend) & (t < 9 - REST.blend))
    assert (weight[rest] == 1).all() and (weight[music] == 0).all()
    assert np.abs(np.diff(weight)).max() < 2 * 0.01 / REST.blend
    assert rest_weight(np.array([3.0, 9.0]), SILENT) == pytest.approx(0.5)
    assert not rest_weight(t, []).any()


def test_a_dancer_rests_in_silence_and_dances_the_same_dance_in_music(
    model: MuseDance, score: DanceScore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert np.ravel(score.song.rests)[1:] == pytest.approx(np.ravel(SILENT)[1:], abs=0.02)
    motion = choreograph(model, score, 12.0)
    weight = rest_weight(np.arange(len(motion)) / FPS, score.song.rests)
    dance = choreograph(model, without_rests(score, monkeypatch), 12.0)
    music, rest = torch.from_numpy(weight == 0), torch.from_numpy(weight == 1)
    assert torch.equal(motion.limbs[music], dance.limbs[music])
    ours, theirs = motion.features(), dance.features()
    assert torch.allclose(ours[music], theirs[music], atol=1e-6)
    still = rest_motion(0, len(motion), FPS).features()
    assert torch.allclose(ours[rest], still[rest], atol=1e-6)
    speed = speeds(motion)
    assert speed[rest[1:] & rest[:-1]].max() < 0.03
    moving = music[1:] & music[:-1]
    assert torch.allclose(speed[moving], speeds(dance)[moving], rtol=1e-4)


def test_without_silence_nothing_changes(
    model: MuseDance, score: DanceScore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = replace(score, song=song_with([]))
    assert list(loud.song.rests) == []
    motion = choreograph(model, loud, 2.0)
    dance = choreograph(model, without_rests(loud, monkeypatch), 2.0)
    assert torch.equal(motion.root, dance.root) and torch.equal(motion.limbs, dance.limbs)


def test_beats_that_a_person_has_set_in_silence_are_danced(
    model: MuseDance, score: DanceScore
) -> None:
    grid = regular_grid(120, 0.1, 12.0)
    danced = replace(score, song=song_with(SILENT, grid))
    assert list(danced.song.rests) == []
    resting, dancing = (speeds(choreograph(model, one, 2.0)).mean() for one in (score, danced))
    assert dancing > 4 * resting


@pytest.mark.parametrize("start", [0.0, 1.3, 5.77, 8.9])
def test_rests_are_at_their_times_wherever_the_dance_starts(
    model: MuseDance, score: DanceScore, start: float
) -> None:
    motion = choreograph(model, replace(score, start=start), 2.5)
    weight = rest_weight(start + np.arange(len(motion)) / FPS, score.song.rests)
    still = rest_motion(0, len(motion), FPS).features()
    rest = torch.from_numpy(weight == 1)
    assert torch.allclose(motion.features()[rest], still[rest], atol=1e-6)


def turning(count: int, turns: float) -> Tensor:
    """Poses of a dancer who turns steadily, this often in a second."""
    motion = standing(count, FPS)
    for name in ("turn", "yaw"):
        motion.root[:, ROOT_INDEX[name]] = 2 * pi * turns * torch.arange(count) / FPS
    motion.root[:, ROOT_INDEX["x"]] = 0.1
    return motion.features()


@pytest.mark.parametrize("turns", [0.0, 0.4, 1.1, -1.7])
@pytest.mark.parametrize("cut", [3 * FPS - 5, 3 * FPS + 3, 6 * FPS + 1, 6 * FPS + 11])
def test_two_segments_rest_as_one_even_while_the_dancer_turns(turns: float, cut: int) -> None:
    dance = turning(10 * FPS, turns)
    whole = rested(dance, None, SILENT, 0.0, 0, FPS)
    before, after = dance[:cut], dance[cut:]
    parts = [
        rested(before, None, SILENT, 0.0, 0, FPS),
        rested(after, before[-4 * FPS :], SILENT, 0.0, cut, FPS),
    ]
    assert torch.allclose(torch.cat(parts), whole, atol=1e-4)


@pytest.mark.parametrize("turns", [0.0, 0.4, 1.1, -1.7])
def test_a_turning_dancer_comes_to_rest_without_a_jump(turns: float) -> None:
    dance = turning(10 * FPS, turns)
    motion = DanceMotion.from_features(rested(dance, None, SILENT, 0.0, 0, FPS), FPS)
    for name in ("turn", "yaw", "x", "lean"):
        # The dancer's own speed, and half a turn within the time of going over.
        most = 2 * pi * abs(turns) * (1 + REST.blend) + 1.5 * pi / REST.blend
        assert motion.field(name).diff().abs().max() * FPS < most, name


def test_the_same_poses_come_back_where_no_rest_is_near() -> None:
    dance = torch.randn(FPS, FEATURES, generator=torch.Generator().manual_seed(0))
    assert rested(dance, None, SILENT, 3.6, 0, FPS) is dance
    assert rested(dance, None, [], 0.0, 0, FPS) is dance


@pytest.fixture(scope="module")
def resting(planned: DanceInputs) -> DanceInputs:
    """A dance of six segments whose second and third are silent."""
    song = planned.song
    mel = song.mel.clone()
    mel[50:] = float(np.log(FLOOR))
    mel[250:] = song.mel[250:]
    times = song.grid.times[(song.grid.times < 0.5) | (song.grid.times > 2.5)]
    times = np.append(times, 3.1)
    grid = BeatGrid(times, times[:1], 120.0)
    return replace(planned, song=SongFeatures(mel, grid), denoise=False)


def test_a_video_rests_like_its_plan(
    model: MuseDance, resting: DanceInputs, run: Callable[..., list[Segment]]
) -> None:
    (rest,) = resting.song.rests
    assert rest == pytest.approx((0.5, 2.5), abs=0.03)
    score = DanceScore(resting.song, resting.prompts)
    plans = [motion.limbs for motion in dance_segments(model, score, 3.0)]
    pieces = {piece.index: piece for piece in run(model, resting, 72)}
    for index, piece in pieces.items():
        segment = piece.tail.segment
        assert segment is not None and segment.poses is not None
        motion = DanceMotion.from_features(segment.poses, FPS)
        assert torch.allclose(motion.limbs, plans[index], atol=1e-4)
    still = rest_motion(0, 72, FPS).features()[30:42]
    segment = pieces[2].tail.segment
    assert segment is not None and segment.poses is not None
    assert torch.allclose(segment.poses[6:], still[:6], atol=1e-6)


def test_the_dance_goes_on_under_a_rest(
    model: MuseDance, resting: DanceInputs, tmp_path: Path
) -> None:
    """Also from the cache: the next segment continues the dance, not the rest."""
    cache = SegmentCache(tmp_path, "a model")
    tails = []
    for _ in range(2):
        runner = SegmentRunner(ResidentModel(model), resting, cache)
        tail = runner.first_tail()
        for _ in range(3):
            tail = tail.after(runner.segment_after(tail), model.config.clip.frames)
        tails.append(tail)
    first, second = tails
    assert first.poses is not None and second.poses is not None and first.segment is not None
    assert torch.equal(first.poses, second.poses)
    assert first.segment.dance is not None and first.segment.poses is not None
    assert torch.equal(first.poses[-12:], first.segment.dance)
    assert not torch.allclose(first.segment.dance, first.segment.poses, atol=1e-3)


def test_a_loop_with_a_rest_is_closed(model: MuseDance, resting: DanceInputs) -> None:
    runner = SegmentRunner(ResidentModel(model), resting)
    motion = runner.looped(0.0, 2.5).inputs.motion
    assert motion is not None
    steps = motion.features().diff(dim=0).abs().amax(dim=0)
    closing = (motion.features()[0] - motion.at(np.array([2.5])).features()[0]).abs()
    assert (closing <= 3 * steps + 0.02).all()
