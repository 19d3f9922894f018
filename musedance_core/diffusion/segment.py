"""One segment of a dance: from its inputs to clean latents (the paper's section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from ..audio.beats import BeatGrid, beat_frames
from ..audio.mel import clip_window
from ..errors import InputError
from ..models import ClipAudio, Conditions, MuseDance, WarpedReference
from ..models.schedule import NoiseSchedule
from .guidance import CONDITIONS, ConditionSet, Guidance, guided, guided_velocity
from .samplers import SAMPLERS, OnStep, require_sampler


@dataclass(frozen=True)
class Reference:
    """The picture to animate.

    Attributes:
        pixels: `[3 h w]` in 0..1, fitted to the model's size.
        latents: `[1 c h w]` of those pixels, as the denoiser takes them (scaled).
        part_map: ids 0..25 `[h w]`, or None where nothing is known of the picture's parts.
    """

    pixels: Tensor
    latents: Tensor
    part_map: Tensor | None = None


@dataclass(frozen=True)
class SongFeatures:
    """A song as the model takes it: the log-mel `[t mel]` of the whole song, and its beats."""

    mel: Tensor
    grid: BeatGrid


@dataclass(frozen=True)
class SegmentInput:
    """Everything that conditions one segment.

    Attributes:
        reference: latents of the picture `[1 c h w]`.
        previous: latents of the frames before `[m c h w]`; the picture's, m times, at the start.
        text: text tokens `[1 77 d]`.
        song: the whole song.
        start: where in the song the video starts, in seconds.
        first: the segment's first frame, counted from the video's.
        part_map: ids 0..25 `[1 h w]`, or None.
        negative: text tokens `[1 77 d]` of the negative prompt; None stands for zeros.
    """

    reference: Tensor
    previous: Tensor
    text: Tensor
    song: SongFeatures
    start: float = 0.0
    first: int = 0
    part_map: Tensor | None = None
    negative: Tensor | None = None


@dataclass(frozen=True)
class SamplingSettings:
    """Number of denoising `steps`, `guidance`, and the name of one of `SAMPLERS`.

    Raises:
        InputError: there is no such sampler, or fewer than one step.
    """

    steps: int
    guidance: Guidance
    sampler: str = "ddim"

    def __post_init__(self) -> None:
        require_sampler(self.sampler)
        if self.steps < 1:
            raise InputError(f"Sampling takes at least 1 step, not {self.steps}.")


@dataclass(frozen=True)
class DenoisedSegment:
    """The frames of one segment as the model made them.

    `latents [f c h w]` are clean; `warp [f 2 6]` is the quadratic warp that moves the picture in
    every frame (see `geometry.source_points`), None for models without a body warp.
    """

    latents: Tensor
    warp: Tensor | None = None

    def first(self, frames: int) -> DenoisedSegment:
        """The first `frames` frames."""
        return DenoisedSegment(**{name: x[:frames] for name, x in self.tensors().items()})

    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors by name, without those that are None."""
        named = {"latents": self.latents, "warp": self.warp}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


def require_finite(values: Tensor, name: str, dtype: torch.dtype) -> None:
    """Raises InputError where `values [...]`, computed in `dtype`, are not all finite."""
    if bool(torch.isfinite(values).all()):
        return
    if dtype == torch.float16:
        raise InputError(f"{name} are not finite numbers in float16: use bfloat16 or float32.")
    used = str(dtype).removeprefix("torch.")
    raise InputError(f"{name} are not finite numbers, although computed in {used}.")


def initial_noise(model: MuseDance, reference: Tensor, seed: int, index: int) -> Tensor:
    """The noise `[1 f c h w]` that segment `index` starts from, on the device and in the dtype of
    the picture's latents `reference [1 c h w]`."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
    shape = (1, model.config.clip.frames, *reference.shape[1:])
    return NoiseSchedule(model.config.schedule).sample_noise(shape, generator).to(reference)


@torch.no_grad()
def denoise_segment(
    model: MuseDance,
    inputs: SegmentInput,
    noise: Tensor,
    settings: SamplingSettings,
    on_step: OnStep,
) -> DenoisedSegment:
    """Denoises one segment from `noise [1 f c h w]`, on its device and in its dtype.

    `on_step(step, denoised)` is called after every step; an exception from it ends the sampling.
    """
    conditions, warp = condition_set(model, inputs, settings.guidance)
    schedule = NoiseSchedule(model.config.schedule)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        return guided_velocity(model.unet, x, t, conditions, settings.guidance)

    sample = SAMPLERS[settings.sampler]
    return DenoisedSegment(sample(denoise, noise, schedule, settings.steps, on_step)[0], warp)


def condition_set(
    model: MuseDance, inputs: SegmentInput, guidance: Guidance
) -> tuple[ConditionSet, Tensor | None]:
    """The conditions of one segment: all of them, none, and all but one for every weight that is
    not 0; and the picture's warp `[f 2 6]`, guided as the velocity is."""
    clip, like = model.config.clip, inputs.reference

    # The song and its beats over this segment, on the song's clock.
    begin = inputs.start + inputs.first / clip.fps
    window = clip_window(inputs.song.mel, begin, clip.frames, clip.fps, model.config.music.length)
    music, seconds = model.music.encode_clip(window[None].to(like), clip.seconds)
    beats = beat_frames(inputs.song.grid, inputs.start, clip.frames, clip.fps, inputs.first)
    ids = torch.from_numpy(beats.ids)[None].to(like.device)
    count = torch.from_numpy(beats.count)[None].float().to(like.device)
    frame_seconds = model.frame_seconds(clip.frames, like.device)
    previous = rearrange(inputs.previous, "m c h w -> 1 m c h w")

    def build(text: Tensor, *dropped: str) -> tuple[Conditions, WarpedReference | None]:
        """The conditions without those named; a warp is computed for each."""
        keep = torch.tensor(["music" not in dropped], device=like.device)
        audio = ClipAudio(music, seconds, ids, count, frame_seconds, keep)
        features = model.reference_features(inputs.reference, text, inputs.part_map)
        conditions = Conditions(
            text=text,
            reference=model.unet.project_reference(features),
            previous=model.reference.motion_features(previous, text),
            music=model.embed_music(audio),
            beat=model.embed_beats(audio),
            seconds=frame_seconds,
            warped_reference=model.warp_reference(
                inputs.reference, inputs.part_map, features, text, audio
            ),
        )
        warped = conditions.warped_reference
        return conditions.without_reference() if "reference" in dropped else conditions, warped

    # No text is zeros unless there is a negative prompt.
    no_text = torch.zeros_like(inputs.text) if inputs.negative is None else inputs.negative
    full, warped = build(inputs.text)
    none, warped_without_any = build(no_text, *CONDITIONS)
    without = {
        name: build(no_text if name == "text" else inputs.text, name)
        for name, weight in guidance.weights.items()
        if weight
    }
    conditions = ConditionSet(full, none, {name: one for name, (one, _) in without.items()})
    if warped is None or warped_without_any is None:
        return conditions, None
    warps = {name: plan.warp for name, (_, plan) in without.items() if plan is not None}
    return conditions, guided(warped.warp, warped_without_any.warp, warps, guidance)[0]
