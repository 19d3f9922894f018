"""Songs with known beats, energy and breaks that a listener can detect."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.audio.mel import song_log_mel
from musedance_core.audio.tracker import track_beats
from musedance_core.world.songs import GENRES, RATE, Song, make_song


def onsets(song: Song) -> np.ndarray:
    """Onset strength of the high frequencies, every 5 ms."""
    sound = np.diff(song.wave.samples[0].astype(np.float64))
    hop = RATE // 200
    level = np.log(1e-6 + (sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(1))
    return np.maximum(0, np.diff(level, prepend=level[0]))


def test_the_same_seed_and_index_give_the_same_bytes() -> None:
    one, two = make_song(3, 5, 8.0), make_song(3, 5, 8.0)
    assert one.wave.samples.tobytes() == two.wave.samples.tobytes()
    assert np.array_equal(one.grid.times, two.grid.times) and one.breaks == two.breaks
    for other in (make_song(4, 5, 8.0), make_song(3, 6, 8.0)):
        assert one.wave.samples.tobytes() != other.wave.samples.tobytes()


def test_samples_are_those_of_a_16_bit_file() -> None:
    samples = make_song(0, 0, 6.0).wave.samples
    assert samples.dtype == np.float32 and samples.shape == (1, 6 * RATE)
    whole = samples.astype(np.float64) * 32768
    assert np.array_equal(whole, np.round(whole))
    assert 0.3 < np.abs(samples).max() < 1


@pytest.mark.parametrize("genre", GENRES)
def test_tempo_and_genre_are_as_asked_and_beats_are_even(genre: str) -> None:
    song = make_song(1, 2, 10.0, tempo=100.0, genre=genre)
    assert song.genre == genre and song.grid.tempo == 100
    assert np.allclose(np.diff(song.grid.times), 0.6)
    assert np.array_equal(song.grid.downbeats, song.grid.times[::4])
    assert song.energy.shape == song.grid.times.shape
    assert song.energy.min() >= 0 and song.energy.max() <= 1


def test_tempi_span_70_to_170() -> None:
    tempi = [make_song(0, i, 3.0).grid.tempo for i in range(60)]
    assert 70 <= min(tempi) < 80 and 160 < max(tempi) <= 175


def test_every_beat_begins_with_an_onset() -> None:
    for index in range(6):
        song = make_song(2, index, 12.0)
        times = song.grid.times[(song.grid.times > 0.1) & (song.grid.times < 11.9)]
        played = times[~song.in_break(times)]
        rise = onsets(song)
        at = np.round(played * 200).astype(int)
        near = np.stack([rise[at + k] for k in (-1, 0, 1)]).max(0)
        assert np.mean(near > np.percentile(rise, 90)) > 0.95


def test_librosa_hears_the_beats() -> None:
    for index in range(3):
        song = make_song(1, index)
        heard = track_beats(song.wave, song.grid.tempo).times
        truth = song.grid.times[song.grid.times > 3]
        distance = np.abs(truth[:, None] - heard).min(1)
        assert np.mean(distance < 0.07) > 0.9, index


@pytest.mark.parametrize("genre", GENRES)
def test_energy_raises_the_brightness_in_every_genre(genre: str) -> None:
    """Energy changes the brightness; the loudness of the file is normalised."""
    bright = []
    for level in (0.1, 0.5, 0.9):
        mel = song_log_mel(make_song(1, 4, 6.0, 110.0, genre, level=level).wave, 64)
        bright.append(float(mel[:, 48:].mean() - mel[:, :16].mean()))
    assert bright[1] > bright[0] + 0.5 and bright[2] > bright[1] + 0.5


def test_drums_are_silent_in_breaks_and_the_harmony_is_not() -> None:
    found = 0
    for index in range(8):
        song = make_song(1, index)
        rise = onsets(song)
        for begin, end in song.breaks:
            a, b = round((begin + 0.1) * 200), round((end - 0.1) * 200)
            assert rise[a:b].mean() < rise[: round(begin * 200)].mean()
            inside = song.wave.samples[0, round(begin * RATE) : round(end * RATE)]
            assert np.abs(inside).max() > 0.02
            found += 1
    assert found >= 3
