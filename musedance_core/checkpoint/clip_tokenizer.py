"""CLIP's own tokenizer from the files it is published in."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..models.tokenizer import END, START, Tokenizer

WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def read_clip_tokenizer(folder: Path) -> Tokenizer:
    """From `vocab.json` and `merges.txt` in `folder` or in its folder `tokenizer`.

    Raises:
        InputError: they are not there.
    """
    from tokenizers import Regex, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Inner

    for place in (folder, folder / "tokenizer"):
        vocab, merges = place / "vocab.json", place / "merges.txt"
        if vocab.is_file() and merges.is_file():
            break
    else:
        raise InputError(f"{folder} holds no CLIP tokenizer: vocab.json and merges.txt are needed.")
    inner = Inner(
        models.BPE.from_file(str(vocab), str(merges), end_of_word_suffix="</w>", unk_token=END)
    )
    inner.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    inner.add_special_tokens([START, END])
    return Tokenizer(inner)
