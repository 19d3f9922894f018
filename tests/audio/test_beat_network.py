"""The beat network: shapes, songs of any length, and its weight files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from musedance_core.audio.beat_network import (
    FRAMES_PER_SECOND,
    WEIGHTS,
    BeatNetwork,
    BeatNetworkConfig,
    beat_mel,
    load_beat_network,
    save_beat_network,
)
from musedance_core.audio.network_tracker import CHUNK, MARGIN, activations, onset_strength
from musedance_core.audio.waveform import Waveform
from musedance_core.errors import InputError

SMALL = BeatNetworkConfig(mel_bins=16, front=4, width=8, layers=3)


def test_logits_have_half_the_frames_of_the_mel() -> None:
    assert BeatNetwork(SMALL)(torch.randn(3, 200, 16)).shape == (3, 2, 100)


def test_mel_frames_are_centred_on_their_time() -> None:
    rate, at = 16_000, 1.0
    samples = np.zeros((1, 2 * rate), np.float32)
    samples[0, round(at * rate)] = 1
    energy = beat_mel(Waveform(samples, rate), 64).exp().sum(dim=1)
    # A click is in the windows around its own; the middle one is at its time.
    loud = torch.nonzero(energy > 0.1 * energy.max())[:, 0].float()
    assert abs(float(loud.mean()) * 2 / (2 * FRAMES_PER_SECOND) - 2 * at) <= 0.01 * 2


def test_a_long_song_in_chunks_equals_the_whole() -> None:
    network = load_beat_network()
    mel = torch.randn(2 * (CHUNK + MARGIN) + 900, network.config.mel_bins) - 6
    with torch.no_grad():
        whole = network(mel[None])[0]
    assert torch.allclose(activations(network, mel), whole, atol=1e-4)


def test_the_shipped_network_is_small() -> None:
    assert sum(p.numel() for p in load_beat_network().parameters()) <= 1_500_000
    assert WEIGHTS.stat().st_size <= 3_000_000


def test_weights_return_from_their_file(tmp_path: Path) -> None:
    network, path = BeatNetwork(SMALL).eval(), tmp_path / "beats.safetensors"
    save_beat_network(path, network, {"steps": 3})
    loaded, mel = load_beat_network(path), torch.randn(1, 80, 16)
    assert loaded.config == SMALL
    assert torch.allclose(loaded(mel), network.half().float()(mel), atol=1e-5)


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    network, path = BeatNetwork(SMALL), tmp_path / "beats.safetensors"
    save_beat_network(path, network, {})
    before = path.read_bytes()
    with torch.no_grad():
        network.heads.weight.fill_(torch.inf)
    with pytest.raises(InputError, match=r"heads\.weight"):
        save_beat_network(path, network, {})
    assert path.read_bytes() == before


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There are no weights"):
        load_beat_network(tmp_path / "none.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    wide = tmp_path / "wide.safetensors"
    weights = BeatNetwork(SMALL).state_dict()
    save_file(dict(weights), wide, {"beat_network": '{"width": 12}'})
    for path in (text, other, wide):
        with pytest.raises(InputError, match=f"{path.name} holds no weights"):
            load_beat_network(path)


def test_onset_strength_peaks_where_sounds_begin() -> None:
    mel = torch.full((400, 64), -10.0)
    mel[100:] = -4.0
    mel[301:] = 0.0
    strength = onset_strength(mel, 200)
    assert strength.shape == (200,) and np.isfinite(strength).all()
    assert set(np.argsort(strength)[-2:]) == {50, 150}
    assert onset_strength(torch.full((401, 64), -10.0), 200).max() == 0
