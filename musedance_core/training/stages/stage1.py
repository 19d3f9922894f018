"""Stage 1: the denoiser, ReferenceNet and the mask encoder on single frames (section 4.2)."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn

from ...models import Conditions, MuseDance, MuseDanceUNet
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.sources import pairs
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource
from .diffusion import DYNAMICS, DiffusionStage
from .losses import ConditionMask


def spatial_half(model: MuseDance) -> MuseDanceUNet:
    """The denoiser without music, beat and motion, sharing its parameters with the whole one."""
    half = MuseDanceUNet(model.config.unet, schedule=model.config.schedule)
    own = dict(model.unet.named_parameters())
    half.load_state_dict({name: own[name] for name in half.state_dict()}, assign=True)
    return half


class Stage1(DiffusionStage):
    """A moment of a dance from another moment, the picture, and the sentence."""

    part = "stage1"
    trainable = ("unet.*", "reference.*", "mask.*", *(f"!{pattern}" for pattern in DYNAMICS))

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model, tokenizer, config)
        if model.config.unet.copy_body:
            unmoved = ("!unet.copy.moved_*", "!unet.copy.still_*")  # single frames do not move
            self.trainable += unmoved
        self.spatial = spatial_half(model)
        self.spatial.gradient_checkpointing = config.gradient_checkpointing

    def source(self, split: str) -> SampleSource:
        return pairs(self.model.config, self.config.data, self.tokenizer, split, self.cache)

    def heavy(self) -> list[nn.Module]:
        return [self.spatial, self.model.reference]

    def target(self, batch: Batch) -> Tensor:
        return rearrange(self.latents(batch, "target"), "b c h w -> b 1 c h w")

    def conditions(self, batch: Batch, kept: ConditionMask, draws: StepRandom | None) -> Conditions:
        text = self.text_tokens(batch, kept.text)
        part_map = self.part_map(batch, draws)
        features = self.model.reference_features(
            self.latents(batch, "reference"), text, part_map, kept.part_map & batch["has_map"]
        )
        reference = self.spatial.project_reference(features)
        return Conditions(text=text, reference=reference, keep_reference=kept.reference)

    def network(self) -> nn.Module:
        return self.spatial
