"""CLIP's tokenizer from its published files."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..models.tokenizer import END, START, Tokenizer

PRE_TOKENS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def read_clip_tokenizer(folder: Path) -> Tokenizer:
    """Read `vocab.json` and `merges.txt` in `folder` or in `folder`/tokenizer.

    Raises:
        InputError: they are missing or damaged.
    """
    from tokenizers import Regex, models, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as Inner

    for parent in (folder, folder / "tokenizer"):
        vocab, merges = parent / "vocab.json", parent / "merges.txt"
        if vocab.is_file() and merges.is_file():
            break
    else:
        raise InputError(f"{folder} holds no CLIP tokenizer: vocab.json and merges.txt are needed.")
    try:
        bpe = models.BPE.from_file(
            str(vocab), str(merges), end_of_word_suffix="</w>", unk_token=END
        )
    except Exception as error:
        if type(error) is not Exception:  # tokenizers raises bare exceptions for bad files
            raise
        reason = " ".join(str(error).split())  # it may quote a token with a line break
        raise InputError(f"{vocab} and {merges.name} are no CLIP tokenizer: {reason}.") from error
    inner = Inner(bpe)
    inner.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRE_TOKENS), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    inner.add_special_tokens([START, END])
    return Tokenizer(inner)
