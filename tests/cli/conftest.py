"""Inputs of the command line, good and bad, and a function that runs it."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musedance_core.cli import main

RATE = 32_000


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def clicks(seconds: float, bpm: float = 120.0) -> np.ndarray:
    """A click with a short decay on every beat, over soft noise."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * RATE)) / RATE
    since = time % (60 / bpm)
    return 0.5 * np.exp(-since * 60) * rng.uniform(-1, 1, len(time)) + 0.01 * np.sin(440 * time)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good picture and song, and bad ones of every kind."""
    folder = tmp_path_factory.mktemp("inputs")
    pixels = np.zeros((120, 90, 4), np.uint8)
    pixels[20:100, 20:70] = (220, 60, 40, 255)
    Image.fromarray(pixels).save(folder / "sticker.png")
    whole = (folder / "sticker.png").read_bytes()
    (folder / "corrupt.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("L", (20_000, 20)).save(folder / "long.png")
    write_wav(folder / "song.wav", clicks(6))
    write_wav(folder / "empty.wav", clicks(0))
    write_wav(folder / "silent.wav", np.zeros(RATE * 6))
    write_wav(folder / "short.wav", clicks(0.2))
    (folder / "text.mp3").write_text("la la la " * 100)
    (folder / "text.safetensors").write_text("not a checkpoint " * 100)
    lists = {"unsorted": [2.0, 1.0, 3.0], "infinite": [1.0, float("inf")], "late": [60.0, 61.0]}
    for name, times in lists.items():
        text = json.dumps({"tempo": 120.0, "beats": times, "downbeats": []})
        (folder / f"{name}.json").write_text(text)
    (folder / "words.json").write_text('{"tempo": "fast"}')
    return folder


@pytest.fixture(scope="session")
def run() -> Callable[..., int]:
    """Runs `musedance WORDS` in this process; returns the exit code."""

    def run(*words: str | Path) -> int:
        try:
            return main([str(word) for word in words])
        except SystemExit as stop:
            return int(stop.code or 0)

    return run
