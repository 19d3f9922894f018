"""Token ids are framed as in CLIP and lose nothing; the tokenizer survives a round trip."""

from __future__ import annotations

import pytest
import torch

from musedance_core.models.tokenizer import Tokenizer, train_tokenizer

SENTENCES = ["The sticker hops high.", "It sways to the left", "a big spin, all the way round"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(SENTENCES, 400)


def test_start_and_end_are_the_last_ids_and_the_vocabulary_is_full(tokenizer: Tokenizer) -> None:
    assert (tokenizer.start, tokenizer.end) == (398, 399)
    assert tokenizer.inner.get_vocab_size() == 400


def test_rows_are_start_text_end_padding(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode([*SENTENCES, "", "hop " * 200])
    assert ids.shape == (5, 77) and ids.dtype == torch.long and ids.max() < 400
    assert (ids[:, 0] == tokenizer.start).all() and (ids[:, -1] == tokenizer.end).all()
    for row in ids:
        words = int((row == tokenizer.end).nonzero()[0])
        assert (row[words:] == tokenizer.end).all() and (row[1:words] < tokenizer.start).all()
    assert (ids[3, 1:] == tokenizer.end).all()
    assert (ids[4] == tokenizer.end).sum() == 1


def test_any_language_survives_encoding(tokenizer: Tokenizer) -> None:
    for text in ("pizza, quick!", "naïve wörld", "踊る 🎉", "ждать"):
        ids = tokenizer.encode([text])[0]
        words = [i for i in ids.tolist() if i < tokenizer.start]
        assert tokenizer.inner.decode(words).strip() == text


def test_case_and_spacing_do_not_matter(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(["the sticker hops", "  The  STICKER\n hops "])
    assert torch.equal(ids[0], ids[1])


def test_a_round_trip_through_text_changes_nothing(tokenizer: Tokenizer) -> None:
    again = Tokenizer.from_json(tokenizer.to_json())
    assert torch.equal(again.encode(SENTENCES), tokenizer.encode(SENTENCES))
    assert again.to_json() == tokenizer.to_json()


def test_training_is_repeatable(tokenizer: Tokenizer) -> None:
    assert train_tokenizer(SENTENCES, 400).to_json() == tokenizer.to_json()


def test_a_tokenizer_without_start_and_end_is_refused() -> None:
    from tokenizers import Tokenizer as Inner
    from tokenizers import models

    with pytest.raises(ValueError, match="startoftext"):
        Tokenizer(Inner(models.BPE()))
