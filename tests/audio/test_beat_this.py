"""Beat tracking with Beat This!: a stand-in for its package, and our own errors."""

from __future__ import annotations

import sys
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType

import numpy as np
import pytest

from musedance_core.audio.beat_this import track_beats_with_beat_this
from musedance_core.audio.waveform import Waveform
from musedance_core.errors import InputError

SONG = Waveform(np.zeros((2, 44_100), np.float32), 44_100)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "final.ckpt"
    path.write_bytes(b"weights")
    return path


def stand_in(
    monkeypatch: pytest.MonkeyPatch, beats: list[float], fails: Exception | None = None
) -> list[str]:
    """A package whose network returns these beats; returns the checkpoints that it loads."""
    loaded: list[str] = []

    class Audio2Beats:
        def __init__(self, checkpoint_path: str, device: str) -> None:
            if fails is not None:
                raise fails
            loaded.append(checkpoint_path)

        def __call__(self, signal: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
            assert signal.shape == (44_100,) and rate == 44_100
            return np.array(beats), np.array(beats[::4])

    package, inference = ModuleType("beat_this"), ModuleType("beat_this.inference")
    inference.Audio2Beats = Audio2Beats  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "beat_this", package)
    monkeypatch.setitem(sys.modules, "beat_this.inference", inference)
    return loaded


def test_beats_and_downbeats_are_those_of_the_network(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path
) -> None:
    loaded = stand_in(monkeypatch, [0.1, 0.6, 1.1, 1.6, 2.1])
    grid = track_beats_with_beat_this(SONG, checkpoint)
    assert loaded == [str(checkpoint)]
    assert grid.tempo == pytest.approx(120) and grid.downbeats.tolist() == [0.1, 2.1]


def test_without_a_pulse_an_even_grid_is_assumed(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path
) -> None:
    stand_in(monkeypatch, [])
    grid = track_beats_with_beat_this(SONG, checkpoint)
    assert grid.tempo == 120 and grid.assumed


def test_only_local_files_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = stand_in(monkeypatch, [0.1, 0.6])
    with pytest.raises(InputError, match="no checkpoint of Beat This! at final0"):
        track_beats_with_beat_this(SONG, "final0")
    assert loaded == []


@pytest.mark.parametrize("error", [RuntimeError("state dict"), UnpicklingError("weights only")])
def test_a_file_that_is_no_checkpoint_is_named(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path, error: Exception
) -> None:
    stand_in(monkeypatch, [0.1, 0.6], fails=error)
    with pytest.raises(InputError, match=r"final\.ckpt is no checkpoint"):
        track_beats_with_beat_this(SONG, checkpoint)


def test_without_the_package_one_command_is_named(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path
) -> None:
    monkeypatch.setitem(sys.modules, "beat_this", None)
    monkeypatch.setitem(sys.modules, "beat_this.inference", None)
    with pytest.raises(InputError, match="pip install beat_this"):
        track_beats_with_beat_this(SONG, checkpoint)
