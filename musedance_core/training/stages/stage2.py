"""Stage 2: music, beats and motion on clips, and what else the config lists (section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...geometry import fit_warp
from ...models import ClipAudio, Conditions, MuseDance
from ...models.beat import NULL_BEAT
from ...models.music import clip_columns
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.sources import clips
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource
from .diffusion import DYNAMICS, DiffusionStage, rolled
from .losses import ConditionMask


class Stage2(DiffusionStage):
    """Clips from picture, sentence, song, beats and the frames before."""

    part = "stage2"
    trainable: tuple[str, ...] = DYNAMICS

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model, tokenizer, config)
        dynamics = model.config.dynamics
        self.trainable = tuple(p for p in DYNAMICS if getattr(dynamics, _module(p)))

    def source(self, split: str) -> SampleSource:
        return clips(self.model.config, self.config.data, self.tokenizer, split, self.cache)

    def sample_frames(self) -> int:
        return self.config.data.frames

    def heavy(self) -> list[nn.Module]:
        return [self.model.unet, self.model.reference]

    def target(self, batch: Batch) -> Tensor:
        return self.latents(batch, "frames")

    @torch.no_grad()
    def hear(self, batch: Batch, frames: int) -> tuple[Tensor, Tensor]:
        """What the frozen AST says of the clip, tokens `[b l d]` and their times `[l]`."""
        seconds = frames / self.model.config.clip.fps
        if "music_tokens" in batch:
            tokens = batch["music_tokens"]
            _, times = clip_columns(self.model.config.music, seconds)
            return tokens, times.to(tokens.device)
        heard: tuple[Tensor, Tensor] = self.model.music.encode_clip(batch["mel"], seconds)
        return heard

    def conditions(self, batch: Batch, kept: ConditionMask, draws: StepRandom | None) -> Conditions:
        model = self.model
        text, heard = self.text_tokens(batch, kept.text), self.heard(batch, kept, draws)
        previous, reference = self.latents(batch, "previous"), self.latents(batch, "reference")
        if draws is not None:
            previous = self.corrupted(previous, draws)
        part_map, keep_map = self.part_map(batch, draws), kept.part_map & batch["has_map"]
        features = model.reference_features(reference, text, part_map, keep_map)
        warp = None if draws is None else self.true_warp(batch)
        return Conditions(
            text=text,
            reference=model.unet.project_reference(features),
            previous=model.reference.motion_features(previous, text),
            music=model.embed_music(heard),
            beat=model.embed_beats(heard),
            seconds=heard.seconds,
            warped_reference=model.warp_reference(
                reference, part_map, features, text, heard, keep_map, warp
            ),
            keep_reference=kept.reference,
        )

    def true_warp(self, batch: Batch) -> Tensor | None:
        """How bodies truly move, `[b f 2 6]`, where the batch knows.

        So the denoiser learns to draw the dance that is planned, not to mend the plan.
        """
        if self.model.body is None or "outlines" not in batch:
            return None
        outlines, still = batch["outlines"] * 2 - 1, batch["still_outline"] * 2 - 1
        return fit_warp(outlines, still[:, None].expand_as(outlines))

    def heard(self, batch: Batch, kept: ConditionMask, draws: StepRandom | None) -> ClipAudio:
        """The batch's music and beats, somewhere in a whole clip."""
        frames = batch["beat_ids"].shape[1]
        tokens, times = self.hear(batch, frames)
        begin = 0.0 if draws is None else self.begin(frames, draws)
        seconds = self.model.frame_seconds(frames, tokens.device) + begin
        return ClipAudio(
            *(tokens, times + begin, batch["beat_ids"], batch["beat_count"], seconds, kept.music)
        )

    def begin(self, frames: int, draws: StepRandom) -> float:
        """Where in a whole clip a shorter one is said to lie, in seconds: any place is possible.

        So networks trained on short clips have met every time of a long one.
        """
        clip = self.model.config.clip
        return max(0.0, clip.seconds - frames / clip.fps) * draws.scalar()

    def corrupted(self, previous: Tensor, draws: StepRandom) -> Tensor:
        """Previous latents `[b m c h w]` with noise of a random strength per sample."""
        strength = draws.uniform() * self.loss.previous_noise
        noise = draws.normal(*previous.shape[1:])
        return previous + (noise * strength[:, None, None, None, None]).to(previous)

    def network(self) -> nn.Module:
        return self.model.unet

    def variants(self, batch: Batch) -> dict[str, Batch]:
        late = batch["beat_count"] + 0.5
        return {
            **super().variants(batch),
            "music": rolled(batch, "mel", "music_tokens", "beat_ids", "beat_count"),
            "beats": {**batch, "beat_count": late, "beat_ids": beat_ids(late)},
            "no_beats": {**batch, "beat_ids": torch.full_like(batch["beat_ids"], NULL_BEAT)},
        }


def _module(pattern: str) -> str:
    """Which of music, beat and motion a pattern of `DYNAMICS` belongs to."""
    return next(name for name in ("music", "beat", "motion") if name in pattern)


def beat_ids(count: Tensor) -> Tensor:
    """Ids `[b f]` of a continuous beat count `[b f]`: 1 in the frame nearest to every beat."""
    rate = (count[:, -1:] - count[:, :1]) / max(1, count.shape[1] - 1)
    return (torch.floor(count + rate / 2) != torch.floor(count - rate / 2)).long()
