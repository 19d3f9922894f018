"""The text encoder of `sticker`: learns what captions say, then stays frozen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ...world.captions import caption, labels
from ...world.choreography import MOVES, SIDES, SIZES, random_dance
from ..config import TrainConfig
from ..runtime.step_random import StepRandom
from .base import SPLIT_SEEDS, Batch, SampleSource, Stage

CAPTION_STREAM = 101
TOKEN_NOISE = 0.3
ATTRIBUTES = {"move": len(MOVES), "side": len(SIDES), "size": len(SIZES)}


class Sentences:
    """Captions and what they say: labels `[b 3]` of move, side and size."""

    def __init__(self, tokenizer: Tokenizer, seed: int, split: str) -> None:
        self.tokenizer, self.key = tokenizer, (seed, SPLIT_SEEDS[split], CAPTION_STREAM)

    def names(self, indices: Sequence[int]) -> list[str]:
        """What to call these samples."""
        return [f"sentence {index}" for index in indices]

    def __call__(self, indices: list[int]) -> Batch:
        sentences, said = [], []
        for index in indices:
            rng = np.random.default_rng((*self.key, index))
            dance = random_dance(rng)
            sentences.append(caption(dance, rng))
            said.append(labels(dance))
        return {"ids": self.tokenizer.encode(sentences), "labels": torch.tensor(said)}


class TextStage(Stage):
    """Classifies move, side and size from the mean of all tokens and from any token after the end.

    The denoiser attends to all 77 tokens, so the padding must say it too, through noise.
    """

    part = "text"
    trainable = ("text.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config = tokenizer, config
        width = model.config.text.width
        # Torch's own layers: trainers never run inside a host.
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in ATTRIBUTES.items()})

    def source(self, split: str) -> SampleSource:
        return Sentences(self.tokenizer, self.config.data.seed, split)

    def scores(self, pooled: Tensor) -> list[Tensor]:
        """Logits of every attribute from `[... d]`."""
        return [head(pooled) for head in self.heads.values()]

    def forward(self, batch: Batch, draws: StepRandom) -> Tensor:
        tokens = self.model.text(batch["ids"])
        noise = draws.normal(*tokens.shape[1:]).to(tokens)
        tokens = tokens + TOKEN_NOISE * noise
        loss: Tensor = tokens.new_zeros(())
        for pooled in (tokens.mean(dim=1), tokens[:, -1], self.padding(tokens, draws)):
            for i, logits in enumerate(self.scores(pooled)):
                loss = loss + F.cross_entropy(logits.float(), batch["labels"][:, i])
        return loss / 3

    def padding(self, tokens: Tensor, draws: StepRandom) -> Tensor:
        """One of the last 30 tokens, which lie behind the end of any caption."""
        back = 1 + int(30 * draws.scalar())
        token: Tensor = tokens[:, -back]
        return token

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Share of right answers from the mean of all tokens."""
        logits = self.scores(self.model.text(batch["ids"]).mean(dim=1))
        right = [(s.argmax(-1) == batch["labels"][:, i]).float() for i, s in enumerate(logits)]
        return {n: r.mean().item() for n, r in zip(ATTRIBUTES, right, strict=True)}
