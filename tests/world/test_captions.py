from __future__ import annotations

import re

import numpy as np
import pytest
from musedance_core.world.captions import (
    PLAIN_SIDE,
    PLAIN_SIZE,
    SIDE_PHRASES,
    SIZE_ADJECTIVES,
    SIZE_ADVERBS,
    TURN_PHRASES,
    WORDS,
    caption,
    labels,
    plain_caption,
)
from musedance_core.world.choreography import MOVES, SIDES, SIZES, Dance, random_dance

TIMING = re.compile(r"\b(fast|slow|quick|tempo|bpm|beats?|every|half|double|rapid)\b", re.I)


def says(sentence: str, phrases: set[str]) -> bool:
    return any(re.search(rf"\b{re.escape(phrase)}\b", sentence.lower()) for phrase in phrases)


def move_phrases(move: str) -> set[str]:
    return {form for word in WORDS[move] for form in word} | {move}


def side_phrases(side: str) -> set[str]:
    return {phrase.format(side=side) for phrase in SIDE_PHRASES} | set(TURN_PHRASES[side])


def size_phrases(size: str) -> set[str]:
    return set(SIZE_ADJECTIVES[size]) | set(SIZE_ADVERBS[size])


def random_captions(count: int = 3000) -> list[tuple[Dance, str]]:
    rng = np.random.default_rng(0)
    return [(dance, caption(dance, rng)) for dance in (random_dance(rng) for _ in range(count))]


def test_every_caption_names_move_and_non_default_side_and_size() -> None:
    for dance, sentence in random_captions():
        assert says(sentence, move_phrases(dance.move)), sentence
        if dance.side != PLAIN_SIDE:
            assert says(sentence, side_phrases(dance.side)), sentence
        if dance.size != PLAIN_SIZE:
            assert says(sentence, size_phrases(dance.size)), sentence


def test_no_sentence_names_the_other_side_or_another_size() -> None:
    for dance, sentence in random_captions():
        for side in set(SIDES) - {dance.side}:
            assert side not in re.findall("[a-z]+", sentence.lower()), sentence
        for size in set(SIZES) - {dance.size}:
            assert not says(sentence, size_phrases(size)), sentence


def test_timing_is_never_mentioned() -> None:
    assert not [sentence for _, sentence in random_captions() if TIMING.search(sentence)]


def test_no_wording_belongs_to_two_moves() -> None:
    for i, move in enumerate(MOVES):
        for other in MOVES[:i]:
            assert not move_phrases(move) & move_phrases(other)


def test_sentences_vary_in_wording_and_length() -> None:
    sentences = [sentence for _, sentence in random_captions()]
    assert len(set(sentences)) > 0.8 * len(sentences)
    words = np.array([len(sentence.split()) for sentence in sentences])
    assert words.min() <= 2 and words.max() >= 14
    assert not [s for s in sentences if "  " in s or s != s.strip() or "{" in s]


def test_the_same_seed_gives_the_same_sentence() -> None:
    dance = Dance("wave", "right", "big")
    one, two = (caption(dance, np.random.default_rng(3)) for _ in range(2))
    assert one == two


def test_plain_form_and_labels_are_exact() -> None:
    dance = Dance("step-touch", "right", "big")
    assert plain_caption(dance) == "big step-touch to the right"
    move, side, size = labels(dance)
    assert (MOVES[move], SIDES[side], SIZES[size]) == ("step-touch", "right", "big")


@pytest.mark.parametrize("move", MOVES)
def test_every_move_has_several_wordings(move: str) -> None:
    assert len(WORDS[move]) >= 4
