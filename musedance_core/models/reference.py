"""ReferenceNet: the UNet backbone that extracts features of clean pictures (section 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..config import UNetConfig
from .conditions import Conditions, LayerFeatures, MotionFeatures, ReferenceFeatures
from .unet import UNetBackbone, UNetBlock


def layer_with_features(
    block: UNetBlock, i: int, x: Tensor, time: Tensor, conditions: Conditions
) -> tuple[Tensor, list[LayerFeatures]]:
    """Layer `i` of a level on `x [b c h w]`, and its features if it has attention."""
    x = block.resnets[i](x, time)
    if i >= len(block.attentions):
        return x, []
    attention: Any = block.attentions[i]
    features = attention.features(x)
    return (x if attention.features_only else attention(x, conditions, 1)), [features]


class ReferenceNet(UNetBackbone):
    """Runs at t = 0 on clean latents, once per segment, and returns its features.

    Raises:
        ValueError: the config has no attention at level 0, where the last features are read.
    """

    def __init__(self, config: UNetConfig, ops: Any = nn) -> None:
        if not config.attention[0]:
            raise ValueError("ReferenceNet's last features are read at level 0; give it attention")
        super().__init__(config, None, features_only=True, ops=ops)

    def forward(self, latents: Tensor, text: Tensor) -> ReferenceFeatures:
        """Features of `latents [b c h w]` under `text [b 77 d]`."""
        conditions = Conditions(text=text)
        time = self.time_embedding(latents.new_zeros(len(latents)), latents.dtype)
        layers: list[LayerFeatures] = []

        def run_layer(block: Any, i: int, x: Tensor) -> Tensor:
            arguments = (block, i, x, time, conditions)
            if self.gradient_checkpointing and torch.is_grad_enabled():
                x, features = checkpoint(layer_with_features, *arguments, use_reentrant=False)
            else:
                x, features = layer_with_features(*arguments)
            layers.extend(features)
            return x

        self.run_blocks(self.conv_in(latents), time, run_layer)
        return ReferenceFeatures(tuple(layers))

    def motion_features(self, latents: Tensor, text: Tensor) -> MotionFeatures:
        """Features of the previous frames for the motion modules (section 3.3).

        Args:
            latents: latents of the previous frames, oldest first, `[b m c h w]`.
            text: text tokens `[b 77 d]`.
        """
        m = latents.shape[1]
        features = self(
            rearrange(latents, "b m c h w -> (b m) c h w"), repeat(text, "b l d -> (b m) l d", m=m)
        )
        return MotionFeatures(
            tuple(rearrange(s.stream, "(b m) n d -> b m n d", m=m) for s in features.layers)
        )
