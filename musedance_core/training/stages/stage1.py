"""Stage 1: the denoiser, ReferenceNet and the mask encoder on single frames (section 4.2)."""

from __future__ import annotations

from einops import rearrange
from torch import Tensor, nn

from ...models import Conditions, MuseDance, MuseDanceUNet
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.sources import pair_source
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource
from .diffusion import DYNAMICS, DiffusionStage
from .losses import ConditionMask

WARP_LAYERS = ("unet.copy.moved_*", "unet.copy.still_*")
"""Layers that read the planned frames. Single frames have none, so stage 1 leaves them alone."""


def spatial_half(model: MuseDance) -> MuseDanceUNet:
    """Returns the denoiser without music, beat and motion modules; parameters are shared."""
    half = MuseDanceUNet(model.config.unet, schedule=model.config.schedule)
    own = dict(model.unet.named_parameters())
    half.load_state_dict({name: own[name] for name in half.state_dict()}, assign=True)
    return half


class Stage1(DiffusionStage):
    """One frame of a dance, from another frame of it, its part map and the sentence."""

    part = "stage1"
    trainable = ("unet.*", "reference.*", "mask.*", *(f"!{pattern}" for pattern in DYNAMICS))

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model, tokenizer, config)
        if model.config.unet.copy_body:
            self.trainable += tuple(f"!{pattern}" for pattern in WARP_LAYERS)
        self.spatial = spatial_half(model)
        self.spatial.gradient_checkpointing = config.gradient_checkpointing

    def source(self, split: str) -> SampleSource:
        return pair_source(self.model.config, self.config.data, self.tokenizer, split, self.cache)

    def networks(self) -> list[nn.Module]:
        return [self.spatial, self.model.reference]

    def target(self, batch: Batch) -> Tensor:
        return rearrange(self.latents(batch, "target"), "b c h w -> b 1 c h w")

    def conditions(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> Conditions:
        text = self.text_tokens(batch, mask.text)
        part_map = self.part_map(batch, rng)
        features = self.model.reference_features(
            self.latents(batch, "reference"), text, part_map, mask.part_map & batch["has_map"]
        )
        reference = self.spatial.project_reference(features)
        return Conditions(text=text, reference=reference, keep_reference=mask.reference)

    def denoiser(self) -> nn.Module:
        return self.spatial
