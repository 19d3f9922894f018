"""Properties of sampled dances."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from musedance_core.audio.beats import assumed_grid, regular_grid
from musedance_core.config import MuseDanceConfig
from musedance_core.dance.motion import ANGLES
from musedance_core.diffusion.choreography import (
    DanceScore,
    DanceSettings,
    choreograph,
    continued,
    dance_segments,
    pose_noise,
    pose_rate,
    sample_features,
    smoothed,
)
from musedance_core.diffusion.choreography import clip_audio as audio_of
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.resting import rest_motion
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer

SECONDS = 12.0


@pytest.fixture(scope="module")
def score(model: MuseDance, tokenizer: Tokenizer) -> DanceScore:
    mel = torch.randn(round(SECONDS * 100), 64, generator=torch.Generator().manual_seed(0)) - 5
    with torch.no_grad():
        text = model.text(tokenizer.encode(["the sticker hops"]))
    return DanceScore(SongFeatures(mel, regular_grid(120, 0.1, SECONDS)), [(0.0, text)])


def segment_poses(config: MuseDanceConfig) -> int:
    assert config.choreographer is not None
    return config.clip.frames * config.choreographer.poses


def test_a_dance_has_the_poses_of_its_length(model: MuseDance, score: DanceScore) -> None:
    motion = choreograph(model, score, 1.3)
    assert motion.fps == pose_rate(model) == 24 and len(motion) == 32
    assert motion.root.isfinite().all() and motion.limbs.norm(dim=-1).max() <= 1 + 1e-5


def test_the_same_seed_gives_the_same_dance_and_another_one_another_take(
    model: MuseDance, score: DanceScore
) -> None:
    one, same = choreograph(model, score, 1.0), choreograph(model, score, 1.0)
    other = choreograph(model, replace(score, seed=1), 1.0)
    assert torch.equal(one.root, same.root) and torch.equal(one.limbs, same.limbs)
    assert not torch.allclose(one.limbs, other.limbs, atol=1e-3)


def test_a_dance_begins_alike_however_long_it_is(model: MuseDance, score: DanceScore) -> None:
    short, long = choreograph(model, score, 0.7), choreograph(model, score, 2.0)
    assert torch.equal(long[: len(short)].root, short.root)


def test_shares_of_the_work_rise_to_all_of_it(model: MuseDance, score: DanceScore) -> None:
    shares: list[float] = []
    choreograph(model, score, 2.5 * model.config.clip.seconds, on_share=shares.append)
    assert shares == sorted(set(shares)) and shares[0] < 1 / 3 and shares[-1] == 1.0


def test_segments_come_one_by_one(model: MuseDance, score: DanceScore) -> None:
    k = segment_poses(model.config)
    hour = dance_segments(model, score, 3600.0)
    assert [len(motion) for motion in islice(hour, 3)] == [k] * 3


def test_a_segment_depends_on_the_poses_before_it(model: MuseDance, score: DanceScore) -> None:
    k = segment_poses(model.config)
    half = DanceSettings.of(model, steps=2)
    whole = choreograph(model, score, 1.0)[k : 2 * k]
    rough = list(islice(dance_segments(model, score, 1.0, half), 2))[1]
    assert not torch.allclose(whole.limbs, rough.limbs, atol=1e-4)


def test_angles_go_on_from_segment_to_segment(model: MuseDance, score: DanceScore) -> None:
    motion = choreograph(model, score, 3.0)
    for name in ANGLES:
        assert motion.field(name).diff().abs().max() <= torch.pi + 1e-4


def test_a_sentence_counts_from_the_segment_after_its_time(
    model: MuseDance, score: DanceScore
) -> None:
    (_, text), k = score.prompts[0], segment_poses(model.config)
    later = replace(score, prompts=[(0.0, text), (0.3, -text)])
    one, other = choreograph(model, score, 2.0), choreograph(model, later, 2.0)
    assert torch.equal(one[:k].limbs, other[:k].limbs)
    assert not torch.allclose(one[k:].limbs, other[k:].limbs, atol=1e-4)


def test_a_negative_prompt_leads_the_dance_away(model: MuseDance, score: DanceScore) -> None:
    text = score.prompts[0][1]

    def dance(negative: torch.Tensor | None, scale: float, weight: float) -> torch.Tensor:
        settings = DanceSettings(2, Guidance(scale, {"text": weight}))
        return choreograph(model, replace(score, negative=negative), 0.5, settings).limbs

    assert torch.equal(dance(None, 4.0, 2.0), dance(torch.zeros_like(text), 4.0, 2.0))
    assert not torch.allclose(dance(None, 4.0, 0.0), dance(-text, 4.0, 0.0), atol=1e-4)
    assert not torch.allclose(dance(None, 1.0, 9.0), dance(-text, 1.0, 9.0), atol=1e-4)
    # A sentence that is its own opposite counts as if nobody stressed it.
    assert torch.allclose(dance(text, 1.0, 9.0), dance(None, 1.0, 0.0), atol=1e-4)


def test_the_dancer_rests_where_no_beat_was_found(model: MuseDance, score: DanceScore) -> None:
    silent = replace(score, song=replace(score.song, grid=assumed_grid(SECONDS)))
    motion = choreograph(model, silent, 2.0)
    assert torch.equal(motion.limbs, rest_motion(0, len(motion), 24).limbs)
    assert 0 < motion.field("lean").abs().max() < 0.05 and not motion.field("x").any()
    assert motion.field("lean").diff().abs().max() < 0.005


def test_one_call_samples_several_dances(model: MuseDance, score: DanceScore) -> None:
    settings = DanceSettings.of(model)
    audio = audio_of(model, score.song, 0.0, 0, torch.zeros(()))
    both = replace(
        audio,
        music=audio.music.expand(2, -1, -1),
        beat_ids=audio.beat_ids.expand(2, -1),
        beat_count=audio.beat_count.expand(2, -1),
    )
    text = score.prompts[0][1]
    noise = pose_noise(model, [torch.Generator().manual_seed(s) for s in (0, 1)])
    alone = sample_features(model, text, audio, None, noise[1:], settings)
    batch = sample_features(model, text.expand(2, -1, -1), both, None, noise, settings)
    assert torch.allclose(batch[1:], alone, atol=1e-4)


def test_smoothing_keeps_slow_motion_and_takes_noise_away() -> None:
    slow = torch.sin(torch.arange(96)[:, None] * (2 * torch.pi / 24) + torch.arange(27))[None]
    noise = torch.randn(1, 96, 27, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(smoothed(slow, None), slow, atol=0.08)
    assert smoothed(noise, None).diff(dim=1).std() < 0.35 * noise.diff(dim=1).std()
    still = torch.ones(1, 6, 27)
    assert torch.allclose(smoothed(still, None), still)


def test_a_segment_goes_on_from_the_poses_before_without_a_jump() -> None:
    generator = torch.Generator().manual_seed(0)
    phase = torch.rand(2, 1, 27, generator=generator) * 6
    before = torch.sin(torch.arange(-8, 0)[None, :, None] / 8 + phase)
    after = torch.sin(torch.arange(48)[None, :, None] / 8 + 2 * phase)
    joined = torch.cat([before, continued(after, before)], dim=1)
    steps, changes = joined.diff(dim=1), joined.diff(dim=1, n=2)
    assert torch.allclose(steps[:, 7], steps[:, 6], atol=1e-5)
    assert changes[:, 6:9].abs().mean() < 3 * changes[:, 30:].abs().mean() + 0.05
    assert torch.allclose(joined[:, -16:], after[:, -16:], atol=1e-2)
    own = torch.sin(torch.arange(-8, 48)[None, :, None] / 8)
    assert torch.allclose(continued(own[:, 8:], own[:, :8]), own[:, 8:], atol=0.05)


def test_smoothing_goes_on_from_the_poses_before() -> None:
    line = torch.arange(20.0)[None, :, None].expand(1, -1, 27)
    assert torch.allclose(smoothed(line[:, 8:], line[:, :8]), line[:, 8:])
    assert torch.allclose(smoothed(line[:, 8:], line[:, 7:8]), line[:, 8:])
    assert torch.allclose(smoothed(line, None), line)


def test_steady_motion_keeps_its_speed_over_a_seam() -> None:
    line = torch.arange(40.0)[None, :, None].expand(1, -1, 27)
    first = smoothed(line[:, :20], None)
    second = smoothed(continued(line[:, 20:], first), first)
    assert torch.allclose(torch.cat([first, second], dim=1).diff(dim=1), torch.ones(()), atol=1e-4)


def test_guidance_without_an_effect_changes_nothing(model: MuseDance, score: DanceScore) -> None:
    plain = choreograph(model, score, 0.5, DanceSettings(8, Guidance(1.0)))
    weighted = DanceSettings(8, Guidance(1.0, {"text": 0.0, "music": 0.0, "reference": 0.0}))
    strong = DanceSettings(8, Guidance(3.0, {"text": 1.0}))
    assert torch.equal(choreograph(model, score, 0.5, weighted).limbs, plain.limbs)
    assert not torch.allclose(choreograph(model, score, 0.5, strong).limbs, plain.limbs, atol=1e-4)


def test_poses_fit_any_frame_rate(model: MuseDance, score: DanceScore) -> None:
    motion = choreograph(model, score, 1.0)
    slow = motion.at(np.arange(12) / 12)
    assert torch.allclose(slow.limbs, motion.limbs[::2], atol=1e-5)


def test_a_model_without_a_choreographer_and_no_step_are_refused(
    model: MuseDance, score: DanceScore
) -> None:
    without = MuseDance(replace(model.config, choreographer=None))
    with pytest.raises(InputError, match="plans no dance"):
        choreograph(without, score, 1.0)
    with pytest.raises(InputError, match="at least 1 step, not 0"):
        DanceSettings.of(model, steps=0)


def test_only_guidance_that_somebody_chose_replaces_the_choreographer_s_own(
    model: MuseDance,
) -> None:
    assert model.config.choreographer is not None
    own = DanceSettings.of(model)
    denoiser = Guidance.of(model.config.schedule)
    assert DanceSettings.guided_by(model, denoiser) == own
    louder = Guidance.of(model.config.schedule, None, {"music": 1.5})
    assert DanceSettings.guided_by(model, louder) == DanceSettings.of(
        model, None, None, {"music": 1.5}
    )
    stricter = Guidance.of(model.config.schedule, 3.5)
    assert DanceSettings.guided_by(model, stricter) == DanceSettings.of(model, None, 3.5)
