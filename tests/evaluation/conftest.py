"""Sound with exact beats, and networks as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from musedance_core.audio.waveform import Waveform

Clicks = Callable[[np.ndarray, float], Waveform]
WriteScript = Callable[[str, torch.nn.Module], Path]


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
