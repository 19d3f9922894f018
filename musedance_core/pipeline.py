"""From a picture, a song and a sentence to frames, one segment at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange, repeat
from torch import Tensor

from .audio.beats import BeatGrid, beat_frames, track_beats
from .audio.features import clip_window, song_log_mel
from .audio.waveform import Waveform
from .checkpoint.format import load_checkpoint
from .errors import InputError
from .models import Conditions, MuseDance
from .samplers import SAMPLERS, OnStep, require_sampler
from .sampling import (
    CONDITIONS,
    ConditionSet,
    Guidance,
    NoiseSchedule,
    StepInfo,
    guided_velocity,
)
from .segments import SegmentPlan, plan_segments
from .tokenizer import Tokenizer

DEFAULT_CHECKPOINT = Path(__file__).parent / "weights" / "musedance-sticker.safetensors"


@dataclass(frozen=True)
class Segment:
    """One finished piece of video.

    `frames [f 3 h w]` in 0..1, already trimmed; `first` is the index of its first frame in the
    video; `tail [m c h w]` holds the latents that the next segment continues from.
    """

    index: int
    first: int
    frames: Tensor
    tail: Tensor


@dataclass(frozen=True)
class Track:
    """A song as the model hears it: log-mel of the whole song `[t mel]` and its beats."""

    mel: Tensor
    grid: BeatGrid


class MuseDancePipeline:
    """Encode - denoise - decode (the paper's section 3.3), with memory bounded by one segment."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.config = model.config
        self.schedule = NoiseSchedule(model.config.schedule)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        allow_untrained: bool = False,
    ) -> MuseDancePipeline:
        """Load a checkpoint; None means the embedded sticker model.

        Raises:
            InputError: the file is not a MuseDance checkpoint, or it was never trained to dance and
                `allow_untrained` is False.
        """
        loaded = load_checkpoint(path or DEFAULT_CHECKPOINT, device=device, dtype=dtype)
        if not loaded.provenance.get("trained", True) and not allow_untrained:
            raise InputError(
                f"{path} was never trained to dance; it is sampled only where that is allowed."
            )
        return cls(loaded.model, loaded.tokenizer)

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return next(self.model.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        return next(self.model.unet.parameters()).dtype

    def listen(self, song: Waveform, beats: BeatGrid | None = None) -> Track:
        """Hear the whole song once; `beats` replaces the tracked ones."""
        mel = song_log_mel(song, self.config.music.mel_bins)
        return Track(mel, beats if beats is not None else track_beats(song))

    @torch.no_grad()
    def animate(
        self,
        picture: Tensor,
        track: Track,
        text: str | Sequence[str],
        *,
        frames: int,
        start: float = 0.0,
        part_map: Tensor | None = None,
        seed: int = 0,
        steps: int | None = None,
        sampler: str = "ddim",
        guidance: Guidance | None = None,
        on_step: Callable[[StepInfo], None] | None = None,
    ) -> Iterator[Segment]:
        """Yield the dance segment by segment.

        Args:
            picture: `[3 s s]` in 0..1, fitted to the checkpoint's size.
            track: what `listen` gave.
            text: one sentence, or one per segment (the last one stays).
            frames: how many frames in all.
            start: where in the song the video starts, in seconds.
            part_map: ids 0..25 `[s s]`, or None.
            seed: the same seed gives the same video.
            steps: denoising steps, the checkpoint's default if None.
            sampler: a name out of `samplers.SAMPLERS`.
            guidance: the checkpoint's default if None.
            on_step: called after every step; whatever it raises ends the work.

        Raises:
            ValueError: no sampler is called so, or `steps` is out of range.
        """
        require_sampler(sampler)
        sentences = [text] if isinstance(text, str) else list(text)
        schedule = self.config.schedule
        guidance = guidance or Guidance(schedule.guidance, {}, schedule.guidance_rescale)
        latent = self.model.vae.encode(picture[None].to(self.device, self.dtype))
        tail = repeat(latent, "1 c h w -> m c h w", m=self.config.clip.previous)
        plans = plan_segments(frames, self.config.clip.frames)
        for plan in plans:
            sentence = sentences[min(plan.index, len(sentences) - 1)]
            conditions = self._conditions(
                plan, latent, tail, part_map, sentence, track, start, guidance
            )
            generator = torch.Generator().manual_seed(seed * 1_000_003 + plan.index)
            shape = (1, self.config.clip.frames, *latent.shape[1:])
            noise = self.schedule.noise(shape, generator).to(latent)
            count = steps or schedule.sampling_steps
            told = _teller(on_step, plan.index, len(plans), count)
            clean = self._denoise(conditions, noise, count, sampler, guidance, told)
            decoded = self.model.vae.decode(clean[: plan.frames]).float().cpu()
            tail = clean[len(clean) - self.config.clip.previous :]
            yield Segment(plan.index, plan.first, decoded, tail)

    def _denoise(
        self,
        conditions: ConditionSet,
        noise: Tensor,
        steps: int,
        sampler: str,
        guidance: Guidance,
        on_step: OnStep,
    ) -> Tensor:
        """Clean latents `[f c h w]` of one whole clip out of `noise [1 f c h w]`."""

        def denoise(x: Tensor, t: Tensor) -> Tensor:
            return guided_velocity(self.model.unet, x, t, conditions, guidance)

        return SAMPLERS[sampler](denoise, noise, self.schedule, steps, on_step)[0]

    def _conditions(
        self,
        plan: SegmentPlan,
        latent: Tensor,
        tail: Tensor,
        part_map: Tensor | None,
        sentence: str,
        track: Track,
        start: float,
        guidance: Guidance,
    ) -> ConditionSet:
        """What drives one segment, whole and with each condition missing."""
        model, clip, device = self.model, self.config.clip, self.device
        text = model.text(self.tokenizer.encode([sentence]).to(device))
        part_maps = None if part_map is None else part_map[None].to(device)
        begin = start + plan.first / clip.fps
        window = clip_window(track.mel, begin, clip.frames, clip.fps, self.config.music.length)
        music, seconds = model.music.over_clip(window[None].to(device, self.dtype), clip.seconds)
        heard = beat_frames(track.grid, start, clip.frames, clip.fps, plan.first)
        ids = torch.from_numpy(heard.ids)[None].to(device)
        count = torch.from_numpy(heard.count)[None].to(device).float()
        frame_seconds = model.frame_seconds(clip.frames, device)
        previous = rearrange(tail, "m c h w -> 1 m c h w")

        def build(*dropped: str) -> Conditions:
            words = text * 0 if "text" in dropped else text
            hear = torch.tensor(["music" not in dropped], device=device)
            picture = model.picture_features(latent, words, part_maps)
            made = Conditions(
                text=words,
                reference=model.unet.project_reference(picture),
                previous=model.reference.motion_features(previous, words),
                music=model.timed_music(music, seconds, hear),
                beat=model.timed_beats(ids, count, frame_seconds, hear),
                seconds=frame_seconds,
            )
            return made.without_reference() if "reference" in dropped else made

        without = {name: build(name) for name, weight in guidance.weights.items() if weight}
        return ConditionSet(build(), build(*CONDITIONS), without)


def _teller(
    on_step: Callable[[StepInfo], None] | None, segment: int, segments: int, steps: int
) -> OnStep:
    """What a sampler calls: `on_step` is told which step of which segment it was."""

    def told(step: int, denoised: Tensor) -> None:
        if on_step is not None:
            on_step(StepInfo(segment, segments, step, steps, denoised))

    return told
