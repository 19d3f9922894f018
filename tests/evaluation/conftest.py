"""Little videos whose motion and beats are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.audio.waveform import Waveform

SIDE = 32
BACKGROUND = 0.2

Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]
Clicks = Callable[[np.ndarray, float], Waveform]
WriteScript = Callable[[str, torch.nn.Module], Path]


def _draw(way: np.ndarray) -> Tensor:
    columns = torch.arange(SIDE)[None]
    left = torch.from_numpy(np.asarray(way, dtype=np.float64))[:, None]
    share = (columns + 1 - left).clamp(0, 1) * (left + 8 - columns).clamp(0, 1)
    frames = torch.full((len(way), 3, SIDE, SIDE), BACKGROUND)
    frames[:, :, 12:20] += (0.9 - BACKGROUND) * share[:, None, None, :].float()
    return frames


def _swing(times: np.ndarray, period: float, first: float) -> np.ndarray:
    return np.asarray(12 - 7 * np.cos(np.pi * (times - first) / period))


def _clicks(beats: np.ndarray, seconds: float) -> Waveform:
    rng, rate = np.random.default_rng(0), 22_050
    samples = np.zeros(round(seconds * rate), dtype=np.float32)
    click = (rng.uniform(-0.5, 0.5, 800) * np.exp(-np.arange(800) / 150)).astype(np.float32)
    for beat in np.asarray(beats):
        at = round(float(beat) * rate)
        if 0 <= at < len(samples) - len(click):
            samples[at : at + len(click)] += click
    return Waveform(samples[None], rate)


@pytest.fixture(scope="session")
def draw() -> Draw:
    """A bright square whose left edge stands at `way` [f] pixels: frames `[f 3 32 32]`.

    Its edges are drawn by coverage, so that motion by part of a pixel shows.
    """
    return _draw


@pytest.fixture(scope="session")
def swing() -> Swing:
    """Pixels at `times`: one way per beat, resting exactly on the beats `first` + k * `period`."""
    return _swing


@pytest.fixture(scope="session")
def clicks() -> Clicks:
    """A broadband click on every beat of `seconds` of sound."""
    return _clicks


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    """Write a module as TorchScript."""

    def write(name: str, module: torch.nn.Module) -> Path:
        path = tmp_path / name
        torch.jit.save(torch.jit.script(module), str(path))
        return path

    return write
