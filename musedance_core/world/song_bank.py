"""Songs with their log-mels, each made when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..audio.mel import song_log_mel
from ..audio.waveform import Waveform
from .songs import Song

NO_SAMPLES = np.zeros((1, 0), np.float32)


class SongBank:
    """Caches the songs that `make` returns for their indices, without their sound to save memory,
    and their log-mels of `mel_bins` bins."""

    def __init__(self, make: Callable[[int], Song], mel_bins: int) -> None:
        self.make, self.mel_bins = make, mel_bins
        self._songs: dict[int, tuple[Song, Tensor]] = {}

    def __getitem__(self, index: int) -> tuple[Song, Tensor]:
        """Returns song `index` without its sound, and its log-mel `[t mel]`."""
        if index not in self._songs:
            song = self.make(index)
            mel = song_log_mel(song.wave, self.mel_bins)
            silent = Waveform(NO_SAMPLES, song.wave.sample_rate)
            self._songs[index] = replace(song, wave=silent), mel
        return self._songs[index]
