from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musedance_core.evaluation.measure import MeasuredClip, VideoFigures
from musedance_core.evaluation.report.measures import MEASURES
from musedance_core.evaluation.report.summary import summarise
from musedance_core.metrics.beat_alignment import BeatTrack, beat_alignment

WINDOW = (0.1, 3.8)


def look(psnr: float, motion: np.ndarray, music: np.ndarray, seed: int = 0) -> VideoFigures:
    track = BeatTrack(motion, music, WINDOW)
    scored = beat_alignment(track)
    assert scored is not None
    features = {"fvd": np.random.default_rng(seed).standard_normal(6)}
    return VideoFigures(
        {"psnr": psnr, "alignment": scored.harmonic_mean}, np.ones(47), track, features
    )


def clips(count: int, late: float = 0.0) -> list[MeasuredClip]:
    rng = np.random.default_rng(0)
    made = []
    for i in range(count):
        beats = rng.uniform(0, 0.4) + rng.uniform(0.4, 0.8) * np.arange(-1, 12)
        sample, truth = look(20 + i, beats + late, beats, i), look(100, beats, beats, 99 + i)
        made.append(
            MeasuredClip(f"clip {i}", 12, f"{i}.mp4", f"t{i}.mp4", "hop", beats, "", sample, truth)
        )
    return made


def test_a_row_has_every_figure_or_says_why_not() -> None:
    row = summarise("ours", "model", clips(5), ["a note"])
    assert row.figures.keys() == MEASURES.keys() and row.notes == ("a note",)
    for name, figure in row.figures.items():
        assert (figure.value is None) == bool(figure.note) == (figure.n == 0), name
    psnr = row.figures["psnr"]
    assert psnr.value == 22 and psnr.n == 5 and psnr.truth == 100
    assert psnr.interval is not None and 20 < psnr.interval[0] < 22 < psnr.interval[1] < 24
    assert row.figures["lpips"].note == "no backbone file given"


def test_missing_truth_is_noted() -> None:
    alone = [replace(clip, truth=None) for clip in clips(3)]
    figures = summarise("ours", "model", alone).figures
    assert figures["lpips"].note == figures["ssim"].note == figures["fvd"].note == "no truth given"
    assert figures["psnr"].value == 21 and figures["psnr"].truth is None


def test_the_gain_over_other_music_is_paired_and_the_truth_is_the_ceiling() -> None:
    row, late = summarise("ours", "m", clips(10)), summarise("late", "m", clips(10, 0.2))
    gain, lost = row.figures["alignment_gain"], late.figures["alignment_gain"]
    assert gain.interval is not None and gain.interval[0] > 0.3
    assert lost.interval is not None and lost.interval[1] < 0.1
    assert lost.truth == pytest.approx(gain.value)
    mine = row.figures["alignment"].value or 0
    others = row.figures["alignment_shuffled"].value or 0
    assert gain.value == pytest.approx(mine - others)
    for clip in row.clips:
        assert {"alignment_gain", "alignment_shuffled"} <= clip.sample.values.keys()


def test_clips_that_are_all_half_a_beat_late_have_a_lag_of_half_a_beat() -> None:
    half = []
    for i, clip in enumerate(clips(8)):
        values = {**clip.sample.values, "lag": 0.24 if i % 2 else -0.24}
        half.append(replace(clip, sample=replace(clip.sample, values=values, beat=0.5)))
    lag = summarise("late", "m", half).figures["lag"]
    assert lag.value is not None and abs(lag.value) == pytest.approx(0.25)
    assert lag.n == 8 and lag.truth is None and lag.interval is not None
    assert lag.interval[0] <= lag.value <= lag.interval[1] < lag.interval[0] + 0.03


def test_set_distances_come_with_n_floor_and_interval() -> None:
    row = summarise("ours", "m", clips(8))
    fvd = row.figures["fvd"]
    assert fvd.n == 8 and fvd.floor is not None and fvd.interval is not None
    same = [replace(clip, sample=clip.truth) for clip in clips(8) if clip.truth is not None]
    assert summarise("truth", "m", same).figures["fvd"].value == pytest.approx(0, abs=1e-9)
    assert summarise("one", "m", clips(1)).figures["fvd"].note == "two clips are needed"


def test_one_clip_alone_has_no_interval_and_no_control() -> None:
    figures = summarise("ours", "m", clips(1)).figures
    assert figures["psnr"].interval is None and figures["psnr"].n == 1
    assert figures["alignment_gain"].note == "no other clip's beats"


def test_the_same_seed_gives_the_same_row() -> None:
    one, two = (summarise("ours", "m", clips(6), seed=3).figures for _ in range(2))
    assert one == two
