"""The diffusion loss and held-out metrics that stages 1 and 2 share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...dataset.format import read_metadata
from ...models import Conditions, MuseDance
from ...models.schedule import NoiseSchedule
from ...models.tokenizer import Tokenizer
from ...models.vae import run_in_batches
from ...parts import SUBJECT
from ..config import TrainConfig
from ..data.caches import ClipCache, fill_cache, verify_cache
from ..runtime.step_random import StepRandom
from .base import LATENTS, Batch, Stage
from .losses import (
    ConditionMask,
    check_loss_config,
    draw_condition_mask,
    draw_timesteps,
    min_snr_weight,
    motion_weight,
    noise_latents,
    velocity_loss,
)

DYNAMICS = (
    "unet.*.music.*",
    "unet.*.beat.*",
    "unet.*.motion.*",
    "unet.music_tokens.*",
    "unet.beat_tokens.*",
)
"""Parameters of the music, beat and motion modules."""
PICTURE = ("reference", "part_map", "has_map", "previous")
"""Entries of a batch that show the dancer."""
EVALUATION_SEED = 20
EVALUATION_TIMES = (100, 350, 600, 850, 999)


class DiffusionStage(Stage):
    """v-prediction on noisy latents; `forward` returns a loss per sample, `[b]`.

    Subclasses choose the target latents, the conditions and the denoiser.
    """

    model: MuseDance

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the loss weights do not suit the model's noise schedule.
        """
        super().__init__(model)
        self.tokenizer, self.config, self.loss = tokenizer, config, config.loss
        self.schedule = NoiseSchedule(model.config.schedule)
        check_loss_config(config.loss, self.schedule, self.music_frames())
        self.cache = self._open_cache()
        model.unet.gradient_checkpointing = config.gradient_checkpointing
        model.reference.gradient_checkpointing = config.gradient_checkpointing

    def music_frames(self) -> int:
        """Returns the length in frames of samples with music, 0 where samples have none."""
        return 0

    def _open_cache(self) -> ClipCache | None:
        """Returns the cache of the data set, if the config asks for one.

        Its key has to be computed here, from the weights as they were loaded: later the frozen ones
        may be held in bf16.
        """
        data = self.config.data
        if not data.dataset or not data.cache:
            return None
        return ClipCache.beside(data.dataset, self.model, self.tokenizer, self.music_frames())

    def fill_caches(self, rank: int, world: int) -> str:
        if self.cache is None:
            return ""
        folder = self.config.data.dataset
        records, frames = read_metadata(folder), self.music_frames()
        own = records[rank::world]
        written = fill_cache(folder, own, self.cache, self.model, self.tokenizer, frames)
        return f"cache: {len(records)} clips, {written} of them encoded now"

    def verify_caches(self) -> None:
        if self.cache is None:
            return
        folder, frames = self.config.data.dataset, self.music_frames()
        records = read_metadata(folder)
        verify_cache(folder, records, self.cache, self.model, self.tokenizer, frames)

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        latents = self.target(batch)
        # Sample dropped conditions, timesteps and noise.
        mask = draw_condition_mask(self.loss, rng, latents.device)
        t = draw_timesteps(self.schedule.config.steps, self.loss, rng).to(latents.device)
        noisy, velocity = noise_latents(self.schedule, latents, t, rng, self.loss.noise_offset)
        # Predict the velocity and weight its error.
        weight = motion_weight(latents, self.loss.motion) if self.loss.motion else None
        conditions = self.conditions(batch, mask, rng)
        loss = velocity_loss(self.denoiser()(noisy, t, conditions), velocity, weight)
        if self.loss.min_snr_gamma:
            loss = loss * min_snr_weight(self.schedule, t, self.loss.min_snr_gamma)
        return loss

    def target(self, batch: Batch) -> Tensor:
        """Returns the clean latents `[b f c h w]`."""
        raise NotImplementedError

    def conditions(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> Conditions:
        """Returns the denoiser's conditions; without `rng`, free of training augmentation."""
        raise NotImplementedError

    def denoiser(self) -> nn.Module:
        """Returns the denoiser that this stage trains."""
        raise NotImplementedError

    @torch.no_grad()
    def latents(self, batch: Batch, name: str) -> Tensor:
        """Returns the latents `[... c h w]` of the pictures `name`, from the cache if there."""
        if name + LATENTS in batch:
            return batch[name + LATENTS]
        pictures = batch[name]
        flat = pictures.reshape(-1, *pictures.shape[-3:])
        flat = run_in_batches(self.model.vae.encode, flat, flat.shape[-1])
        return flat.reshape(*pictures.shape[:-3], *flat.shape[1:])

    @torch.no_grad()
    def text_tokens(self, batch: Batch, keep: Tensor) -> Tensor:
        """Returns text tokens `[b 77 d]`, zero for samples where `keep [b]` is False."""
        cached = "text_tokens" in batch
        tokens: Tensor = batch["text_tokens"] if cached else self.model.text(batch["ids"])
        return tokens * keep[:, None, None]

    def part_map(self, batch: Batch, rng: StepRandom | None) -> Tensor:
        """Returns part ids `[b H W]`.

        A share `silhouette` of the training samples has only the dancer's outline, as people give
        it who mark no body parts.
        """
        part_map = batch["part_map"]
        if rng is None:
            return part_map
        silhouette = (rng.uniform() < self.loss.silhouette).to(part_map.device)
        return torch.where(silhouette[:, None, None], (part_map > 0) * SUBJECT, part_map)

    def condition_variants(self, batch: Batch) -> dict[str, Batch]:
        """Returns the batch as "right", and copies with one wrong condition, by its name."""
        return {
            "right": batch,
            "picture": mismatch(batch, *PICTURE),
            "map": mismatch(batch, "part_map", "has_map"),
            "text": mismatch(batch, "ids", "text_tokens"),
        }

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns the unweighted loss on fixed noise, as `mean_losses` of `condition_variants`."""
        return mean_losses(self.condition_variants(batch), self.losses_by_time)

    def losses_by_time(self, batch: Batch) -> Tensor:
        """Returns losses `[times b]` at `EVALUATION_TIMES`, always with the same noise."""
        latents = self.target(batch)
        mask = ConditionMask.keep_all(len(latents), latents.device)
        conditions = self.conditions(batch, mask, None)
        losses = []
        for time in EVALUATION_TIMES:
            t = torch.full((len(latents),), time, device=latents.device)
            rng = StepRandom(EVALUATION_SEED, time, len(t))
            noisy, velocity = noise_latents(self.schedule, latents, t, rng)
            losses.append(velocity_loss(self.denoiser()(noisy, t, conditions), velocity))
        return torch.stack(losses)


def mean_losses(
    variants: dict[str, Batch], losses_by_time: Callable[[Batch], Tensor]
) -> dict[str, float]:
    """Returns the mean of the losses `[times b]` of every batch, and of the one called "right" also
    those of `EVALUATION_TIMES`, as "t100" to "t999"."""
    losses = {name: losses_by_time(batch) for name, batch in variants.items()}
    by_time = zip(EVALUATION_TIMES, losses["right"].mean(dim=1).tolist(), strict=True)
    means = {name: loss.mean().item() for name, loss in losses.items()}
    return means | {f"t{time}": loss for time, loss in by_time}


def mismatch(batch: Batch, *names: str) -> Batch:
    """Returns the batch with the entries `names` (or their latents) taken from the next sample."""
    present = [name for base in names for name in (base, base + LATENTS) if name in batch]
    return {**batch, **{name: batch[name].roll(1, dims=0) for name in present}}
