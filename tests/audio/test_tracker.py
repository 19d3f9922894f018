"""The two trackers: the network's, and librosa's, which equals its own call."""

from __future__ import annotations

import sys

import librosa
import numpy as np
import pytest

from musedance_core.audio.librosa_tracker import DETECTION_LAG, TRACKING_RATE
from musedance_core.audio.tracker import track_beats
from musedance_core.audio.waveform import Waveform
from musedance_core.errors import InputError
from musedance_core.metrics.beat_tracking import beat_f_measure
from musedance_core.world.scores.score import make_score
from musedance_core.world.scores.songs import NO_PULSE
from musedance_core.world.scores.soundfonts import play
from musedance_core.world.songs import make_song
from musedance_core.world.synth import RATE


def clicks(bpm: float, offset: float, seconds: float, rate: int = 44_100) -> Waveform:
    """Short bursts of noise on every beat, the first of four louder."""
    rng = np.random.default_rng(0)
    samples = 1e-3 * rng.standard_normal(round(seconds * rate))
    burst = np.exp(-np.arange(rate // 20) / (rate / 100)) * rng.standard_normal(rate // 20)
    for i, at in enumerate(np.arange(offset, seconds - 0.1, 60 / bpm)):
        first = round(at * rate)
        samples[first : first + len(burst)] += burst * (0.3 if i % 4 == 0 else 0.1)
    return Waveform(samples[None].astype(np.float32), rate)


def rock(bpm: float, seconds: float = 16.0) -> Waveform:
    """Low drums every one and a half beats, far louder than the hi-hat that plays the beats."""
    rng = np.random.default_rng(0)
    t = np.arange(round(0.3 * TRACKING_RATE)) / TRACKING_RATE
    drum = 0.6 * np.exp(-t / 0.08) * np.sin(2 * np.pi * 80 * t) * np.minimum(1, t / 0.005)
    hat = 0.02 * np.exp(-t / 0.03) * rng.standard_normal(len(t))
    samples = 1e-2 * rng.standard_normal(round(seconds * TRACKING_RATE))
    for sound, step in ((hat, 1.0), (drum, 1.5)):
        for at in np.arange(0.3, seconds - 0.3, step * 60 / bpm):
            piece = samples[round(at * TRACKING_RATE) :][: len(sound)]
            piece += sound
    return Waveform(samples[None].astype(np.float32), TRACKING_RATE)


def librosa_beats(wave: Waveform) -> np.ndarray:
    """Beats in seconds as librosa's manual tracks them."""
    _, times = librosa.beat.beat_track(
        y=wave.samples[0], sr=wave.sample_rate, units="time", trim=False
    )
    return np.asarray(times)


@pytest.mark.parametrize("bpm", [160.0, 170.0, 185.0])
def test_loud_low_drums_do_not_hide_the_tempo(bpm: float) -> None:
    tempo = track_beats(rock(bpm)).tempo
    assert min(abs(tempo / bpm - 1), abs(tempo / bpm - 0.5)) < 0.02


@pytest.mark.parametrize(
    "wave",
    [
        *(rock(bpm) for bpm in (160.0, 170.0, 185.0)),
        *(clicks(bpm, 0.4, 16.0, TRACKING_RATE) for bpm in (84.0, 157.0)),
        *(make_song(3, index).wave.mono().resampled(TRACKING_RATE) for index in range(6)),
    ],
)
def test_beats_are_those_of_librosas_own_call(wave: Waveform) -> None:
    truth = librosa_beats(wave)
    assert len(truth) > 8
    assert np.allclose(track_beats(wave, tracker="librosa").times, truth - DETECTION_LAG, atol=1e-9)


@pytest.mark.parametrize("bpm", [84.0, 120.0, 157.0])
def test_clicks_are_tracked_at_their_times(bpm: float) -> None:
    grid = track_beats(clicks(bpm, 0.4, 20.0), bpm)
    inner = grid.times[(grid.times > 1) & (grid.times < 19)]
    off = (inner - 0.4 + 30 / bpm) % (60 / bpm) - 30 / bpm
    assert np.abs(off).max() < 0.03 and abs(np.median(off)) < 0.015
    assert grid.tempo == pytest.approx(bpm, rel=0.01) and not grid.assumed
    assert len(inner) == pytest.approx(18 * bpm / 60, abs=1)


def test_the_loudest_of_four_beats_is_the_downbeat() -> None:
    grid = track_beats(clicks(120, 0.5, 16.0), 120)
    distance = (grid.downbeats[1:-1] - 0.5 + 1) % 2 - 1
    assert np.abs(distance).max() < 0.05


@pytest.mark.parametrize("meter", [2, 3, 4, 7])
def test_a_known_meter_sets_the_distance_of_downbeats(meter: int) -> None:
    grid = track_beats(clicks(120, 0.5, 16.0), 120, meter=meter)
    numbers = np.flatnonzero(np.isin(grid.times, grid.downbeats))
    assert (np.diff(numbers) == meter).all() and numbers[0] < meter


@pytest.mark.parametrize("meter", [0, 1, 13, 3.5])
def test_a_meter_out_of_range_is_named(meter: int) -> None:
    with pytest.raises(InputError, match=f"number of beats a bar .*2..12, not {meter}"):
        track_beats(clicks(120, 0.5, 4.0), meter=meter)


def test_an_unknown_tracker_is_named() -> None:
    with pytest.raises(InputError, match=r"librosa, not.*ears"):
        track_beats(clicks(120, 0.5, 4.0), tracker="ears")


@pytest.mark.parametrize(("bpm", "tempo"), [(None, 120), (80, 80)])
def test_sound_without_a_pulse_gets_an_even_grid_marked_as_assumed(
    bpm: float | None, tempo: float
) -> None:
    silence = Waveform(np.zeros((1, 22_050 * 3), np.float32), 22_050)
    grid = track_beats(silence, bpm)
    assert grid.assumed and grid.tempo == tempo and np.allclose(np.diff(grid.times), 60 / tempo)


def test_without_librosa_one_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(InputError, match="pip install librosa"):
        track_beats(Waveform(np.ones((1, 22_050), np.float32), 22_050), tracker="librosa")


def test_the_beats_of_songs_are_found_with_their_bars() -> None:
    scores, bars = [], []
    for index in range(8):
        song = make_song(5, index)
        grid = track_beats(song.wave)
        scores.append(beat_f_measure(song.grid.times, grid.times))
        bars.append(beat_f_measure(song.grid.downbeats, grid.downbeats))
    assert np.mean(scores) > 0.9 and np.mean(bars) > 0.6


def test_confidences_are_of_beats_and_high_for_plain_drums() -> None:
    grid = track_beats(make_song(5, 0, genre="techno").wave)
    assert grid.confidence is not None and grid.confidence.shape == grid.times.shape
    assert ((grid.confidence >= 0) & (grid.confidence <= 1)).all() and grid.song_confidence > 0.6


def test_channels_out_of_phase_do_not_cancel() -> None:
    one = make_song(5, 1, tempo=100.0).wave
    both = Waveform(np.concatenate([one.samples, -one.samples]), one.sample_rate)
    assert np.allclose(track_beats(both).times, track_beats(one).times, atol=1e-6)
    assert np.array_equal(both.mono().samples, one.samples)


@pytest.mark.parametrize("kind", ["drone", "noise", "speech", "silence"])
def test_no_beat_is_found_where_nothing_pulses(kind: str) -> None:
    rng = np.random.default_rng(3)
    samples = NO_PULSE[kind](rng, 20.0) if kind in NO_PULSE else np.zeros(20 * RATE)
    samples = samples / max(1.0, float(np.abs(samples).max()))
    grid = track_beats(Waveform(samples[None].astype(np.float32), RATE))
    assert grid.assumed and grid.song_confidence == 0


def test_silence_before_a_song_has_no_beats() -> None:
    song = make_song(5, 2)
    quiet = np.zeros((1, 12 * song.wave.sample_rate), np.float32)
    wave = Waveform(np.concatenate([quiet, song.wave.samples], axis=1), song.wave.sample_rate)
    grid = track_beats(wave)
    assert grid.times[0] > 11.9
    assert beat_f_measure(song.grid.times + 12, grid.times) > 0.9


def test_both_tempi_of_a_song_are_followed() -> None:
    first, second = make_song(5, 3, 20.0, tempo=100.0), make_song(5, 4, 20.0, tempo=140.0)
    wave = Waveform(
        np.concatenate([first.wave.samples, second.wave.samples], axis=1), first.wave.sample_rate
    )
    truth = np.r_[first.grid.times, second.grid.times + 20]
    assert beat_f_measure(truth, track_beats(wave).times) > 0.85


@pytest.mark.parametrize("style", ["waltz", "ballad 3/4"])
def test_a_waltz_has_three_beats_a_bar(style: str) -> None:
    score = make_score(np.random.default_rng(4), style, 24.0)
    grid = track_beats(play(score, None))
    numbers = np.flatnonzero(np.isin(grid.times, grid.downbeats))
    assert np.median(np.diff(numbers)) == 3
