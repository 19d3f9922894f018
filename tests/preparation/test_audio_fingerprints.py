"""Audio fingerprints: one song has one id, also cut, quieter, encoded or noisy; two have two."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest

from musedance_core.preparation.audio_fingerprints import RATE, audio_fingerprint, group_tracks
from musedance_core.world.songs import make_song

SONGS = 3


def sound(index: int, **options: Any) -> np.ndarray:
    return make_song(31, index, seconds=17.0, **options).wave.resampled(RATE).samples[0]


@pytest.fixture(scope="module")
def songs() -> list[np.ndarray]:
    return [sound(index) for index in range(SONGS)]


def encoded(samples: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="adts") as container:
        stream: Any = container.add_stream("aac", rate=RATE, layout="mono")
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
        frame.sample_rate, frame.pts = RATE, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def noisy(samples: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return samples + noise * samples.std() * 10 ** (-30 / 20)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cut": lambda x: x[49_999 : 49_999 + 12 * RATE],
    "quiet": lambda x: x * 0.1,
    "encoded": encoded,
    "noisy": noisy,
    "after silence": lambda x: np.pad(x, (30_000, 0)),
    "cut, quiet, encoded and noisy": lambda x: noisy(encoded(x[33_333 : 33_333 + 12 * RATE] * 0.4)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_same_music_has_one_id(songs: list[np.ndarray], name: str) -> None:
    prints = {f"a{i}": audio_fingerprint(x) for i, x in enumerate(songs)}
    prints |= {f"b{i}": audio_fingerprint(CHANGES[name](x)) for i, x in enumerate(songs)}
    ids = group_tracks(prints)
    assert [ids[f"b{i}"] for i in range(SONGS)] == [ids[f"a{i}"] for i in range(SONGS)]
    assert len(set(ids.values())) == SONGS


@pytest.mark.parametrize("genre", ["techno", "funk", "ballad"])
def test_songs_of_one_genre_and_tempo_are_different(genre: str) -> None:
    prints = {f"{i}": audio_fingerprint(sound(i, genre=genre, tempo=105.0)) for i in range(6)}
    assert len(set(group_tracks(prints).values())) == 6


def test_the_whole_song_joins_its_beginning_and_its_end(songs: list[np.ndarray]) -> None:
    prints = {
        "begin": audio_fingerprint(songs[0][: 9 * RATE]),
        "end": audio_fingerprint(songs[0][-9 * RATE :]),
        "other": audio_fingerprint(songs[1]),
    }
    whole = group_tracks({**prints, "whole": audio_fingerprint(songs[0])})
    assert whole["begin"] == whole["end"] == whole["whole"] != whole["other"]


def test_ids_are_numbered_in_sorted_order(songs: list[np.ndarray]) -> None:
    a, b = audio_fingerprint(songs[0]), audio_fingerprint(songs[1])
    prints = {"z": a, "m": b, "c": a, "d": b}
    expected = {"c": "track-0001", "d": "track-0002", "m": "track-0002", "z": "track-0001"}
    assert group_tracks(prints) == expected
    assert group_tracks(dict(reversed(prints.items()))) == expected


def test_short_sources_are_compared_too(songs: list[np.ndarray]) -> None:
    prints = {
        "a": audio_fingerprint(songs[0][: 5 * RATE]),
        "b": audio_fingerprint(encoded(songs[0][: 5 * RATE])),
        "c": audio_fingerprint(songs[1][: 5 * RATE]),
    }
    ids = group_tracks(prints)
    assert ids["a"] == ids["b"] != ids["c"]


def test_sounds_without_peaks_have_an_id_each() -> None:
    silence = audio_fingerprint(np.zeros(5 * RATE, np.float32))
    click = audio_fingerprint(np.zeros(100, np.float32))
    assert silence.shape == click.shape == (0, 2)
    hiss = audio_fingerprint(np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32))
    ids = group_tracks({"a": silence, "b": click, "c": hiss, "d": silence})
    assert len(set(ids.values())) == 4
    assert group_tracks({}) == {}


def test_the_sample_rate_does_not_matter() -> None:
    wave = make_song(31, 0, seconds=12.0).wave
    at_its_rate = audio_fingerprint(wave.samples[0], wave.sample_rate)
    resampled = audio_fingerprint(wave.resampled(RATE).samples[0])
    assert wave.sample_rate != RATE
    assert np.array_equal(at_its_rate, resampled)


def test_a_fingerprint_is_small_and_in_order(songs: list[np.ndarray]) -> None:
    prints = audio_fingerprint(songs[0])
    assert prints.dtype == np.int32 and prints.shape[1] == 2
    assert 200 < len(prints) <= 30 * 18
    assert (np.diff(prints[:, 0]) >= 0).all()
