"""Excerpts of songs with exact beats for the beat network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ...audio.beat_network import FRAMES_PER_SECOND, beat_mel
from ...audio.mel import HOP_SECONDS
from ...errors import InputError
from ...files import atomic_path
from ...world.scores.songs import beat_song
from ..config import DataConfig
from ..stages.base import Batch

MEL_FRAMES = 1280
"""Length of an excerpt in frames of 10 ms."""
FIRST_SONGS = 48
"""Songs to choose from at the beginning ..."""
SAMPLES_PER_SONG = 72
"""... and excerpts after which there is one more: it takes longer to play a song than to learn from
an excerpt."""
NEIGHBOUR = 0.5
"""Target of the frames beside a beat's."""


@dataclass(frozen=True)
class Variation:
    """Differences between excerpts of a song."""

    stretched: float = 0.5
    """Share of excerpts that are played faster or slower ..."""
    stretch: float = 1.3
    """... by up to this factor."""
    gain: float = 2.0
    """Largest change of the level, in the logarithm of power."""
    tilt: float = 1.5
    """Largest change of the level from the lowest to the highest band."""
    masked: float = 0.3
    """Share of excerpts without some of the bands ..."""
    bands: int = 16
    """... at most this many."""
    floor: float = 0.3
    """Share of excerpts with an even noise floor."""


VARIATION = Variation()


@dataclass(frozen=True)
class _Track:
    """Log-mel `[t mel]` in half precision, and the seconds of beats and downbeats."""

    mel: np.ndarray
    beats: np.ndarray
    downbeats: np.ndarray


class BeatExcerpts:
    """Batches of `mel [b 1280 mel]` with the targets `beats [b 640]` and `downbeats [b 640]`.

    Songs are made when they are first used. With `folder` their log-mels are kept there, so that a
    resumed run need not play them again.
    """

    def __init__(
        self, mel_bins: int, data: DataConfig, split: str, folder: Path | None = None
    ) -> None:
        self.mel_bins, self.data, self.split, self.folder = mel_bins, data, split, folder
        self._tracks: dict[int, _Track] = {}

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"{self.split} song {self._choose(i)[0]} of the scores" for i in indices]

    def __call__(self, indices: list[int]) -> Batch:
        samples = [self._excerpt(index) for index in indices]
        return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}

    def _choose(self, index: int) -> tuple[int, np.random.Generator]:
        """The song of a sample, and its random numbers."""
        rng = np.random.default_rng((self.data.seed, 7, index))
        if self.split != "train":
            return index, rng
        available = min(self.data.songs, FIRST_SONGS + index // SAMPLES_PER_SONG)
        return int(rng.integers(available)), rng

    def _excerpt(self, index: int) -> Batch:
        number, rng = self._choose(index)
        track = self._track(number)
        varied = self.split == "train"
        factor = 1.0
        if varied and rng.random() < VARIATION.stretched:
            factor = float(VARIATION.stretch ** rng.uniform(-1, 1))
        # `factor` above 1 plays faster: more of the song fits.
        length = round(MEL_FRAMES * factor)
        first = int(rng.integers(max(1, len(track.mel) - length + 1)))
        mel = torch.from_numpy(track.mel[first : first + length].astype(np.float32))
        mel = F.pad(mel, (0, 0, 0, length - len(mel)), value=float(mel.min()))
        if length != MEL_FRAMES:
            mel = F.interpolate(rearrange(mel, "t f -> 1 f t"), MEL_FRAMES, mode="linear")
            mel = rearrange(mel, "1 f t -> t f")
        if varied:
            mel = _vary(mel, rng)
        start = first * HOP_SECONDS
        return {
            "mel": mel,
            "beats": _target((track.beats - start) / factor),
            "downbeats": _target((track.downbeats - start) / factor),
        }

    def _track(self, number: int) -> _Track:
        if number not in self._tracks:
            path = None if self.folder is None else self.folder / f"{self.split}-{number}.npz"
            if path is not None and path.is_file():
                self._tracks[number] = _read_track(path, self.mel_bins)
            else:
                song = beat_song(self.data.seed, number, self.split)
                mel = beat_mel(song.wave, self.mel_bins).numpy().astype(np.float16)
                self._tracks[number] = _Track(mel, song.beats, song.downbeats)
                if path is not None:
                    _write_track(path, self._tracks[number])
        return self._tracks[number]


def _read_track(path: Path, mel_bins: int) -> _Track:
    try:
        with np.load(path) as file:
            track = _Track(file["mel"], file["beats"], file["downbeats"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path} cannot be read; remove it, and its song is made anew.") from error
    if track.mel.shape[1] != mel_bins:
        raise InputError(f"{path} has {track.mel.shape[1]} mel bins, not {mel_bins}; remove it.")
    return track


def _write_track(path: Path, track: _Track) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, mel=track.mel, beats=track.beats, downbeats=track.downbeats)


def _vary(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Another level, tone and noise floor, and at times missing bands."""
    bins = mel.shape[1]
    tilt = torch.linspace(-0.5, 0.5, bins) * float(rng.uniform(-1, 1)) * VARIATION.tilt
    mel = mel + float(rng.uniform(-1, 1)) * VARIATION.gain + tilt
    if rng.random() < VARIATION.floor:
        mel = torch.logaddexp(mel, mel.mean() - float(rng.uniform(0, 3)) + torch.zeros_like(mel))
    if rng.random() < VARIATION.masked:
        count = int(rng.integers(1, VARIATION.bands + 1))
        low = int(rng.integers(0, bins - count + 1))
        mel = mel.clone()
        mel[:, low : low + count] = mel.min()
    return mel


def _target(times: np.ndarray) -> Tensor:
    """Target per frame `[640]`: 1 at the frames of `times`, less beside them."""
    count = MEL_FRAMES // 2
    target = torch.zeros(count)
    frames = np.round(times * FRAMES_PER_SECOND).astype(np.int64)
    for offset, value in ((-1, NEIGHBOUR), (1, NEIGHBOUR), (0, 1.0)):
        inside = frames + offset
        target[inside[(inside >= 0) & (inside < count)]] = value
    return target
