"""Where a dancer's body goes: the warps of the picture, from the dance world, which knows."""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import InputError
from ...geometry import source_points
from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.sources import WorldBodies
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource
from .losses import ConditionMask, body_loss, draw_condition_mask
from .stage2 import Stage2


class BodyStage(Stage2):
    """Warps of the picture from picture, sentence, song and beats: no frame is denoised."""

    part = "body"
    trainable = ("body.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the model moves no bodies, or a data set is given, which does not say where
                they are.
        """
        if model.body is None:
            raise InputError("This model moves no bodies: model.unet.copy_body is off.")
        if config.data.dataset:
            raise InputError(
                f"data.dataset={config.data.dataset}: where bodies go is learned from the dance "
                f"world; data sets do not say it."
            )
        super().__init__(model, tokenizer, config)
        self.trainable = BodyStage.trainable

    def source(self, split: str) -> SampleSource:
        return WorldBodies(self.model.config, self.config.data, self.tokenizer, split)

    def forward(self, batch: Batch, draws: StepRandom) -> Tensor:
        kept = draw_condition_mask(self.loss, draws, batch["reference"].device)
        warp = self.warp(batch, kept, draws)
        return body_loss(warp, batch["outlines"], batch["still_outline"])

    def warp(self, batch: Batch, kept: ConditionMask, draws: StepRandom | None) -> Tensor:
        """What the model says, `[b f 2 6]`."""
        return self.model.predict_warp(
            self.latents(batch, "reference"),
            self.part_map(batch, draws),
            self.text_tokens(batch, kept.text),
            self.heard(batch, kept, draws),
            kept.part_map & batch["has_map"],
        )

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """How far off points are on average, in pixels, with right and with wrong conditions; and
        if the picture stood still."""
        wanted = (batch["still_outline"] * 2 - 1)[:, None]
        half = self.model.config.clip.size / 2
        kept = ConditionMask.everything(len(wanted), wanted.device)

        def off(said: Tensor) -> float:
            return float((said - wanted).norm(dim=-1).mean()) * half

        figures = {
            name: off(source_points(self.warp(variant, kept, None), batch["outlines"] * 2 - 1))
            for name, variant in self.variants(batch).items()
        }
        return figures | {"still": off(batch["outlines"] * 2 - 1)}
