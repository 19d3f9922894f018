"""Scores: exact beats, their sound, effects that keep the time, and sounds without a pulse."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from musedance_core.audio.waveform import Waveform
from musedance_core.world.scores.effects import (
    add_noise,
    compress,
    random_effects,
    reverb,
    through_mp3,
)
from musedance_core.world.scores.held_out_styles import TEST
from musedance_core.world.scores.public_domain import public_domain_score
from musedance_core.world.scores.score import DRUMS, Score, make_score, random_score
from musedance_core.world.scores.songs import NO_PULSE, beat_song
from musedance_core.world.scores.soundfonts import installed_fonts, play
from musedance_core.world.scores.styles import TRAINING
from musedance_core.world.synth import RATE

STYLES = {**TRAINING, **TEST}


def lag(wave: Waveform, starts: list[float]) -> float:
    """Milliseconds by which the sound's onsets come after `starts`."""
    power = np.convolve(wave.samples[0] ** 2, np.ones(160) / 160, "same")[
        :: wave.sample_rate // 1000
    ]
    flux = np.maximum(np.diff(np.log(power + 1e-7)), 0)
    lags = np.arange(-50, 70)
    inside = [round(1000 * s) for s in starts if 0.1 < s < wave.seconds - 0.2]
    return float(lags[int(np.argmax([flux[np.array(inside) + k].mean() for k in lags]))])


def kicks(score: Score) -> list[float]:
    return [note.start for note in score.notes if note.program == DRUMS and note.key == 36]


@pytest.mark.parametrize("name", STYLES)
def test_patterns_fill_their_bars(name: str) -> None:
    style = STYLES[name]
    patterns = [bar for drums in style.drums for bar in drums.values()]
    for bar in (*patterns, *style.bass, *style.chords):
        assert len(bar) == style.meter * style.steps and set(bar) <= set("Xxo.")


def test_test_styles_are_not_for_training() -> None:
    assert not set(TRAINING) & set(TEST)
    rng = np.random.default_rng(0)
    assert {random_score(rng, 12.0, "test").style for _ in range(40)} <= set(TEST)
    assert {random_score(rng, 12.0).style for _ in range(40)} <= set(TRAINING)


@pytest.mark.parametrize("name", STYLES)
def test_notes_are_on_the_beats_that_the_grid_tells(name: str) -> None:
    score = make_score(np.random.default_rng(7), name, 24.0)
    grid, style = score.grid, STYLES[name]
    assert grid.times[0] > 0 and grid.times[-1] < score.seconds
    assert np.isin(grid.downbeats, grid.times).all()
    slowest, fastest = 60 / style.tempo[1], 60 / style.tempo[0]
    intervals = np.diff(grid.times)
    assert (intervals > 0.8 * slowest).all() and (intervals < 1.25 * fastest).all()
    # Players are on the steps of the beats, but for swing and what is human.
    steps = grid.count(np.array([note.start for note in score.notes])) * style.steps
    off = np.abs(steps - np.round(steps))
    assert np.median(off) < 0.15 + style.swing / 2


def test_a_score_is_a_function_of_its_seed() -> None:
    one, two = (make_score(np.random.default_rng(3), "rock", 12.0) for _ in range(2))
    assert one.notes == two.notes and np.array_equal(one.grid.times, two.grid.times)


def test_the_synthesiser_plays_a_score_in_time() -> None:
    score = make_score(np.random.default_rng(1), "techno", 20.0)
    assert abs(lag(play(score, None), kicks(score))) <= 10


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="needs FluidSynth")
def test_soundfonts_play_a_score_in_time() -> None:
    pytest.importorskip("mido")
    score = make_score(np.random.default_rng(1), "techno", 20.0)
    fonts = installed_fonts("train")
    assert set(fonts).isdisjoint(installed_fonts("test"))
    for font in fonts[:2]:
        wave = play(score, font)
        assert wave.seconds == pytest.approx(score.seconds, abs=0.01)
        assert abs(lag(wave, kicks(score))) <= 10


def test_effects_keep_the_time() -> None:
    score = make_score(np.random.default_rng(1), "techno", 12.0)
    wave, rng = play(score, None), np.random.default_rng(0)
    x, rate = wave.samples[0].astype(np.float64), wave.sample_rate
    for y in (
        reverb(x, rate, rng, 0.5, 0.3),
        compress(x, rate, 0.5),
        add_noise(x, rate, rng, 20.0),
    ):
        assert y.shape == x.shape and np.isfinite(y).all()
        assert abs(lag(Waveform(y[None].astype(np.float32), rate), kicks(score))) <= 10
    assert abs(lag(through_mp3(wave), kicks(score))) <= 10


def test_random_effects_change_the_sound_within_its_range() -> None:
    wave = play(make_score(np.random.default_rng(1), "funk", 6.0), None)
    for seed in range(12):
        changed = random_effects(wave, np.random.default_rng(seed)).samples
        assert changed.shape == wave.samples.shape and np.isfinite(changed).all()
        assert np.abs(changed).max() <= 1.1
        assert not np.array_equal(changed, wave.samples)


@pytest.mark.parametrize("name", NO_PULSE)
def test_sounds_without_a_pulse_have_their_length(name: str) -> None:
    sound = NO_PULSE[name](np.random.default_rng(0), 5.0)
    assert sound.shape == (5 * RATE,) and np.isfinite(sound).all() and sound.std() > 1e-4


def test_songs_are_functions_of_their_index_and_have_beats_inside() -> None:
    without_pulse = 0
    for index in range(12):
        song = beat_song(1, index, seconds=8.0)
        assert np.isfinite(song.wave.samples).all()
        if song.meter == 0:
            without_pulse += 1
            assert len(song.beats) == 0 == len(song.downbeats)
            continue
        assert len(song.beats) > 4 and 0 <= song.beats[0] < song.beats[-1] < song.wave.seconds
        assert np.isin(song.downbeats, song.beats).all()
    again = beat_song(1, 0, seconds=8.0)
    assert np.array_equal(again.beats, beat_song(1, 0, seconds=8.0).beats)
    assert without_pulse < 6


def test_pieces_of_the_public_domain_have_full_bars() -> None:
    pytest.importorskip("music21")
    found = 0
    for seed in range(12):
        score = public_domain_score(np.random.default_rng(seed), 20.0, "train")
        if score is None:
            continue
        found += 1
        grid = score.grid
        numbers = np.flatnonzero(np.isin(grid.times, grid.downbeats))
        assert np.median(np.diff(numbers)) == score.meter
        assert all(note.start >= 0 for note in score.notes)
    assert found >= 4


def test_the_folders_of_fonts_need_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musedance_core.world.scores.soundfonts.FOLDERS", (Path("/nowhere"),))
    assert installed_fonts("train") == ()
