"""Training of the `sticker` text encoder: it classifies captions and is frozen afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ...world.dances.captions import caption, free_caption
from ...world.dances.dance import ARMS, MOODS, MOVES, SIDES, SIZES, Dance, labels, random_dance
from ..config import TrainConfig
from ..runtime.attention import fast_attention
from ..runtime.step_random import StepRandom
from .base import SPLIT_SEEDS, Batch, SampleSource, Stage

CAPTION_STREAM = 101
TOKEN_NOISE = 0.3
PADDING_TOKENS = 30
"""Captions are so short that at least so many tokens at the end are padding."""
FREE_SHARE, EMPTY_SHARE = 0.08, 0.02
"""Shares of captions that name no move, and of empty ones."""
SONGS_CHOICE = len(MOVES)
"""Label of the move where the sentence leaves it to the song."""
ATTRIBUTES = {
    "move": len(MOVES) + 1,
    "side": len(SIDES),
    "size": len(SIZES),
    "mood": len(MOODS),
    "arms": len(ARMS),
}


class Captions:
    """Random captions with their labels of all `ATTRIBUTES`, `[b 5]`."""

    def __init__(self, tokenizer: Tokenizer, seed: int, split: str) -> None:
        self.tokenizer, self.seeds = tokenizer, (seed, SPLIT_SEEDS[split], CAPTION_STREAM)

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"caption {index}" for index in indices]

    def __call__(self, indices: list[int]) -> Batch:
        captions, targets = [], []
        plain = labels(Dance(MOVES[0]))[1:]
        for index in indices:
            rng = np.random.default_rng((*self.seeds, index))
            dance, kind = random_dance(rng), rng.random()
            move, side, size, mood, arms = labels(dance)
            if kind < FREE_SHARE:
                captions.append(free_caption(dance, rng))
                targets.append((SONGS_CHOICE, plain[0], size, mood, plain[3]))
            elif kind < FREE_SHARE + EMPTY_SHARE:
                captions.append("")
                targets.append((SONGS_CHOICE, *plain))
            else:
                captions.append(caption(dance, rng))
                targets.append((move, side, size, mood, arms))
        return {"ids": self.tokenizer.encode(captions), "labels": torch.tensor(targets)}


class TextStage(Stage):
    """Cross-entropy of move, side, size, mood and arms, classified from noisy tokens.

    The denoiser attends to all 77 tokens, and most of them are padding. So the classes are read
    from the mean of all tokens, from the last token and from a random padding token.
    """

    model: MuseDance
    part = "text"
    trainable = ("text.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config = tokenizer, config
        width = model.config.text.width
        # Plain torch layers: training never runs inside a host with its own operations.
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in ATTRIBUTES.items()})

    def source(self, split: str) -> SampleSource:
        return Captions(self.tokenizer, self.config.data.seed, split)

    def logits(self, pooled: Tensor) -> list[Tensor]:
        """Returns the logits of each attribute from a pooled token `[b d]`."""
        return [head(pooled) for head in self.heads.values()]

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        with fast_attention(self.device):
            tokens = self.model.text(batch["ids"]).float()
        noise = rng.normal(*tokens.shape[1:]).to(tokens)
        tokens = tokens + TOKEN_NOISE * noise
        loss: Tensor = tokens.new_zeros(())
        for pooled in (tokens.mean(dim=1), tokens[:, -1], self.draw_padding_token(tokens, rng)):
            for i, logits in enumerate(self.logits(pooled)):
                loss = loss + F.cross_entropy(logits.float(), batch["labels"][:, i])
        return loss / 3

    def draw_padding_token(self, tokens: Tensor, rng: StepRandom) -> Tensor:
        """Samples one of the padding tokens, `[b d]`."""
        from_end = 1 + int(PADDING_TOKENS * rng.scalar())
        token: Tensor = tokens[:, -from_end]
        return token

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns the accuracy of each attribute, from the mean of all tokens."""
        logits = self.logits(self.model.text(batch["ids"]).mean(dim=1))
        right = [(s.argmax(-1) == batch["labels"][:, i]).float() for i, s in enumerate(logits)]
        return {n: r.mean().item() for n, r in zip(ATTRIBUTES, right, strict=True)}
