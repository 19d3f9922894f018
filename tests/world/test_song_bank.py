"""The bank of songs: each is made once, and cached without its sound."""

from __future__ import annotations

import numpy as np
import torch

from musedance_core.audio.mel import song_log_mel
from musedance_core.world.song_bank import SongBank
from musedance_core.world.songs import Song, make_song


def test_a_song_is_made_once_and_keeps_all_but_its_sound() -> None:
    made: list[int] = []

    def make(index: int) -> Song:
        made.append(index)
        return make_song(0, index, seconds=2.0)

    bank = SongBank(make, 16)
    song, mel = bank[3]
    assert bank[3][0] is song and made == [3]
    true = make_song(0, 3, seconds=2.0)
    assert torch.equal(mel, song_log_mel(true.wave, 16))
    assert np.array_equal(song.grid.times, true.grid.times)
    assert np.array_equal(song.energy, true.energy)
    assert song.wave.samples.size == 0 and song.wave.sample_rate == true.wave.sample_rate
