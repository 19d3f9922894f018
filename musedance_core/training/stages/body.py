"""Training of the body planner: warps of the picture, learned from the dance world's true ones."""

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
    """Warps of the picture from picture, sentence, song and beats; no frame is denoised."""

    part = "body"
    trainable = ("body.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the model has no body planner; or the config names a data set, which has no
                true warps.
        """
        if model.body is None:
            raise InputError("This model moves no bodies: model.unet.copy_body is off.")
        if config.data.dataset:
            raise InputError(
                f"data.dataset={config.data.dataset}: the body planner learns from the dance world "
                f"alone, since data sets have no true body points."
            )
        super().__init__(model, tokenizer, config)
        self.trainable = BodyStage.trainable

    def source(self, split: str) -> SampleSource:
        return WorldBodies(self.model.config, self.config.data, self.tokenizer, split)

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        mask = draw_condition_mask(self.loss, rng, batch["reference"].device)
        warp = self.predict_warp(batch, mask, rng)
        return body_loss(warp, batch["outlines"], batch["still_outline"])

    def predict_warp(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> Tensor:
        """Returns the predicted warps `[b f 2 6]`."""
        return self.model.predict_warp(
            self.latents(batch, "reference"),
            self.part_map(batch, rng),
            self.text_tokens(batch, mask.text),
            self.clip_audio(batch, mask, rng),
            mask.part_map & batch["has_map"],
        )

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns the mean distance of body points from the truth, in pixels.

        One for each of `condition_variants`, and "still" for a picture that does not move at all.
        """
        target = (batch["still_outline"] * 2 - 1)[:, None]
        half = self.model.config.clip.size / 2
        mask = ConditionMask.keep_all(len(target), target.device)

        def distance(points: Tensor) -> float:
            return float((points - target).norm(dim=-1).mean()) * half

        outlines = batch["outlines"] * 2 - 1
        metrics = {
            name: distance(source_points(self.predict_warp(variant, mask, None), outlines))
            for name, variant in self.condition_variants(batch).items()
        }
        return metrics | {"still": distance(outlines)}
