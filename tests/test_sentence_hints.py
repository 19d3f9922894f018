"""Hints in the log: unknown moves, and limbs that a picture lacks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core.audio.waveform import Waveform
from musedance_core.dance.figure import LayeredFigure
from musedance_core.dance.posing import Body
from musedance_core.dance.skeleton import PART_INDEX
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.sentence_hints import log_hints, log_skipped

VIOLIN = "No move is known in 'play the violin': the song decides the move (see docs/dances.md)."


def figure_without(*parts: str) -> LayeredFigure:
    layers = torch.ones(10, 4, 8, 8)
    for part in parts:
        layers[PART_INDEX[part]] = 0
    return LayeredFigure(layers, Body.standing(100, 50, 120))


def test_every_unknown_move_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    log_hints([(0, "play the violin"), (4, "big hops"), (8, ""), (12, "play the violin")])
    assert caplog.messages == [VIOLIN]


@pytest.mark.parametrize(
    ("sentence", "missing", "hint"),
    [
        ("big jumping jacks", ["left_upper_arm", "right_upper_arm"], "arms"),
        ("clap", ["left_upper_arm", "left_thigh"], "left arm"),
        ("moonwalk", ["right_upper_arm", "left_thigh", "right_thigh"], "right arm and legs"),
        ("big hops", ["left_upper_arm", "right_upper_arm"], None),
        ("clap", ["left_thigh", "right_thigh"], None),
        ("big jumping jacks", [], None),
    ],
)
def test_limbs_that_the_sentence_needs_and_the_figure_lacks_are_named(
    sentence: str, missing: list[str], hint: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    log_hints([(0, sentence)], figure_without(*missing))
    lines = [line.split(": ")[1].split(".")[0] for line in caplog.messages]
    assert lines == ([] if hint is None else [hint])


@pytest.mark.parametrize(
    ("times", "start", "seconds", "skipped"),
    [
        ([0, 4, 8], 0, 12, []),
        ([0, 0.1], 0, 4, [0.1]),  # no segment begins after it
        ([0, 0.1], 0, 12, []),
        ([0, 1, 2], 0, 12, [1]),
        ([0, 5, 6, 7], 0, 12, [5, 6]),
        ([0, 1, 2], 2, 12, []),  # they are over before the video begins
        ([0, 20], 0, 12, []),  # after its end
        ([3, 5], 0, 4, []),
        ([1, 2, 3], 0, 8, [2]),
    ],
)
def test_sentences_between_two_segments_are_named(
    times: list[float],
    start: float,
    seconds: float,
    skipped: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    prompts = [(time, f"move {number}") for number, time in enumerate(times)]
    log_skipped(prompts, start, seconds, 4.0)
    expected = [f"'move {times.index(time)}' at {time:g} s is not danced" for time in skipped]
    assert [message.split(":")[0] for message in caplog.messages] == expected


def test_the_pipeline_logs_hints(
    model: MuseDance, tokenizer: Tokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = MuseDancePipeline(model, tokenizer)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 64_000)).astype("f4")
    song = Waveform(noise, 32_000)
    pipeline(Image.new("RGB", (64, 64)), song, "play the violin", seconds=1, beats=[0.5, 1, 1.5])
    pipeline.pose(song, "play the violin", seconds=0.5, beats=[0.5, 1, 1.5])
    assert caplog.messages == [VIOLIN, VIOLIN]
