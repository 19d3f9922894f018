"""From a picture, a song and a sentence to frames, one segment at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import repeat
from torch import Tensor

from .audio.beats import BeatGrid
from .audio.mel import song_log_mel
from .audio.tracker import track_beats
from .audio.waveform import Waveform
from .checkpoint.format import load_checkpoint
from .diffusion.compositing import composite
from .diffusion.guidance import Guidance, StepInfo
from .diffusion.runner import plan_segments
from .diffusion.samplers import OnStep
from .diffusion.segment import (
    DenoisedSegment,
    SamplingSettings,
    SegmentInput,
    SongFeatures,
    denoise_segment,
    initial_noise,
)
from .errors import InputError
from .models import MuseDance
from .models.tokenizer import Tokenizer
from .models.vae import run_in_batches

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


class MuseDancePipeline:
    """Encode - denoise - decode (the paper's section 3.3), with memory bounded by one segment."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.config = model.config

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

    def encode_song(self, song: Waveform, beats: BeatGrid | None = None) -> SongFeatures:
        """Hear the whole song once; `beats` replaces the tracked ones."""
        mel = song_log_mel(song, self.config.music.mel_bins)
        return SongFeatures(mel, beats if beats is not None else track_beats(song))

    @torch.no_grad()
    def animate(
        self,
        picture: Tensor,
        track: SongFeatures,
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
        sentences = [text] if isinstance(text, str) else list(text)
        default = self.config.schedule
        settings = SamplingSettings(
            default.sampling_steps if steps is None else steps,
            guidance or Guidance.of(default),
            sampler,
        )
        latent = self.model.vae.encode(picture[None].to(self.device, self.dtype))
        tail = repeat(latent, "1 c h w -> m c h w", m=self.config.clip.previous)
        plans = plan_segments(frames, self.config.clip.frames)
        for plan in plans:
            given = SegmentInput(
                reference=latent,
                previous=tail,
                text=self.encode_text(sentences[min(plan.index, len(sentences) - 1)]),
                track=track,
                start=start,
                first=plan.first,
                part_map=None if part_map is None else part_map[None].to(self.device),
            )
            noise = initial_noise(self.model, latent, seed, plan.index)
            told = _teller(on_step, plan.index, len(plans), settings.steps)
            clean = denoise_segment(self.model, given, noise, settings, told)
            tail = clean.latents[len(clean.latents) - self.config.clip.previous :]
            shown = self.decode(clean, picture, part_map, plan.frames)
            yield Segment(plan.index, plan.first, shown, tail)

    def decode(
        self, clean: DenoisedSegment, picture: Tensor, part_map: Tensor | None, frames: int
    ) -> Tensor:
        """The first `frames` frames `[f 3 s s]` of a segment of the dance of `picture [3 s s]`;
        `part_map` as in `animate`."""
        vae, size = self.model.vae, self.config.clip.size

        def redraw(pictures: Tensor) -> Tensor:
            given = pictures.to(self.device, self.dtype)
            return (
                run_in_batches(lambda some: vae.decode(vae.encode(some)), given, size).float().cpu()
            )

        if not self.config.unet.copy_pixels:
            return run_in_batches(vae.decode, clean.latents[:frames], size).float().cpu()
        drawn = run_in_batches(vae.decode, clean.latents, size).float().cpu()
        assert clean.warp is not None, "copy_pixels needs copy_body"
        dancer = None if part_map is None else part_map.cpu() > 0
        whole = composite(drawn, picture.to(drawn), clean.warp.to(drawn), redraw, dancer)
        return whole[:frames]

    def encode_text(self, sentence: str) -> Tensor:
        """Text tokens `[1 77 d]` of a sentence."""
        tokens: Tensor = self.model.text(self.tokenizer.encode([sentence]).to(self.device))
        return tokens


def _teller(
    on_step: Callable[[StepInfo], None] | None, segment: int, segments: int, steps: int
) -> OnStep:
    """What a sampler calls: `on_step` is told which step of which segment it was."""

    def told(step: int, denoised: Tensor) -> None:
        if on_step is not None:
            on_step(StepInfo(segment, segments, step, steps, denoised))

    return told
