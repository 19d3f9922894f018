"""Training of the rig network on figures of the dance world, whose joints and parts are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ...dance.skeleton import MIRRORED_JOINTS, PARTS
from ...errors import InputError
from ...models import MuseDance
from ...models.rig_net import RigPrediction, locate
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.rigs import WorldRigs
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource, Stage

NEAR = 0.1
"""Distance in body heights within which a joint counts as found."""


@dataclass(frozen=True)
class RigLoss:
    """Weights of the rig network's loss."""

    spread: float = 0.9
    """Standard deviation of a joint's target heatmap, in its cells."""
    presence: float = 2.0
    parts: float = 2.0
    """Weights of the cross-entropies of presence and of parts, relative to that of heatmaps."""
    limb: float = 2.0
    """Weight of a limb's pixels, which are few, relative to trunk, head and background."""


LOSS = RigLoss()


class RigStage(Stage):
    """Cross-entropy of heatmaps, of presence and of parts."""

    model: MuseDance
    part = "rig"
    trainable = ("rig.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the model has no rig network; or the config names a data set, which has no
                true joints.
        """
        super().__init__(model)
        if model.rig is None:
            raise InputError(f"The stage rig needs a rig network, and {config.preset} has none.")
        if config.data.dataset:
            raise InputError(
                f"data.dataset={config.data.dataset}: the rig network learns from the dance world "
                "alone, since data sets have no true joints."
            )
        self.network, self.config = model.rig, config

    def source(self, split: str) -> SampleSource:
        return WorldRigs(self.network.config.size, self.config.data, split)

    def networks(self) -> list[nn.Module]:
        return [self.network]

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        return rig_loss(self.network(batch["crops"]), batch)

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns shares of right joints, presence and parts.

        joints: within 0.1 body heights, of those that are there; known, unknown: the same with and
        without a mask; swapped: joints of limbs that are nearer to their counterpart at the other
        side, of those that are farther from it than 0.1 body heights; presence: of all joints;
        parts: of the figure's pixels; subject: of all pixels.
        """
        prediction: RigPrediction = self.network(batch["crops"])
        places, present, joints = locate(prediction.heatmaps), batch["present"], batch["joints"]
        distance = (places - joints).norm(dim=-1)
        reach = NEAR * batch["height"][:, None]
        near = distance < reach
        other = joints[:, MIRRORED_JOINTS]
        both = present & present[:, MIRRORED_JOINTS] & ((other - joints).norm(dim=-1) > reach)
        known = (batch["crops"][:, 4].amax(dim=(1, 2)) > 0)[:, None].expand_as(present)
        parts, truth = prediction.parts.argmax(dim=1), batch["parts"]
        shares = {
            "joints": near[present],
            "known": near[present & known],
            "unknown": near[present & ~known],
            "swapped": ((places - other).norm(dim=-1) < distance)[both],
            "presence": (prediction.presence > 0) == present,
            "parts": (parts == truth)[truth > 0],
            "subject": (parts > 0) == (truth > 0),
        }
        return {name: share.float().mean().item() for name, share in shares.items()}


def rig_loss(prediction: RigPrediction, batch: Batch) -> Tensor:
    """The loss `[b]` of predictions for a batch of `WorldRigs`."""
    present = batch["present"].float()
    # Joints: cross-entropy with a Gaussian around the true place, over those that are there.
    target = heatmap_target(batch["joints"], prediction.heatmaps.shape[-1])
    logits = rearrange(prediction.heatmaps.float(), "b j h w -> b j (h w)").log_softmax(dim=-1)
    heat = -(target * logits).sum(dim=-1)
    heat = (heat * present).sum(dim=1) / present.sum(dim=1).clamp_min(1)
    presence = F.binary_cross_entropy_with_logits(
        prediction.presence.float(), present, reduction="none"
    ).mean(dim=1)
    # Parts: limbs count more than their few pixels.
    weight = prediction.parts.new_tensor([1.0] * 3 + [LOSS.limb] * (len(PARTS) - 2)).float()
    pixels = F.cross_entropy(prediction.parts.float(), batch["parts"], weight, reduction="none")
    parts = pixels.mean(dim=(1, 2))
    return heat + LOSS.presence * presence + LOSS.parts * parts


def heatmap_target(joints: Tensor, cells: int) -> Tensor:
    """Gaussians `[b 16 n]` over `cells` x `cells` around `joints [b 16 2]` in 0..1; each sums to
    1."""
    centres = (torch.arange(cells, device=joints.device) + 0.5) / cells
    x, y = ((joints[..., i, None] - centres) * cells for i in (0, 1))
    squared = rearrange(y.square(), "b j h -> b j h 1") + rearrange(x.square(), "b j w -> b j 1 w")
    flat = rearrange(squared, "b j h w -> b j (h w)")
    return (-flat / (2 * LOSS.spread**2)).softmax(dim=-1)
