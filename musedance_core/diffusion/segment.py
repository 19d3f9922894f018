"""One segment of a dance: from what is given to clean latents (the paper's section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from ..audio.beats import BeatGrid, beat_frames
from ..audio.mel import clip_window
from ..models import ClipAudio, Conditions, MuseDance, WarpedReference
from ..models.schedule import NoiseSchedule
from .guidance import CONDITIONS, ConditionSet, Guidance, guided, guided_velocity
from .samplers import SAMPLERS, OnStep, require_sampler


@dataclass(frozen=True)
class SongFeatures:
    """A song as the model hears it: log-mel of the whole song `[t mel]` and its beats."""

    mel: Tensor
    grid: BeatGrid


@dataclass(frozen=True)
class SegmentInput:
    """All that one segment is made of.

    Attributes:
        reference: latents of the picture `[1 c h w]`.
        previous: latents of the frames before `[m c h w]`; the picture's, m times, at the start.
        text: text tokens `[1 77 d]`.
        track: the whole song.
        start: where in the song the video starts, in seconds.
        first: the segment's first frame, counted from the video's.
        part_map: ids 0..25 `[1 s s]`, or None.
        negative: text tokens `[1 77 d]` of what guidance leads away from; None is no text at all.
    """

    reference: Tensor
    previous: Tensor
    text: Tensor
    track: SongFeatures
    start: float = 0.0
    first: int = 0
    part_map: Tensor | None = None
    negative: Tensor | None = None


@dataclass(frozen=True)
class SamplingSettings:
    """How to denoise: so many `steps` of one of `SAMPLERS`, and what to listen to most.

    Raises:
        ValueError: no sampler is called so, or fewer than one step.
    """

    steps: int
    guidance: Guidance
    sampler: str = "ddim"

    def __post_init__(self) -> None:
        require_sampler(self.sampler)
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")


@dataclass(frozen=True)
class DenoisedSegment:
    """One whole clip: clean `latents [f c h w]`, and by what `warp [f 2 6]` the picture was planned
    to move in every frame, None where the model does not plan."""

    latents: Tensor
    warp: Tensor | None


def initial_noise(model: MuseDance, reference: Tensor, seed: int, index: int) -> Tensor:
    """The noise `[1 f c h w]` that segment `index` starts from, where `reference [1 c h w]` is."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
    shape = (1, model.config.clip.frames, *reference.shape[1:])
    return NoiseSchedule(model.config.schedule).sample_noise(shape, generator).to(reference)


@torch.no_grad()
def denoise_segment(
    model: MuseDance,
    given: SegmentInput,
    noise: Tensor,
    settings: SamplingSettings,
    on_step: OnStep,
) -> DenoisedSegment:
    """One whole clip out of `noise [1 f c h w]`.

    It computes where `noise` is and in its precision; `on_step(step, denoised)` is called after
    every step, and whatever it raises ends the work.
    """
    conditions, warp = condition_set(model, given, settings.guidance)
    schedule = NoiseSchedule(model.config.schedule)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        return guided_velocity(model.unet, x, t, conditions, settings.guidance)

    clean = SAMPLERS[settings.sampler](denoise, noise, schedule, settings.steps, on_step)[0]
    return DenoisedSegment(clean, warp)


def condition_set(
    model: MuseDance, given: SegmentInput, guidance: Guidance
) -> tuple[ConditionSet, Tensor | None]:
    """What drives one segment: everything, nothing, and all but one for every non-zero weight; and
    by what warp `[f 2 6]` the picture is planned to move, guided as the velocity is."""
    clip, like = model.config.clip, given.reference
    begin = given.start + given.first / clip.fps
    window = clip_window(given.track.mel, begin, clip.frames, clip.fps, model.config.music.length)
    music, seconds = model.music.encode_clip(window[None].to(like), clip.seconds)
    heard = beat_frames(given.track.grid, given.start, clip.frames, clip.fps, given.first)
    ids = torch.from_numpy(heard.ids)[None].to(like.device)
    count = torch.from_numpy(heard.count)[None].float().to(like.device)
    frame_seconds = model.frame_seconds(clip.frames, like.device)
    previous = rearrange(given.previous, "m c h w -> 1 m c h w")

    def build(text: Tensor, *dropped: str) -> tuple[Conditions, WarpedReference | None]:
        hear = torch.tensor(["music" not in dropped], device=like.device)
        clip_heard = ClipAudio(music, seconds, ids, count, frame_seconds, hear)
        picture = model.reference_features(given.reference, text, given.part_map)
        made = Conditions(
            text=text,
            reference=model.unet.project_reference(picture),
            previous=model.reference.motion_features(previous, text),
            music=model.embed_music(clip_heard),
            beat=model.embed_beats(clip_heard),
            seconds=frame_seconds,
            warped_reference=model.warp_reference(
                given.reference, given.part_map, picture, text, clip_heard
            ),
        )
        return made.without_reference() if "reference" in dropped else made, made.warped_reference

    away = torch.zeros_like(given.text) if given.negative is None else given.negative
    (full, moved), (none, moved_by_none) = build(given.text), build(away, *CONDITIONS)
    without = {
        name: build(away if name == "text" else given.text, name)
        for name, weight in guidance.weights.items()
        if weight
    }
    conditions = ConditionSet(full, none, {name: made for name, (made, _) in without.items()})
    if moved is None or moved_by_none is None:
        return conditions, None
    plans = {name: plan.warp for name, (_, plan) in without.items() if plan is not None}
    return conditions, guided(moved.warp, moved_by_none.warp, plans, guidance)[0]
