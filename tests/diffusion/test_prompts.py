"""Prompt timelines: what is read, what holds when, what is refused."""

from __future__ import annotations

import pytest

from musedance_core.diffusion.prompts import at_time, parse_prompts
from musedance_core.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        "0:00 sway / 0:08 big hops",
        "0 sway / 8 big hops",
        "0:00 sway\n0:08 big hops",
        "0:00.0 sway / 0:08.00 big hops /",
        "\n 0:00  sway \n\n 0:08 big hops \n",
        "0:00 sway/0:08 big hops",
        "0:00 sway;0:08 big hops",
        "0:00 sway|0:08 big hops",
        "0:00 sway, 0:08 big hops",
        "0:00 sway 0:08 big hops",
        "0:00 sway -> 0:08 big hops",
        "[0:00] sway [0:08] big hops",
        "(0:00) sway (0:08) big hops",
        "[0] sway [8] big hops",
        "0:00 - sway / 0:08: big hops",
        "0 sway/8 big hops",
        "0 sway; 8 big hops",
        "0 sway|8 big hops",
        "0\uff1a00 sway\uff1b0\uff1a08 big hops",
    ],
)
def test_times_and_sentences_are_read(text: str) -> None:
    assert parse_prompts(text) == [(0.0, "sway"), (8.0, "big hops")]


@pytest.mark.parametrize(
    "sentence",
    ["it hops and/or slides", "it hops; it sways", "half a turn, 1/2 of it", "at 120 BPM, it hops"],
)
def test_a_sentence_without_a_time_is_for_the_whole_song(sentence: str) -> None:
    assert parse_prompts(f" {sentence} ") == [(0.0, sentence)]


@pytest.mark.parametrize(
    ("text", "seconds", "sentence"),
    [
        ("2 big hops", 0, "2 big hops"),
        ("2.5 big hops /", 0, "2.5 big hops"),
        ("0:02 big hops", 2, "big hops"),
        ("0 big hops", 0, "big hops"),
    ],
)
def test_a_number_alone_belongs_to_the_only_sentence(
    text: str, seconds: float, sentence: str
) -> None:
    assert parse_prompts(text) == [(seconds, sentence)]


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_text_is_an_empty_sentence(text: str) -> None:
    assert parse_prompts(text) == [(0.0, "")]


@pytest.mark.parametrize("text", ["0:00 / 0:04 hop / 0:08", "0:00\n0:04 hop\n0:08", "0|4 hop|8"])
def test_a_time_alone_between_separators_has_an_empty_sentence(text: str) -> None:
    assert parse_prompts(text) == [(0.0, ""), (4.0, "hop"), (8.0, "")]


def test_minutes_count_sixty() -> None:
    assert parse_prompts("0:59.5 sway / 1:00 hop / 12:05 spin")[2] == (725.0, "spin")
    assert parse_prompts("1:02:03 spin") == [(3723.0, "spin")]


def test_numbers_and_fractions_stay_in_a_sentence() -> None:
    text = "0:00 2 hops and 1/2 a turn / 0:08 3 hops"
    assert parse_prompts(text) == [(0.0, "2 hops and 1/2 a turn"), (8.0, "3 hops")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" / ", "empty"),
        ("/ 0:08 /", "no sentence at 0:08"),
        ("0:08 hop / 0:04 sway", "4 s comes after 8 s"),
        ("0:00 hop / 999999:00 sway", "time of 5.99999e[+]07 s, outside"),
        pytest.param(f"0:00 hop / 0:{400 * '9'} sway", "inf s, outside", id="infinite"),
        ("0:00 hop / 0:00 sway", "must rise"),
        ("0:00 hop / sway", "'sway' of the prompt timeline must begin with a time"),
        ("sway | hop", "'sway' of the prompt timeline must begin with a time"),
        ("sway, then at 0:08 hop", "'sway, then at' of the prompt timeline must begin"),
        ("0:00 sway until 0:08", "no sentence at 0:08"),
        ("0:00-0:08 sway", "no sentence at 0:00"),
        ("8:00", "no sentence at 8:00"),
        ("8", "no sentence at 8"),
    ],
)
def test_a_timeline_that_cannot_be_read_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_prompts(text)


def test_the_last_sentence_that_has_begun_applies() -> None:
    entries = [(2.0, "a"), (4.0, "b")]
    assert [at_time(entries, t) for t in (0.0, 2.0, 3.99, 4.0, 100.0)] == ["a", "a", "a", "b", "b"]
