"""The byte-pair tokenizer of the text encoder, which is stored in the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

START, END = "<|startoftext|>", "<|endoftext|>"


class Tokenizer:
    """A `tokenizers` tokenizer framed as CLIP's: start token, text, end tokens to full length.

    Raises:
        ValueError: the vocabulary lacks the start or the end token.
    """

    def __init__(self, inner: Any, max_tokens: int = 77) -> None:
        self.inner, self.max_tokens = inner, max_tokens
        self.start, self.end = inner.token_to_id(START), inner.token_to_id(END)
        if self.start is None or self.end is None:
            raise ValueError(f"the tokenizer lacks {START} or {END}")

    @classmethod
    def from_json(cls, text: str, max_tokens: int = 77) -> Tokenizer:
        """A tokenizer from the text of a `tokenizer.json`, the inverse of `to_json`.

        Raises:
            ValueError: the text is no tokenizer, or lacks the start or the end token.
        """
        from tokenizers import Tokenizer as Inner

        try:
            inner = Inner.from_str(text)
        except Exception as error:
            if type(error) is not Exception:  # tokenizers raises bare exceptions for bad texts
                raise
            raise ValueError(f"no tokenizer: {error}") from error
        return cls(inner, max_tokens)

    def to_json(self) -> str:
        """The tokenizer in the format of `tokenizer.json`."""
        return str(self.inner.to_str())

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Token ids `[b max_tokens]`; longer sentences are cut before the end token."""
        rows = []
        for sentence in sentences:
            ids = self.inner.encode(sentence, add_special_tokens=False).ids
            row = [self.start, *ids[: self.max_tokens - 2], self.end]
            rows.append(row + [self.end] * (self.max_tokens - len(row)))
        return torch.tensor(rows, dtype=torch.long)


def train_tokenizer(sentences: Iterable[str], vocab_size: int = 1024) -> Tokenizer:
    """Train a byte-level BPE that ignores case and spacing and encodes any text.

    As in CLIP, start and end tokens are the last two ids. All 256 bytes have ids, so a `vocab_size`
    below 258 gives a vocabulary of 258.
    """
    from tokenizers import (
        AddedToken,
        Regex,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )
    from tokenizers import Tokenizer as Inner

    inner = Inner(models.BPE())
    inner.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(sentences, trainer)
    # A small corpus may not yield enough merges; unused tokens keep the vocabulary's size fixed.
    while inner.get_vocab_size() < vocab_size - 2:
        inner.add_tokens([AddedToken(f"<|unused{inner.get_vocab_size()}|>", normalized=False)])
    inner.add_special_tokens([START, END])
    return Tokenizer(inner)
