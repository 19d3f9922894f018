"""A dance of any length, segment by segment on the song's clock.

A model with a choreographer first plans the dance of a segment as poses; its denoiser sees the
picture in these poses, and the frames are composited at the picture's own size.

Every segment continues the tail of the one before, so memory is bounded by one segment. The
pipeline, the command line and the ComfyUI nodes all run this recurrence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import repeat
from safetensors import SafetensorError
from torch import Tensor

from ..dance.motion import DanceMotion, closed_loop, join
from ..errors import InputError
from ..models import MuseDance
from .choreography import DanceScore, DanceSettings, plan_segment, pose_rate
from .compositing import Autoencoder, Passage, composite_with_alpha, correct, plan_frames
from .guidance import StepInfo
from .prompts import at_time
from .resident import ModelHandle
from .samplers import OnStep
from .segment import (
    DenoisedSegment,
    OnShare,
    Reference,
    SamplingSettings,
    SegmentInput,
    SongFeatures,
    denoise_segment,
    initial_noise,
    require_finite,
)
from .segment_cache import SegmentCache
from .segment_plan import SegmentPlan, plan_segments
from .tail import Tail

logger = logging.getLogger(__name__)
OnStepInfo = Callable[[StepInfo], None]
OnSetup = Callable[[int, float], None]
"""Called with the index of a segment and the share in 0..1 of the work before its first step."""
PLANNED = 0.4
"""Share of planning in the work before the first step of a denoised segment, for progress bars."""
LOOP_OVERLAP = 0.8
"""Seconds in which the beginning of a loop goes over from what follows its end."""


@dataclass(frozen=True)
class DanceInputs:
    """Everything that the segments of one dance share.

    Attributes:
        reference: the picture.
        song: the whole song.
        prompts: seconds of the song, rising, and the text tokens `[1 77 d]` from then on.
        settings: steps, sampler and guidance.
        seed: the dance and the noise of segment k depend on the seed and k.
        start: where in the song the video starts, in seconds.
        negative: text tokens `[1 77 d]` of the negative prompt, or None.
        fps: frames a second of the video; None is the model's own rate, and models without a
            choreographer know no other.
        denoise: False shows the planned dance alone, in models with a choreographer.
        motion: a dance to follow instead of planning one, from `start` on.
    """

    reference: Reference
    song: SongFeatures
    prompts: Sequence[tuple[float, Tensor]]
    settings: SamplingSettings
    seed: int = 0
    start: float = 0.0
    negative: Tensor | None = None
    fps: float | None = None
    denoise: bool = True
    motion: DanceMotion | None = None


@dataclass(frozen=True)
class Segment:
    """One finished piece of video.

    A segment at the picture's own size comes in several pieces of the same `index`; frames between
    two segments belong to the second one.

    Attributes:
        index: number of the segment, from 0.
        first: index of the first frame in the video.
        frames: `[f c h w]` float32 in 0..1, RGB or straight RGBA, cut to the frames output.
        tail: the next segment continues from it.
        alpha: the dancer's own alpha `[f 1 h w]` in 0..1; None in models that plan no dance.
    """

    index: int
    first: int
    frames: Tensor
    tail: Tail
    alpha: Tensor | None = None


class SegmentRunner:
    """Plans and denoises the segments of one dance in order, and makes frames of them.

    Args:
        model: the model.
        inputs: what all segments share.
        cache: finished segments are taken from here and written here, where it is given.
        on_setup: called while a segment is planned and its conditions are computed.
    """

    def __init__(
        self,
        model: ModelHandle,
        inputs: DanceInputs,
        cache: SegmentCache | None = None,
        on_setup: OnSetup = lambda index, share: None,
    ) -> None:
        self.model, self.inputs, self.cache, self.on_setup = model, inputs, cache, on_setup

    @property
    def fps(self) -> float:
        """Frames a second of the video."""
        return self.inputs.fps or self.model.config.clip.fps

    def looped(self, begin: float, end: float) -> SegmentRunner:
        """A runner of the same dance that leads from `end` back to `begin`, in seconds; it is this
        one where the model plans no dance."""
        if self.inputs.reference.dancer is None or self.model.config.choreographer is None:
            return self
        overlap = min(LOOP_OVERLAP, (end - begin) / 2)
        motion = closed_loop(self.planned(end + overlap), begin, end, overlap)
        return SegmentRunner(self.model, replace(self.inputs, motion=motion), self.cache)

    @torch.no_grad()
    def planned(self, seconds: float) -> DanceMotion:
        """The planned dance of at least the first `seconds`, in models that plan it."""
        runner = SegmentRunner(self.model, replace(self.inputs, denoise=False), self.cache)
        clip, tail, motions = self.model.config.clip, self.first_tail(), []
        while tail.frame < seconds * clip.fps:
            segment = runner.segment_after(tail)
            tail = tail.after(segment, clip.frames)
            assert segment.poses is not None
            motions.append(self._motion(segment.poses))
        return join(motions)

    def first_tail(self) -> Tail:
        """The tail before the first segment: the picture, as if it had stood still."""
        previous = self.model.config.clip.previous
        latents = repeat(self.inputs.reference.latents, "1 c h w -> m c h w", m=previous)
        return Tail(latents, self.inputs.start, self.model.config.clip.fps)

    @torch.no_grad()
    def run(
        self, frames: int, vae: Autoencoder, on_step: OnStepInfo | None = None
    ) -> Iterator[Segment]:
        """Yields the first `frames` frames of the dance, piece by piece, on demand.

        Args:
            frames: how many frames in all.
            vae: decodes the latents.
            on_step: called after every denoising step, and once for a segment from the cache or one
                that is only planned; an exception from it ends the dance.

        Raises:
            InputError: the model's output is not finite.
        """
        clip = self.model.config.clip
        plans = plan_segments(frames, self.fps, clip.seconds, self._waiting)
        tail, passage = self.first_tail(), None
        for plan in plans:
            segment = self.segment_after(tail, on_step, len(plans))
            share = min(1.0, frames / self.fps / clip.seconds - plan.index)
            tail = tail.after(segment.first(share), round(share * clip.frames))
            passage = self._passage(segment, vae, passage)
            first = plan.first
            for pictures, alpha in self._decode(segment, plan, vae, passage):
                yield Segment(plan.index, first, pictures, tail, alpha)
                first += len(pictures)

    def finished(self, frames: int) -> int:
        """Number of frames, of the first `frames`, that the segments in the cache hold without a
        gap."""
        clip, tail = self.model.config.clip, self.first_tail()
        for _ in plan_segments(frames, self.fps, clip.seconds):
            segment = self._cached(tail)
            if segment is None:
                return int(tail.frame / clip.fps * self.fps)
            tail = tail.after(segment, clip.frames)
        return frames

    @torch.no_grad()
    def segment_after(
        self, tail: Tail, on_step: OnStepInfo | None = None, segments: int = 1
    ) -> DenoisedSegment:
        """The whole segment that continues `tail`, float32 on the CPU; `on_step` as in `run`, with
        `segments` as the total.

        Raises:
            InputError: the model's output is not finite.
        """
        steps = self.inputs.settings.steps if self.inputs.denoise else 1
        report = on_step or (lambda info: None)
        cached = self._cached(tail)
        if cached is not None:
            report(StepInfo(tail.index, segments, steps, steps, self._preview(cached, tail)))
            return cached

        def after_step(step: int, denoised: Tensor) -> None:
            require_finite(denoised, f"The latents of segment {tail.index + 1}", self.model.dtype)
            report(StepInfo(tail.index, segments, step, steps, denoised))

        segment = self._make(tail, after_step)
        if segment.latents is None:
            report(StepInfo(tail.index, segments, steps, steps, self._preview(segment, tail)))
        if self.cache is not None:
            try:
                self.cache.write(self._key(self.cache, tail), segment.tensors())
            except (OSError, SafetensorError, InputError) as error:
                # The dance goes on; only a later run has to denoise this segment again.
                logger.warning("MuseDance could not write a segment to its cache: %s", error)
        return segment

    def _cached(self, tail: Tail) -> DenoisedSegment | None:
        """The segment after `tail`, if it is in the cache."""
        stored = None if self.cache is None else self.cache.read(self._key(self.cache, tail))
        return None if stored is None else DenoisedSegment(**stored)

    def _text(self, tail: Tail) -> Tensor:
        """Text tokens `[1 77 d]` of the segment after `tail`."""
        seconds = tail.start + tail.frame / self.model.config.clip.fps
        return at_time(self.inputs.prompts, seconds)

    @property
    def _waiting(self) -> float:
        """Seconds before the end of a segment after which frames wait for the next one: they lie
        after its last denoised frame, or depend on a pose that is still to come."""
        clip, choreographer = self.model.config.clip, self.model.config.choreographer
        if self.inputs.reference.dancer is None or choreographer is None:
            return 0.0
        return max(1, 2 / choreographer.poses) / clip.fps - 1e-6

    def _passage(
        self, segment: DenoisedSegment, vae: Autoencoder, previous: Passage | None
    ) -> Passage | None:
        """The dance of a whole segment after `previous`; None where the model plans none.

        Raises:
            InputError: the decoded frames are not finite.
        """
        dancer, fps = self.inputs.reference.dancer, self.model.config.clip.fps
        if segment.poses is None or dancer is None:
            return None
        motion, corrections = self._motion(segment.poses), None
        if segment.latents is not None:
            drawn = vae.decode(segment.latents)
            require_finite(drawn, "The decoded frames", self.model.dtype)
            corrections = correct(dancer, drawn, motion, vae, fps)
        return Passage(motion, corrections).after(previous)

    def _decode(
        self,
        segment: DenoisedSegment,
        plan: SegmentPlan,
        vae: Autoencoder,
        passage: Passage | None,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yields the frames `[f c h w]` of a whole segment that `plan` asks for, a few at a time,
        with the dancer's alpha `[f 1 h w]` in them, if it is known.

        They have the picture's own size where the model plans the dance, which is `passage`.

        Raises:
            InputError: the frames are not finite.
        """
        dancer = self.inputs.reference.dancer
        if passage is None or dancer is None:
            assert segment.latents is not None
            frames = vae.decode(segment.latents[: plan.frames])
            require_finite(frames, "The decoded frames", self.model.dtype)
            yield frames, None
            return
        seconds = (plan.first + np.arange(plan.frames)) / self.fps
        seconds += passage.begin - plan.index * self.model.config.clip.seconds
        yield from composite_with_alpha(dancer, passage.motion, seconds, passage.corrections)

    def _make(self, tail: Tail, on_step: OnStep) -> DenoisedSegment:
        """Plans the dance of the segment after `tail`, where the model can, and denoises it."""
        model = self.model.ready()

        def setup(begin: float, end: float) -> OnShare:
            return lambda share: self.on_setup(tail.index, begin + share * (end - begin))

        plan = self._plan(model, tail, setup(0.0, PLANNED if self.inputs.denoise else 1.0))
        if plan.poses is not None and not self.inputs.denoise:
            return plan
        conditioned_on = self._segment_input(tail, plan)
        noise = initial_noise(model, conditioned_on.reference, self.inputs.seed, tail.index)
        settings = self.inputs.settings
        denoised = denoise_segment(
            model, conditioned_on, noise, settings, on_step, setup(PLANNED, 1.0)
        )
        return replace(plan, latents=denoised.float().cpu())

    @torch.no_grad()
    def undenoised(self, tail: Tail) -> tuple[DenoisedSegment, SegmentInput]:
        """The planned dance of the segment that continues `tail`, which has no latents yet, and
        everything that its denoising is conditioned on."""
        plan = self._plan(self.model.ready(), tail, lambda share: None)
        return plan, self._segment_input(tail, plan)

    def _segment_input(self, tail: Tail, plan: DenoisedSegment) -> SegmentInput:
        """The inputs of the segment after `tail`, whose dance is `plan`."""
        inputs, device, dtype = self.inputs, self.model.device, self.model.dtype
        part_map, negative = inputs.reference.part_map, inputs.negative
        return SegmentInput(
            reference=inputs.reference.latents.to(device, dtype),
            previous=tail.latents.to(device, dtype),
            text=self._text(tail).to(device, dtype),
            song=inputs.song,
            start=tail.start,
            first=tail.frame,
            part_map=None if part_map is None else part_map[None].to(device),
            negative=None if negative is None else negative.to(device, dtype),
            planned=self._planned(plan.poses),
        )

    def _plan(self, model: MuseDance, tail: Tail, on_share: OnShare) -> DenoisedSegment:
        """The poses of the segment after `tail`, if the model has a choreographer."""
        inputs = self.inputs
        if inputs.reference.dancer is None or model.choreographer is None:
            return DenoisedSegment()
        if inputs.motion is not None:
            clip, rate = model.config.clip, pose_rate(model)
            times = tail.frame / clip.fps + np.arange(round(clip.seconds * rate)) / rate
            return DenoisedSegment(poses=inputs.motion.at(times).features())
        score = DanceScore(inputs.song, inputs.prompts, inputs.seed, tail.start, inputs.negative)
        settings = DanceSettings.guided_by(model, inputs.settings.guidance)
        before = tail.poses
        return plan_segment(model, score, tail.index, tail.frame, before, settings, on_share)

    def _motion(self, poses: Tensor) -> DanceMotion:
        """The dance of a segment's poses `[n 27]`."""
        config = self.model.config
        assert config.choreographer is not None
        return DanceMotion.from_features(poses, config.clip.fps * config.choreographer.poses)

    def _planned(self, poses: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """The planned frames (`compositing.plan_frames`) of the poses `[n 27]` of a segment."""
        dancer, clip = self.inputs.reference.dancer, self.model.config.clip
        if poses is None or dancer is None:
            return None
        return plan_frames(dancer, self._motion(poses), clip.size, clip.frames, clip.fps)

    def _preview(self, segment: DenoisedSegment, tail: Tail) -> Tensor:
        """Latents `[1 f c h w]` that show the state of a segment that was not denoised now."""
        return (tail.latents if segment.latents is None else segment.latents)[None]

    def _key(self, cache: SegmentCache, tail: Tail) -> str:
        """A name for everything that the segment after `tail` depends on."""
        inputs, guidance = self.inputs, self.inputs.settings.guidance
        dancer = inputs.reference.dancer
        return cache.key(
            [str(self.model.dtype), inputs.seed, inputs.settings.steps, inputs.settings.sampler],
            [guidance.scale, guidance.rescale, dict(guidance.weights), inputs.denoise],
            [tail.start, tail.frame, tail.index],
            tail.latents,
            tail.poses,
            None if inputs.motion is None else inputs.motion.features(),
            inputs.reference.latents,
            inputs.reference.part_map,
            None if dancer is None else dancer.figure.body.joints,
            inputs.song.mel,
            inputs.song.grid.times,
            inputs.song.grid.assumed,
            self._text(tail),
            inputs.negative,
        )
