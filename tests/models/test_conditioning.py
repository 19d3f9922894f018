"""Music tokens, beat tokens and part maps as the denoiser receives them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from einops import rearrange

from musedance_core.audio.beats import BeatGrid, beat_frames
from musedance_core.config import MaskConfig
from musedance_core.diffusion.segment_plan import plan_segments
from musedance_core.models.beat import NULL_BEAT, BeatTokens
from musedance_core.models.initialise import align_in_time, init_weights
from musedance_core.models.layers import Attention, seconds_embedding
from musedance_core.models.mask import MaskEncoder
from musedance_core.models.music import MusicEncoder, MusicTokens, column_seconds
from musedance_core.parts import SUBJECT, palette
from musedance_core.presets import preset


def test_moving_all_beats_by_k_frames_moves_the_beat_tokens_by_k() -> None:
    torch.manual_seed(0)
    times = np.arange(0.5, 8, 0.5)
    tokens, seconds = BeatTokens(16, phase=True), torch.zeros(48)
    grid = BeatGrid(times, times[::4], 120.0)
    shifted = BeatGrid(times + 2 / 12, times[::4] + 2 / 12, 120.0)

    def encode(g: BeatGrid) -> torch.Tensor:
        frames = beat_frames(g, 0.0, 48, 12)
        count = torch.from_numpy(frames.count)[None].float()
        return tokens(torch.from_numpy(frames.ids)[None], count, seconds)

    torch.testing.assert_close(encode(shifted)[:, 2:], encode(grid)[:, :-2], atol=1e-4, rtol=1e-4)
    assert (encode(shifted) - encode(grid)).abs().max() > 0.1


def test_null_beats_carry_no_phase() -> None:
    tokens = BeatTokens(16, phase=True)
    ids = torch.full((1, 6), NULL_BEAT)
    a = tokens(ids, torch.rand(1, 6), torch.zeros(6))
    b = tokens(ids, torch.rand(1, 6) + 3, torch.zeros(6))
    assert torch.equal(a, b)


def test_music_tokens_carry_the_time_of_their_column() -> None:
    config = preset("sd15").music
    assert (config.rows, config.columns) == (12, 101)
    seconds = column_seconds(config, 4.0)
    torch.testing.assert_close(seconds[0], torch.tensor(-3.12 + 0.08))
    torch.testing.assert_close(seconds.diff(), torch.full((100,), 0.1))
    tokens = MusicTokens(8, 32)
    features = torch.zeros(1, 2, 8)
    difference = tokens(features, torch.tensor([1.0, 2.0])) - tokens(
        features, torch.tensor([0.0, 0.0])
    )
    expected = seconds_embedding(torch.tensor([1.0, 2.0]), 32) - seconds_embedding(
        torch.tensor([0.0, 0.0]), 32
    )
    torch.testing.assert_close(difference[0], expected)


@torch.no_grad()
def test_an_event_in_the_sound_changes_the_tokens_of_its_time() -> None:
    torch.manual_seed(0)
    config = preset("sticker").music
    encoder = MusicEncoder(config).eval()
    # Layers without weights add nothing, so only the patch at the event may change.
    for module in encoder.ast.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.zero_()
            module.bias.zero_()
    silence = torch.full((1, config.length, config.mel_bins), config.mean)
    event = silence.clone()
    at = 512 + 100  # one second after the middle: three seconds into a 4 s clip
    event[:, at : at + 2] += 8
    tokens, seconds = encoder.encode_clip(event, 4.0)
    quiet, _ = encoder.encode_clip(silence, 4.0)
    assert len(seconds) == tokens.shape[1] and seconds.min() >= 0 and seconds.max() < 4
    changed = seconds[(tokens - quiet)[0].abs().sum(-1) > 1e-4]
    assert len(changed) > 0 and (changed - 3.0).abs().max() <= 0.11


@pytest.mark.parametrize("width", [96, 128, 320])
def test_fresh_attention_is_aligned_in_time(width: int) -> None:
    torch.manual_seed(0)
    attention = Attention(width, 128, 4)
    align_in_time(attention)
    seconds = 1.3 + torch.arange(16) / 12
    keys = attention.keys(seconds_embedding(seconds, 128)[None])
    queries = rearrange(attention.to_q(seconds_embedding(seconds, width)), "f (k d) -> k f d", k=4)
    share = (queries @ keys[0].mT / (width / 4) ** 0.5).softmax(-1)
    own, any_moment = share.diagonal(dim1=1, dim2=2).mean(), 1 / 16
    assert own > 5 * any_moment


@torch.no_grad()
def test_the_mask_encoder_reduces_by_eight_and_distinguishes_parts() -> None:
    torch.manual_seed(0)
    encoder = MaskEncoder(MaskConfig(), 4)
    for p in encoder.parameters():
        p.add_(torch.randn_like(p) * 0.1)
    none, subject = torch.zeros(1, 64, 32, dtype=torch.long), torch.full((1, 64, 32), SUBJECT)
    assert encoder(subject, torch.float32).shape == (1, 4, 8, 4)
    assert (encoder(none, torch.float32) - encoder(subject, torch.float32)).abs().max() > 1e-2
    assert len(torch.unique(palette(), dim=0)) == 26


def test_a_part_map_changes_the_reference_from_the_first_step_on() -> None:
    torch.manual_seed(0)
    encoder = MaskEncoder(MaskConfig(), 16)
    init_weights(encoder)
    half = torch.zeros(1, 64, 64, dtype=torch.long)
    half[:, :, 32:] = SUBJECT
    tint = encoder(half, torch.float32)
    left, right = tint[..., 1:3].mean(dim=-1), tint[..., 5:7].mean(dim=-1)
    assert 0.1 < (left - right).square().mean().sqrt() < 0.6


def test_segments_cover_every_frame_and_beat_once() -> None:
    times = np.cumsum(np.full(60, 0.37)) - 0.1
    grid = BeatGrid(times, times[::4], 60 / 0.37)
    frames, start = 200, 1.3
    whole = beat_frames(grid, start, frames, 12)
    plans = plan_segments(frames, 12, 4.0)
    assert [p.frames for p in plans] == [48, 48, 48, 48, 8]
    pieces = [beat_frames(grid, start, p.frames, 12, p.first) for p in plans]
    assert np.array_equal(np.concatenate([p.ids for p in pieces]), whole.ids)
    np.testing.assert_allclose(np.concatenate([p.count for p in pieces]), whole.count)
    inside = np.round((times - start) * 12)
    assert whole.ids.sum() == len(np.unique(inside[(inside >= 0) & (inside < frames)]))
