"""Moves and limbs that a sentence names, and words that no caption has."""

from __future__ import annotations

import numpy as np
import pytest

from musedance_core.world.dances.captions import free_caption, plain_caption, wording
from musedance_core.world.dances.dance import MOVES, Dance, random_dance
from musedance_core.world.dances.vocabulary import limbs_needed, moves_named, unknown_words
from musedance_core.world.dances.words import WORDS


@pytest.mark.parametrize("move", MOVES)
def test_captions_name_their_move(move: str) -> None:
    for text in WORDS[move][:3]:
        for sentence in (wording(text).plain, f"it {wording(text).third} happily"):
            assert move in moves_named(sentence), sentence
    assert move in moves_named(plain_caption(Dance(move)))


def test_captions_have_no_unknown_word() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        sentence = free_caption(random_dance(rng), rng)
        assert not moves_named(sentence) and not unknown_words(sentence), sentence


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("play the violin", ["violin"]),
        ("Dance the tango, happily!", ["tango"]),
        ("\u8df3\u821e", ["\u8df3\u821e"]),
        ("play air guitar on a violin", []),
        ("jumping-jacks", []),
        ("happily, with both arms up", []),
        ("dance", []),
        ("", []),
    ],
)
def test_unknown_words_are_those_of_a_sentence_without_a_move(
    sentence: str, unknown: list[str]
) -> None:
    assert unknown_words(sentence) == unknown


@pytest.mark.parametrize(
    ("sentence", "limbs"),
    [
        ("big hops on the spot", set()),
        ("small kicks", {"leg"}),
        ("clap", {"arm"}),
        ("big jumping jacks", {"arm", "leg"}),
        ("hop with hands on hips", {"arm"}),
        ("dance", set()),
    ],
)
def test_limbs_are_those_of_the_move_and_those_named(sentence: str, limbs: set[str]) -> None:
    assert limbs_needed(sentence) == limbs
