"""Log-mel features: those that AST was trained on, and the window around a clip."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from musedance_core.audio.mel import (
    FLOOR,
    HOP,
    PIECE,
    RATE,
    WINDOW,
    clip_window,
    log_mel,
    song_log_mel,
)
from musedance_core.audio.waveform import Waveform


def noise(seconds: float, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(0)
    envelope = np.interp(np.arange(round(seconds * rate)), [0, seconds * rate], [0.05, 0.5])
    return (envelope * rng.standard_normal(len(envelope)) / 3).astype(np.float32)


@pytest.mark.filterwarnings("ignore:At least one mel filter")
def test_features_equal_those_of_the_extractor_of_ast(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers has a torchaudio and a numpy path; the numpy one needs nothing else."""
    module = pytest.importorskip(
        "transformers.models.audio_spectrogram_transformer"
        ".feature_extraction_audio_spectrogram_transformer"
    )
    monkeypatch.setattr(module, "is_speech_available", lambda: False)
    extractor = module.ASTFeatureExtractor(do_normalize=False)
    sound = noise(10.3)
    truth = extractor(sound, sampling_rate=RATE, return_tensors="pt").input_values[0]
    ours = log_mel(torch.from_numpy(sound), 128)
    length = min(len(ours), len(truth))
    assert length > 1000
    assert (ours[:length] - truth[:length]).abs().max() < 1e-3


def test_a_long_song_has_the_features_of_its_pieces() -> None:
    sound = torch.from_numpy(noise((PIECE + 250) * HOP / RATE))
    whole = log_mel(sound, 16)
    assert len(whole) == 1 + (len(sound) - WINDOW) // HOP
    assert torch.allclose(whole[PIECE - 50 :], log_mel(sound[(PIECE - 50) * HOP :], 16), atol=1e-4)


def test_a_tone_is_in_the_band_of_its_pitch() -> None:
    t = torch.arange(RATE) / RATE
    mel = log_mel(torch.stack([torch.sin(2 * math.pi * f * t) for f in (200, 800, 3200)]), 64)
    peaks = mel.mean(dim=1).argmax(dim=-1)
    assert mel.shape == (3, 98, 64)
    assert (peaks.diff() > 8).all()


def test_only_differences_of_loudness_within_the_song_matter() -> None:
    sound = noise(3)
    loud, quiet = (song_log_mel(Waveform(sound[None] * g, RATE), 64) for g in (1.0, 0.05))
    assert (loud - quiet).abs().max() < 1e-2
    assert loud[-50:].mean() > loud[:50].mean() + 1


def test_a_constant_offset_is_not_heard() -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal((1, 44_100)).astype(np.float32)
    plain, offset = (song_log_mel(Waveform(sound + c, 44_100), 64) for c in (0, np.float32(0.6)))
    assert torch.allclose(plain, offset, atol=1e-2)


def test_a_click_is_in_the_frame_of_its_time_at_any_rate() -> None:
    for rate in (16_000, 44_100):
        sound = np.zeros((2, 4 * rate), np.float32)
        sound[:, round(1.5 * rate)] = 1
        loudest = int(song_log_mel(Waveform(sound, rate), 64).sum(dim=-1).argmax())
        assert 0 <= 1.5 - loudest * 0.010 <= 0.025


@pytest.mark.parametrize("start", [0.0, 5.0, 13.2, 18.0])
def test_the_clip_is_in_the_middle_of_its_window(start: float) -> None:
    mel = torch.arange(2000.0)[:, None].repeat(1, 2)
    window = clip_window(mel, start, frames=48, fps=12, length=1024)
    assert window.shape == (1024, 2)
    first = round((start - 3.12) * 100)
    for i in range(1024):
        inside = 0 <= first + i < 2000
        assert window[i, 0] == pytest.approx(first + i if inside else math.log(FLOOR))


def test_far_outside_the_song_is_silence() -> None:
    for start in (-30.0, 60.0):
        window = clip_window(torch.ones(500, 3), start, 48, 12)
        assert window.shape == (1024, 3) and (window < -15).all()
