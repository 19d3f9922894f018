"""Stages 1 and 2: the denoiser on single frames, then its sense of time on clips."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from ..models import Conditions, MuseDance, MuseDanceUNet
from ..models.mask import SUBJECT
from ..sampling import NoiseSchedule
from ..tokenizer import Tokenizer
from .config import LossConfig, TrainConfig
from .losses import Kept, draw_kept, draw_timesteps, motion_weight, noised, velocity_loss
from .sources import Clips, Pairs
from .stage import Batch, Source, Stage

DYNAMICS = (
    "unet.*.music.*",
    "unet.*.beat.*",
    "unet.*.motion.*",
    "unet.music_tokens.*",
    "unet.beat_tokens.*",
)
EVALUATION_SEED = 20
EVALUATION_TIMES = (100, 350, 600, 850, 999)


def spatial_half(model: MuseDance) -> MuseDanceUNet:
    """The denoiser without music, beat and motion, sharing its parameters with the whole one."""
    half = MuseDanceUNet(model.config.unet)
    own = dict(model.unet.named_parameters())
    half.load_state_dict({name: own[name] for name in half.state_dict()}, assign=True)
    return half


def as_silhouette(part_map: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Part maps of a random `share` of samples become plain masks of the subject."""
    plain = torch.rand(len(part_map), generator=generator) < share
    silhouette = (part_map > 0) * SUBJECT
    return torch.where(plain.to(part_map.device)[:, None, None], silhouette, part_map)


class DiffusionStage(Stage):
    """What both stages share: the schedule, the latents and the held-out losses."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.tokenizer, self.config = tokenizer, config
        self.loss: LossConfig = config.loss
        self.schedule = NoiseSchedule(model.config.schedule)

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Latents of pictures `[... 3 h w]` in 0..1."""
        flat: Tensor = self.model.vae.encode(pictures.reshape(-1, *pictures.shape[-3:]))
        return flat.reshape(*pictures.shape[:-3], *flat.shape[1:])

    @torch.no_grad()
    def words(self, ids: Tensor, keep: Tensor) -> Tensor:
        """Text tokens `[b 77 d]`, zero where dropped."""
        tokens: Tensor = self.model.text(ids)
        return tokens * keep[:, None, None]

    def forward(self, batch: Batch, generator: torch.Generator) -> Tensor:
        latents = self.target(batch)
        b = len(latents)
        kept = draw_kept(b, self.loss, generator, latents.device)
        steps = self.schedule.config.steps
        t = draw_timesteps(b, steps, self.loss, generator).to(latents.device)
        noisy, v = noised(self.schedule, latents, t, generator)
        weight = motion_weight(latents, self.loss.motion) if self.loss.motion else None
        conditions = self.conditions(batch, kept, generator)
        return velocity_loss(self.denoise(noisy, t, conditions), v, weight).mean()

    def target(self, batch: Batch) -> Tensor:
        """Latents `[b f c h w]` that are to be denoised."""
        raise NotImplementedError

    def conditions(self, batch: Batch, kept: Kept, generator: torch.Generator | None) -> Conditions:
        """What drives the batch; a generator corrupts what training corrupts."""
        raise NotImplementedError

    def denoise(self, noisy: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Predicted v `[b f c h w]`."""
        raise NotImplementedError

    def variants(self, batch: Batch) -> dict[str, Batch]:
        """The batch with one condition wrong, by name."""
        return {"right": batch, "picture": _rolled(batch, "reference", "part_map")}

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Loss on fixed noise with right and wrong conditions, unweighted."""
        return {name: self.held_out(variant) for name, variant in self.variants(batch).items()}

    def held_out(self, batch: Batch) -> float:
        """Mean loss over fixed timesteps and fixed noise."""
        latents = self.target(batch)
        kept = Kept.everything(len(latents), latents.device)
        conditions = self.conditions(batch, kept, None)
        generator = torch.Generator().manual_seed(EVALUATION_SEED)
        total = 0.0
        for time in EVALUATION_TIMES:
            t = torch.full((len(latents),), time, device=latents.device)
            noisy, v = noised(self.schedule, latents, t, generator)
            total += velocity_loss(self.denoise(noisy, t, conditions), v).mean().item()
        return total / len(EVALUATION_TIMES)


def _rolled(batch: Batch, *names: str) -> Batch:
    """The batch with these entries taken from the next sample."""
    return {**batch, **{name: batch[name].roll(1, dims=0) for name in names}}


class Stage1(DiffusionStage):
    """Single frames from the picture and the sentence (section 4.2)."""

    part = "stage1"
    trainable = ("unet.*", "reference.*", "mask.*", *(f"!{pattern}" for pattern in DYNAMICS))

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model, tokenizer, config)
        self.spatial = spatial_half(model)

    def source(self, split: str) -> Source:
        return Pairs(self.model.config, self.config.data, self.tokenizer, split)

    def target(self, batch: Batch) -> Tensor:
        return rearrange(self.encode(batch["target"]), "b c h w -> b 1 c h w")

    def conditions(self, batch: Batch, kept: Kept, generator: torch.Generator | None) -> Conditions:
        text = self.words(batch["ids"], kept.text)
        part_map = batch["part_map"]
        if generator is not None:
            part_map = as_silhouette(part_map, self.loss.silhouette, generator)
        latents = self.encode(batch["reference"])
        features = self.model.picture_features(latents, text, part_map, kept.part_map)
        reference = self.spatial.project_reference(features)
        return Conditions(text=text, reference=reference, keep_reference=kept.reference)

    def denoise(self, noisy: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        v: Tensor = self.spatial(noisy, t, conditions)
        return v


@dataclass(frozen=True)
class _Music:
    """What is heard over a clip: music tokens `[b l d]` with their seconds `[l]`."""

    tokens: Tensor
    seconds: Tensor


class Stage2(DiffusionStage):
    """Clips: music, beats and motion, and what else the config lists (section 4.3)."""

    part = "stage2"
    trainable = DYNAMICS

    def source(self, split: str) -> Source:
        return Clips(self.model.config, self.config.data, self.tokenizer, split)

    def target(self, batch: Batch) -> Tensor:
        return self.encode(batch["frames"])

    @torch.no_grad()
    def hear(self, mel: Tensor, frames: int) -> _Music:
        """The frozen AST over the clip, which is the middle of the window `mel`."""
        seconds = frames / self.model.config.clip.fps
        return _Music(*self.model.music.over_clip(mel, seconds))

    def conditions(self, batch: Batch, kept: Kept, generator: torch.Generator | None) -> Conditions:
        model, frames = self.model, batch["frames"].shape[1]
        text = self.words(batch["ids"], kept.text)
        previous = self.encode(batch["previous"])
        part_map = batch["part_map"]
        if generator is not None:
            part_map = as_silhouette(part_map, self.loss.silhouette, generator)
            previous = self.corrupted(previous, generator)
        features = model.picture_features(
            self.encode(batch["reference"]), text, part_map, kept.part_map
        )
        heard = self.hear(batch["mel"], frames)
        begin = 0.0 if generator is None else self.begin(frames, generator)
        seconds = model.frame_seconds(frames, text.device) + begin
        return Conditions(
            text=text,
            reference=model.unet.project_reference(features),
            previous=model.reference.motion_features(previous, text),
            music=model.timed_music(heard.tokens, heard.seconds + begin, kept.music),
            beat=model.timed_beats(batch["beat_ids"], batch["beat_count"], seconds, kept.music),
            seconds=seconds,
            keep_reference=kept.reference,
        )

    def begin(self, frames: int, generator: torch.Generator) -> float:
        """Where in a whole clip a shorter one is said to lie, in seconds: any place is possible.

        So networks trained on short clips have met every time of a long one.
        """
        clip = self.model.config.clip
        spare = max(0.0, clip.seconds - frames / clip.fps)
        return spare * torch.rand((), generator=generator).item()

    def corrupted(self, previous: Tensor, generator: torch.Generator) -> Tensor:
        """Previous latents `[b m c h w]` with noise of a random strength per sample."""
        strength = torch.rand(len(previous), generator=generator) * self.loss.previous_noise
        noise = torch.randn(previous.shape, generator=generator)
        return previous + (noise * strength[:, None, None, None, None]).to(previous)

    def denoise(self, noisy: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        v: Tensor = self.model.unet(noisy, t, conditions)
        return v

    def variants(self, batch: Batch) -> dict[str, Batch]:
        late = batch["beat_count"] + 0.5
        return {
            **super().variants(batch),
            "music": _rolled(batch, "mel", "beat_ids", "beat_count"),
            "beats": {**batch, "beat_count": late, "beat_ids": beat_ids(late)},
            "text": _rolled(batch, "ids"),
        }


def beat_ids(count: Tensor) -> Tensor:
    """Ids `[b f]` of a continuous beat count `[b f]`: 1 in the frame nearest to every beat."""
    rate = (count[:, -1:] - count[:, :1]) / max(1, count.shape[1] - 1)
    return (torch.floor(count + rate / 2) != torch.floor(count - rate / 2)).long()
