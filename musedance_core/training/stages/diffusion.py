"""What stages 1 and 2 share: the loss on noisy latents, and held-out losses."""

from __future__ import annotations

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
    draw_condition_mask,
    draw_timesteps,
    min_snr_weight,
    motion_weight,
    noised,
    require_possible,
    velocity_loss,
)

DYNAMICS = (
    "unet.*.music.*",
    "unet.*.beat.*",
    "unet.*.motion.*",
    "unet.music_tokens.*",
    "unet.beat_tokens.*",
)
EVALUATION_SEED = 20
EVALUATION_TIMES = (100, 350, 600, 850, 999)


class DiffusionStage(Stage):
    """The schedule, the latents and the held-out losses. `forward` gives a loss per sample."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config, self.loss = tokenizer, config, config.loss
        self.schedule = NoiseSchedule(model.config.schedule)
        require_possible(config.loss, self.schedule, self.sample_frames())
        self.cache = self._cache()
        model.unet.gradient_checkpointing = config.gradient_checkpointing
        model.reference.gradient_checkpointing = config.gradient_checkpointing

    def sample_frames(self) -> int:
        """Frames of a sample that need the song; 0 where none do."""
        return 0

    def _cache(self) -> ClipCache | None:
        """The cache beside the data set, where one is asked for; keyed by the weights as they are
        loaded, before anything holds them in lower precision."""
        data = self.config.data
        if not data.dataset or not data.cache:
            return None
        return ClipCache.beside(data.dataset, self.model, self.tokenizer, self.sample_frames())

    def fill_caches(self, rank: int, world: int) -> str:
        if self.cache is None:
            return ""
        folder = self.config.data.dataset
        records, frames = read_metadata(folder), self.sample_frames()
        own = records[rank::world]
        written = fill_cache(folder, own, self.cache, self.model, self.tokenizer, frames)
        return f"cache: {len(records)} clips, {written} of them encoded now"

    def verify_caches(self) -> None:
        if self.cache is None:
            return
        folder, frames = self.config.data.dataset, self.sample_frames()
        records = read_metadata(folder)
        verify_cache(folder, records, self.cache, self.model, self.tokenizer, frames)

    def forward(self, batch: Batch, draws: StepRandom) -> Tensor:
        latents = self.target(batch)
        kept = draw_condition_mask(self.loss, draws, latents.device)
        t = draw_timesteps(self.schedule.config.steps, self.loss, draws).to(latents.device)
        noisy, v = noised(self.schedule, latents, t, draws, self.loss.noise_offset)
        weight = motion_weight(latents, self.loss.motion) if self.loss.motion else None
        conditions = self.conditions(batch, kept, draws)
        loss = velocity_loss(self.network()(noisy, t, conditions), v, weight)
        if self.loss.min_snr_gamma:
            loss = loss * min_snr_weight(self.schedule, t, self.loss.min_snr_gamma)
        return loss

    def target(self, batch: Batch) -> Tensor:
        """Latents `[b f c h w]` that are to be denoised."""
        raise NotImplementedError

    def conditions(self, batch: Batch, kept: ConditionMask, draws: StepRandom | None) -> Conditions:
        """What drives the batch; draws corrupt what training corrupts."""
        raise NotImplementedError

    def network(self) -> nn.Module:
        """The denoiser of this stage."""
        raise NotImplementedError

    @torch.no_grad()
    def latents(self, batch: Batch, name: str) -> Tensor:
        """Latents `[... c h w]` of the batch's pictures `name`, which may have been cached."""
        if name + LATENTS in batch:
            return batch[name + LATENTS]
        pictures = batch[name]
        flat = pictures.reshape(-1, *pictures.shape[-3:])
        flat = run_in_batches(self.model.vae.encode, flat, flat.shape[-1])
        return flat.reshape(*pictures.shape[:-3], *flat.shape[1:])

    @torch.no_grad()
    def text_tokens(self, batch: Batch, keep: Tensor) -> Tensor:
        """Text tokens `[b 77 d]`, zero where dropped."""
        cached = "text_tokens" in batch
        tokens: Tensor = batch["text_tokens"] if cached else self.model.text(batch["ids"])
        return tokens * keep[:, None, None]

    def part_map(self, batch: Batch, draws: StepRandom | None) -> Tensor:
        """Part ids `[b H W]`; of a random share only the subject's silhouette is left."""
        part_map = batch["part_map"]
        if draws is None:
            return part_map
        plain = (draws.uniform() < self.loss.silhouette).to(part_map.device)
        return torch.where(plain[:, None, None], (part_map > 0) * SUBJECT, part_map)

    def variants(self, batch: Batch) -> dict[str, Batch]:
        """The batch with one condition wrong, by name; "right" is the batch itself."""
        return {
            "right": batch,
            "picture": rolled(batch, "reference", "part_map", "has_map", "previous"),
            "map": rolled(batch, "part_map", "has_map"),
            "text": rolled(batch, "ids", "text_tokens"),
        }

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Unweighted loss on fixed noise with right and wrong conditions, and by timestep."""
        losses = {name: self.held_out(variant) for name, variant in self.variants(batch).items()}
        bins = zip(EVALUATION_TIMES, losses["right"].mean(dim=1).tolist(), strict=True)
        means = {name: loss.mean().item() for name, loss in losses.items()}
        return means | {f"t{time}": loss for time, loss in bins}

    def held_out(self, batch: Batch) -> Tensor:
        """Loss `[times b]` at `EVALUATION_TIMES`, always with the same noise."""
        latents = self.target(batch)
        kept = ConditionMask.everything(len(latents), latents.device)
        conditions = self.conditions(batch, kept, None)
        losses = []
        for time in EVALUATION_TIMES:
            t = torch.full((len(latents),), time, device=latents.device)
            noisy, v = noised(self.schedule, latents, t, StepRandom(EVALUATION_SEED, time, len(t)))
            losses.append(velocity_loss(self.network()(noisy, t, conditions), v))
        return torch.stack(losses)


def rolled(batch: Batch, *names: str) -> Batch:
    """The batch with these entries, as far as it has them, taken from the next sample."""
    there = [name for base in names for name in (base, base + LATENTS) if name in batch]
    return {**batch, **{name: batch[name].roll(1, dims=0) for name in there}}
