"""Stage 2: the music, beat and motion modules, on clips (section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...models import ClipAudio, Conditions, MuseDance
from ...models.beat import NULL_BEAT
from ...models.music import clip_columns
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.sources import clip_source
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource
from .diffusion import DYNAMICS, PICTURE, DiffusionStage, mismatch
from .losses import ConditionMask

PLAN = ("planned", "coverage")
"""Entries of a batch with the planned dance; those of data sets have none."""


class Stage2(DiffusionStage):
    """Clips from a picture, a sentence, a song with its beats, and the previous frames."""

    part = "stage2"
    trainable: tuple[str, ...] = DYNAMICS

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model, tokenizer, config)
        dynamics = model.config.dynamics
        self.trainable = tuple(p for p in DYNAMICS if getattr(dynamics, _module_of(p)))

    def source(self, split: str) -> SampleSource:
        return clip_source(self.model.config, self.config.data, self.tokenizer, split, self.cache)

    def music_frames(self) -> int:
        return self.config.data.frames

    def networks(self) -> list[nn.Module]:
        return [self.model.unet, self.model.reference]

    def target(self, batch: Batch) -> Tensor:
        return self.latents(batch, "frames")

    def denoiser(self) -> nn.Module:
        return self.model.unet

    def conditions(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> Conditions:
        model = self.model
        text, audio = self.text_tokens(batch, mask.text), self.clip_audio(batch, mask, rng)
        previous, reference = self.latents(batch, "previous"), self.latents(batch, "reference")
        if rng is not None:
            previous = self.add_previous_noise(previous, rng)
        part_map, keep_map = self.part_map(batch, rng), mask.part_map & batch["has_map"]
        features = model.reference_features(reference, text, part_map, keep_map)
        return Conditions(
            text=text,
            reference=model.unet.project_reference(features),
            previous=model.reference.motion_features(previous, text),
            music=model.embed_music(audio),
            beat=model.embed_beats(audio),
            seconds=audio.seconds,
            warped_reference=model.warp_reference(
                reference, batch.get("planned"), batch.get("coverage")
            ),
            keep_reference=mask.reference,
        )

    def clip_audio(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> ClipAudio:
        """Returns music and beats of the batch, in training at a random time of a longer clip."""
        frames = batch["beat_ids"].shape[1]
        tokens, times = self.encode_music(batch, frames)
        offset = 0.0 if rng is None else self.draw_offset(frames, rng)
        return ClipAudio(
            music=tokens,
            music_seconds=times + offset,
            beat_ids=batch["beat_ids"],
            beat_count=batch["beat_count"],
            seconds=self.model.frame_seconds(frames, tokens.device) + offset,
            keep=mask.music,
        )

    @torch.no_grad()
    def encode_music(self, batch: Batch, frames: int) -> tuple[Tensor, Tensor]:
        """Returns music tokens `[b l d]` of the frozen AST and their times `[l]` in seconds."""
        seconds = frames / self.model.config.clip.fps
        if "music_tokens" in batch:
            tokens = batch["music_tokens"]
            _, times = clip_columns(self.model.config.music, seconds)
            return tokens, times.to(tokens.device)
        encoded: tuple[Tensor, Tensor] = self.model.music.encode_clip(batch["mel"], seconds)
        return encoded

    def draw_offset(self, frames: int, rng: StepRandom) -> float:
        """Samples the time in seconds at which a short clip starts within one of full length.

        So networks trained on short clips know all times of a long one.
        """
        clip = self.model.config.clip
        return max(0.0, clip.seconds - frames / clip.fps) * rng.scalar()

    def add_previous_noise(self, previous: Tensor, rng: StepRandom) -> Tensor:
        """Returns the previous frames' latents `[b m c h w]` with noise of a random strength.

        At inference they come from the model itself and are not perfect.
        """
        strength = rng.uniform() * self.loss.previous_noise
        noise = rng.normal(*previous.shape[1:])
        return previous + (noise * strength[:, None, None, None, None]).to(previous)

    def condition_variants(self, batch: Batch) -> dict[str, Batch]:
        late = batch["beat_count"] + 0.5
        return {
            **super().condition_variants(batch),
            # The plan shows the picture too.
            "picture": mismatch(batch, *PICTURE, *PLAN),
            "plan": mismatch(batch, *PLAN),
            "music": mismatch(batch, "mel", "music_tokens", "beat_ids", "beat_count"),
            "beats": {**batch, "beat_count": late, "beat_ids": beat_ids(late)},
            "no_beats": {**batch, "beat_ids": torch.full_like(batch["beat_ids"], NULL_BEAT)},
        }


def _module_of(pattern: str) -> str:
    """Returns which of "music", "beat" and "motion" a pattern of `DYNAMICS` belongs to."""
    return next(name for name in ("music", "beat", "motion") if name in pattern)


def beat_ids(count: Tensor) -> Tensor:
    """Returns beat ids `[b f]` of a continuous beat count `[b f]`: 1 in the frame at each beat."""
    rate = (count[:, -1:] - count[:, :1]) / max(1, count.shape[1] - 1)
    return (torch.floor(count + rate / 2) != torch.floor(count - rate / 2)).long()
