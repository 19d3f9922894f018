"""Captions say exactly what their dances are, in varied English."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from musedance_core.world.dances import (
    ARMS,
    MOODS,
    MOVES,
    SIDES,
    SIZES,
    Dance,
    caption,
    labels,
    plain_caption,
    random_dance,
    random_sentence,
    song_dance,
)
from musedance_core.world.dances.captions import PLAIN_SIZE, wording
from musedance_core.world.dances.moves import MOVE_TABLE
from musedance_core.world.dances.words import (
    ARM_PHRASES,
    FREE,
    MOOD_ADJECTIVES,
    MOOD_ADVERBS,
    SIDE_PHRASES,
    SIZE_ADJECTIVES,
    SIZE_ADVERBS,
    TURN_PHRASES,
    WORDS,
)

TIMING = re.compile(r"\b(fast|slow|quick|tempo|bpm|beats?|every|half|double|rapid)\b", re.I)


def says(sentence: str, phrases: set[str]) -> bool:
    return any(re.search(rf"\b{re.escape(phrase)}\b", sentence.lower()) for phrase in phrases)


def forms(text: str) -> set[str]:
    words = wording(text)
    return {words.plain, words.third, words.ing, words.noun} - {""}


def move_phrases(move: str) -> set[str]:
    return {form for text in WORDS[move] for form in forms(text)}


def side_phrases(side: str) -> set[str]:
    phrases = {phrase.format(side=side) for some in SIDE_PHRASES.values() for phrase in some}
    return phrases | set(TURN_PHRASES[side])


def size_phrases(size: str) -> set[str]:
    return set(SIZE_ADJECTIVES[size]) | set(SIZE_ADVERBS[size])


def mood_phrases(mood: str) -> set[str]:
    return set(MOOD_ADJECTIVES[mood]) | set(MOOD_ADVERBS[mood])


def random_captions(count: int = 4000) -> list[tuple[Dance, str]]:
    rng = np.random.default_rng(0)
    return [(dance, caption(dance, rng)) for dance in (random_dance(rng) for _ in range(count))]


CAPTIONS = random_captions()


def test_every_caption_names_all_that_is_not_plain() -> None:
    for dance, sentence in CAPTIONS:
        assert says(sentence, move_phrases(dance.move)), sentence
        if dance.side != "either":
            assert says(sentence, side_phrases(dance.side)), sentence
        if dance.size != PLAIN_SIZE:
            assert says(sentence, size_phrases(dance.size)), sentence
        if dance.mood != "plain":
            assert says(sentence, mood_phrases(dance.mood)), sentence
        if dance.arms != "free":
            assert says(sentence, set(ARM_PHRASES[dance.arms])), sentence


def test_no_caption_names_another_side_size_mood_or_arms() -> None:
    for dance, sentence in CAPTIONS:
        for side in {"left", "right"} - {dance.side}:
            assert side not in re.findall("[a-z]+", sentence.lower()), sentence
        for size in set(SIZES) - {dance.size}:
            assert not says(sentence, size_phrases(size)), sentence
        for mood in set(MOODS[1:]) - {dance.mood}:
            assert not says(sentence, mood_phrases(mood)), sentence
        for arms in set(ARMS[1:]) - {dance.arms}:
            assert not says(sentence, set(ARM_PHRASES[arms])), sentence


def test_timing_is_never_mentioned() -> None:
    assert not [sentence for _, sentence in CAPTIONS if TIMING.search(sentence)]


def test_no_wording_belongs_to_two_moves() -> None:
    free = {form for text in FREE for form in forms(text)}
    for i, move in enumerate(MOVES):
        assert not move_phrases(move) & free
        for other in MOVES[:i]:
            assert not move_phrases(move) & move_phrases(other)


@pytest.mark.parametrize("move", MOVES)
def test_every_move_has_several_wordings(move: str) -> None:
    assert len(WORDS[move]) >= 4


def test_verbs_are_inflected() -> None:
    assert wording("jump & clap") == wording("jump & clap: ") != wording("jump & clap: claps")
    words = wording("squash & stretch: squashes")
    assert words.third == "squashes and stretches" and words.ing == "squashing and stretching"
    assert words.plain == "squash and stretch" and words.noun == "squashes"
    assert wording("shimmy").third == "shimmies" and wording("play a song").third == "plays a song"
    assert wording("clap its hands").ing == "clapping its hands"
    assert wording("do the dab").third == "does the dab" and wording("dance").ing == "dancing"


def test_sentences_vary_in_wording_and_length() -> None:
    sentences = [sentence for _, sentence in CAPTIONS]
    assert len(set(sentences)) > 0.9 * len(sentences)
    words = np.array([len(sentence.split()) for sentence in sentences])
    assert words.min() <= 2 and words.max() >= 16
    assert not [s for s in sentences if "  " in s or s != s.strip() or "{" in s]


def test_some_sentences_are_empty_or_name_no_move() -> None:
    rng = np.random.default_rng(1)
    some = [random_sentence(rng, 0.5, 0.5) for _ in range(1500)]
    assert 0.07 < np.mean([not sentence for _, sentence in some]) < 0.13
    assert all(dance == Dance(dance.move) for dance, sentence in some if not sentence)
    free = {form for text in FREE for form in forms(text)}
    unnamed = [s for d, s in some if s and not says(s, move_phrases(d.move))]
    assert 0.03 < len(unnamed) / len(some) < 0.09
    assert all(says(sentence, free) for sentence in unnamed)


def test_a_calm_song_gets_calm_moves_and_a_loud_one_energetic_ones() -> None:
    rng = np.random.default_rng(2)

    def vigour(energy: float, smoothness: float) -> float:
        dances = [song_dance(rng, energy, smoothness) for _ in range(200)]
        return float(np.mean([MOVE_TABLE[dance.move].vigour for dance in dances]))

    assert vigour(0.1, 1.0) < 0.35 and vigour(0.9, 0.0) > 0.7


def test_the_same_seed_gives_the_same_sentence() -> None:
    dance = Dance("kick", "right", "big", "happy", "hips")
    one, two = (caption(dance, np.random.default_rng(3)) for _ in range(2))
    assert one == two


def test_plain_form_and_labels_are_exact() -> None:
    dance = Dance("kick", "left", "big", "happy", "hips")
    assert plain_caption(dance) == "big kicks with the left leg, with hands on hips, happily"
    assert plain_caption(Dance("spin", "left")) == "medium spins anticlockwise"
    move, side, size, mood, arms = labels(dance)
    named = (MOVES[move], SIDES[side], SIZES[size], MOODS[mood], ARMS[arms])
    assert named == ("kick", "left", "big", "happy", "hips")


def test_dances_are_seeded_and_cover_everything() -> None:
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    some = [random_dance(rng) for _ in range(2000)]
    assert some == [random_dance(again) for _ in range(2000)]
    for name, known in (("move", MOVES), ("side", SIDES), ("size", SIZES), ("mood", MOODS)):
        assert {getattr(dance, name) for dance in some} == set(known)
    assert {dance.arms for dance in some} == set(ARMS)


def test_dances_that_do_not_exist_are_refused_with_the_value() -> None:
    with pytest.raises(ValueError, match="breakdance"):
        Dance("breakdance")
    with pytest.raises(ValueError, match="enormous"):
        Dance("hop", size="enormous")
    with pytest.raises(ValueError, match="'hop' has no side"):
        replace(Dance("hop"), side="left")
    with pytest.raises(ValueError, match="'floss' has arms of its own"):
        Dance("floss", arms="up")
