"""Training of the beat tracker's network on songs whose beats are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...audio.beat_decoder import decode_beats
from ...audio.beat_network import FRAMES_PER_SECOND, BeatNetwork
from ...errors import InputError
from ...metrics.beat_tracking import beat_f_measure
from ..config import TrainConfig
from ..data.beats import BeatExcerpts
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource, Stage


class BeatStage(Stage):
    """Binary cross-entropy of beats and downbeats per frame."""

    part = "beats"
    trainable = ("*",)

    def __init__(self, network: BeatNetwork, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the config names a data set, which has no exact beats.
        """
        super().__init__(network)
        if config.data.dataset:
            raise InputError(
                f"data.dataset={config.data.dataset}: the beat network learns from scores alone, "
                "since data sets have no exact beats."
            )
        # Convolutions with channels last take about half the time on CPUs.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.config = config

    def source(self, split: str) -> SampleSource:
        folder = Path(self.config.output_dir) / "songs" if self.config.data.cache else None
        return BeatExcerpts(self.network.config.mel_bins, self.config.data, split, folder)

    def networks(self) -> list[nn.Module]:
        return [self.network]

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        return beat_loss(self.network(batch["mel"]), batch)

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns the loss and the mean F-measure of the decoded beats of excerpts."""
        logits = self.network(batch["mel"]).float()
        scores = []
        for probability, target in zip(logits[:, 0].sigmoid().cpu(), batch["beats"], strict=True):
            truth = np.flatnonzero(target.cpu().numpy() == 1) / FRAMES_PER_SECOND
            tracked = decode_beats(probability.numpy(), FRAMES_PER_SECOND) / FRAMES_PER_SECOND
            scores.append(beat_f_measure(truth, tracked))
        return {"loss": beat_loss(logits, batch).mean().item(), "f": float(np.mean(scores))}


def beat_loss(logits: Tensor, batch: Batch) -> Tensor:
    """The loss `[b]` of logits `[b 2 t]` for a batch of `BeatExcerpts`."""
    target = torch.stack([batch["beats"], batch["downbeats"]], dim=1)
    return F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none").mean((1, 2))
