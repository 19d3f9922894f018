"""A dance of any length, segment by segment on the song's clock.

Every segment continues the tail of the one before, so memory is bounded by one segment. The
pipeline, the command line and the ComfyUI nodes all run this recurrence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from einops import repeat
from safetensors import SafetensorError
from torch import Tensor

from ..config import MuseDanceConfig
from ..errors import InputError
from ..models import MuseDance
from .compositing import Autoencoder, restore_picture
from .guidance import StepInfo
from .prompts import at_time
from .samplers import OnStep
from .segment import (
    DenoisedSegment,
    Reference,
    SamplingSettings,
    SegmentInput,
    SongFeatures,
    denoise_segment,
    initial_noise,
    require_finite,
)
from .segment_cache import SegmentCache

logger = logging.getLogger(__name__)
OnStepInfo = Callable[[StepInfo], None]


class ModelHandle(Protocol):
    """A model that `ready` brings to `device` before it is used; a host may move it away again."""

    @property
    def config(self) -> MuseDanceConfig: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def ready(self) -> MuseDance: ...


@dataclass(frozen=True)
class DanceInputs:
    """Everything that the segments of one dance share.

    Attributes:
        reference: the picture.
        song: the whole song.
        prompts: seconds of the song, rising, and the text tokens `[1 77 d]` from then on.
        settings: steps, sampler and guidance.
        seed: the noise of segment k depends on the seed and k.
        start: where in the song the video starts, in seconds.
        negative: text tokens `[1 77 d]` of the negative prompt, or None.
    """

    reference: Reference
    song: SongFeatures
    prompts: Sequence[tuple[float, Tensor]]
    settings: SamplingSettings
    seed: int = 0
    start: float = 0.0
    negative: Tensor | None = None


@dataclass(frozen=True)
class Tail:
    """The state between two segments.

    Attributes:
        latents: of the last m frames output, `[m c h w]`; at the start the picture's, m times.
        start: where in the song the video starts, in seconds.
        frame: number of frames output so far.
        index: number of segments so far.
        segment: the previous segment, cut to the frames output; None at the start.
    """

    latents: Tensor
    start: float
    frame: int = 0
    index: int = 0
    segment: DenoisedSegment | None = None

    def after(self, segment: DenoisedSegment) -> Tail:
        """The tail after `segment`, which is cut to the frames output."""
        frames = torch.cat([self.latents.to(segment.latents), segment.latents])
        last = frames[len(frames) - len(self.latents) :]
        frame = self.frame + len(segment.latents)
        return replace(self, latents=last, frame=frame, index=self.index + 1, segment=segment)


@dataclass(frozen=True)
class Segment:
    """One finished piece of video.

    `frames [f 3 h w]` float32 in 0..1, cut to the frames output; `first` is the index of its first
    frame in the video; the next segment continues from `tail`.
    """

    index: int
    first: int
    frames: Tensor
    tail: Tail


class SegmentRunner:
    """Denoises the segments of one dance in order, and decodes them.

    Args:
        model: the model.
        inputs: what all segments share.
        cache: finished segments are taken from here and written here, where it is given.
    """

    def __init__(
        self, model: ModelHandle, inputs: DanceInputs, cache: SegmentCache | None = None
    ) -> None:
        self.model, self.inputs, self.cache = model, inputs, cache

    def first_tail(self) -> Tail:
        """The tail before the first segment: the picture, as if it had stood still."""
        previous = self.model.config.clip.previous
        latents = repeat(self.inputs.reference.latents, "1 c h w -> m c h w", m=previous)
        return Tail(latents, self.inputs.start)

    @torch.no_grad()
    def run(
        self, frames: int, vae: Autoencoder, on_step: OnStepInfo | None = None
    ) -> Iterator[Segment]:
        """Yields the first `frames` frames of the dance, segment by segment, on demand.

        Args:
            frames: how many frames in all.
            vae: decodes the latents.
            on_step: called after every denoising step, and once for a segment from the cache; an
                exception from it ends the dance.

        Raises:
            InputError: the model's output is not finite.
        """
        clip = self.model.config.clip
        plans = plan_segments(frames, clip.frames)
        tail = self.first_tail()
        for plan in plans:
            segment = self.segment_after(tail, on_step, len(plans))
            pictures = self.decode(segment, plan.frames, vae)
            tail = tail.after(segment.first(plan.frames))
            yield Segment(plan.index, plan.first, pictures, tail)

    @torch.no_grad()
    def segment_after(
        self, tail: Tail, on_step: OnStepInfo | None = None, segments: int = 1
    ) -> DenoisedSegment:
        """The whole segment that continues `tail`, float32 on the CPU; `on_step` as in `run`, with
        `segments` as the total.

        Raises:
            InputError: the model's output is not finite.
        """
        steps, report = self.inputs.settings.steps, on_step or (lambda info: None)
        seconds = tail.start + tail.frame / self.model.config.clip.fps
        text = at_time(self.inputs.prompts, seconds)
        key = "" if self.cache is None else self._key(self.cache, tail, text)
        if self.cache is not None and (cached := self.cache.read(key)) is not None:
            segment = DenoisedSegment(**cached)
            report(StepInfo(tail.index, segments, steps, steps, segment.latents[None]))
            return segment

        def after_step(step: int, denoised: Tensor) -> None:
            require_finite(denoised, f"The latents of segment {tail.index + 1}", self.model.dtype)
            report(StepInfo(tail.index, segments, step, steps, denoised))

        segment = self._denoise(tail, text, after_step)
        if self.cache is not None:
            try:
                self.cache.write(key, segment.tensors())
            except (OSError, SafetensorError, InputError) as error:
                # The dance goes on; only a later run has to denoise this segment again.
                logger.warning("MuseDance could not write a segment to its cache: %s", error)
        return segment

    def decode(self, segment: DenoisedSegment, frames: int, vae: Autoencoder) -> Tensor:
        """The first `frames` frames `[f 3 h w]` of a whole segment, with the picture's own pixels
        where the model allows it.

        Raises:
            InputError: the frames are not finite.
        """
        if self.model.config.unet.copy_pixels:
            # The frames are restored all together: which pixels move is decided by most of them.
            assert segment.warp is not None, "copy_pixels needs copy_body"
            decoded = vae.decode(segment.latents)
            pictures = restore_picture(decoded, self.inputs.reference, segment.warp, vae)[:frames]
        else:
            pictures = vae.decode(segment.latents[:frames])
        require_finite(pictures, "The decoded frames", self.model.dtype)
        return pictures

    def _denoise(self, tail: Tail, text: Tensor, on_step: OnStep) -> DenoisedSegment:
        model, inputs = self.model.ready(), self.inputs
        device, dtype = self.model.device, self.model.dtype
        part_map, negative = inputs.reference.part_map, inputs.negative
        latents = inputs.reference.latents.to(device, dtype)
        conditioned_on = SegmentInput(
            reference=latents,
            previous=tail.latents.to(device, dtype),
            text=text.to(device, dtype),
            song=inputs.song,
            start=tail.start,
            first=tail.frame,
            part_map=None if part_map is None else part_map[None].to(device),
            negative=None if negative is None else negative.to(device, dtype),
        )
        noise = initial_noise(model, latents, inputs.seed, tail.index)
        segment = denoise_segment(model, conditioned_on, noise, inputs.settings, on_step)
        return DenoisedSegment(**{name: x.float().cpu() for name, x in segment.tensors().items()})

    def _key(self, cache: SegmentCache, tail: Tail, text: Tensor) -> str:
        """A name for everything that the segment after `tail` depends on."""
        inputs, guidance = self.inputs, self.inputs.settings.guidance
        return cache.key(
            [str(self.model.dtype), inputs.seed, inputs.settings.steps, inputs.settings.sampler],
            [guidance.scale, guidance.rescale, dict(guidance.weights)],
            [tail.start, tail.frame, tail.index],
            tail.latents,
            inputs.reference.latents,
            inputs.reference.part_map,
            inputs.song.mel,
            inputs.song.grid.times,
            text,
            inputs.negative,
        )


@dataclass(frozen=True)
class SegmentPlan:
    """Frames `first` to `first + frames - 1` of the video; the model always makes a whole clip."""

    index: int
    first: int
    frames: int


def plan_segments(frames: int, clip_frames: int) -> list[SegmentPlan]:
    """Consecutive segments of `clip_frames`, the last one shorter so that they sum to `frames`.

    Raises:
        ValueError: `frames` or `clip_frames` is not positive.
    """
    if frames < 1 or clip_frames < 1:
        raise ValueError(f"frames and clip_frames must be positive: {frames}, {clip_frames}")
    firsts = range(0, frames, clip_frames)
    return [
        SegmentPlan(i, first, min(clip_frames, frames - first)) for i, first in enumerate(firsts)
    ]
