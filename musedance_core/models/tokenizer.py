"""Sentences to token ids with the byte-pair encoding that travels in the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

START, END = "<|startoftext|>", "<|endoftext|>"


class Tokenizer:
    """A `tokenizers` tokenizer with CLIP's framing: start, words, end, padded with end."""

    def __init__(self, inner: Any, max_tokens: int = 77) -> None:
        self.inner, self.max_tokens = inner, max_tokens
        self.start, self.end = inner.token_to_id(START), inner.token_to_id(END)
        if self.start is None or self.end is None:
            raise ValueError(f"the tokenizer lacks {START} or {END}")

    @classmethod
    def from_json(cls, text: str, max_tokens: int = 77) -> Tokenizer:
        """From the text that `to_json` gave (the `tokenizer.json` format)."""
        from tokenizers import Tokenizer as Inner

        return cls(Inner.from_str(text), max_tokens)

    def to_json(self) -> str:
        """The whole tokenizer as text."""
        return str(self.inner.to_str())

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Ids `[b max_tokens]`; what is too long is cut before the end token."""
        rows = []
        for sentence in sentences:
            ids = self.inner.encode(sentence, add_special_tokens=False).ids
            row = [self.start, *ids[: self.max_tokens - 2], self.end]
            rows.append(row + [self.end] * (self.max_tokens - len(row)))
        return torch.tensor(rows, dtype=torch.long)


def train_tokenizer(sentences: Iterable[str], vocab_size: int = 1024) -> Tokenizer:
    """A byte-level BPE that ignores case and spacing and loses no letter; ids as in CLIP.

    Start and end are the last two ids. The 256 bytes always have theirs, so `vocab_size` below 258
    gives a larger vocabulary than asked for.
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
    while inner.get_vocab_size() < vocab_size - 2:
        inner.add_tokens([AddedToken(f"<|unused{inner.get_vocab_size()}|>", normalized=False)])
    inner.add_special_tokens([START, END])
    return Tokenizer(inner)
